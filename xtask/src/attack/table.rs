//! The page of attacks and their last results.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::Result;

use super::Size;
use super::catalogue::{Attack, Catalogue, FILE};
use super::marks::Mark;
use super::suites::Outcome;
use crate::command::{read, root};

/// Under what the results came about.
#[derive(Debug)]
pub(super) struct Setting {
    commit: String,
    day: String,
    kernel: String,
    machine: String,
    size: Size,
}

impl Setting {
    pub(super) fn read(size: Size) -> Result<Self> {
        let say = |program: &str, args: &[&str]| -> Result<String> {
            let text = read(Command::new(program).current_dir(root()).args(args))?;
            Ok(text.trim().to_owned())
        };
        Ok(Self {
            commit: say("git", &["rev-parse", "--short", "HEAD"])?,
            day: say("date", &["-u", "+%Y-%m-%d"])?,
            kernel: say("uname", &["-sr"])?,
            machine: say("uname", &["-m"])?,
            size,
        })
    }
}

/// The page, in Markdown.
pub(super) fn page(
    catalogue: &Catalogue,
    marks: &[Mark],
    outcomes: &BTreeMap<Mark, Outcome>,
    setting: &Setting,
) -> String {
    let Setting {
        commit,
        day,
        kernel,
        machine,
        size,
    } = setting;
    let size = size.words();
    let mut page = format!(
        "# Attacks\n\n\
         Written by `cargo xtask attack`, which runs the tests of every row; the list is `{FILE}`. What\n\
         is claimed, and what is not, stands in [THREATS.md](THREATS.md).\n\n\
         Last run: {size}, {day}, commit {commit}, {kernel}, {machine}.\n"
    );
    for family in &catalogue.families {
        let (id, title, setting) = (&family.id, &family.title, &family.setting);
        let attacks: Vec<&Attack> = catalogue.of_family(family).collect();
        let held = attacks
            .iter()
            .filter(|it| result(it, marks, outcomes) == "held");
        let heading = format!(
            "\n## {id}: {title}\n\n{setting} {} of {} held.\n\n\
             | id | attack | expected | tests | result |\n|---|---|---|---|---|\n",
            held.count(),
            attacks.len(),
        );
        let row = |attack: &&Attack| {
            format!(
                "| {} | {} | {} | {} | {} |\n",
                attack.id,
                cell(&attack.attack),
                cell(&attack.expected),
                tests(attack, marks),
                cell(&result(attack, marks, outcomes)),
            )
        };
        page.push_str(&heading);
        page.extend(attacks.iter().map(row));
    }
    page
}

fn tests(attack: &Attack, marks: &[Mark]) -> String {
    let own = marks.iter().filter(|mark| mark.attack == attack.id);
    let shown = own.map(|mark| format!("[`{}`](../{})", mark.test, mark.file));
    shown.collect::<Vec<_>>().join("<br>")
}

/// One word for all its tests, the worst; the reason where there is none.
fn result(attack: &Attack, marks: &[Mark], outcomes: &BTreeMap<Mark, Outcome>) -> String {
    let own: Vec<Option<&Outcome>> = marks
        .iter()
        .filter(|mark| mark.attack == attack.id)
        .map(|mark| outcomes.get(mark))
        .collect();
    if own.is_empty() {
        let reason = attack.reason.as_ref();
        return reason.map_or_else(
            || "no test".to_owned(),
            |reason| format!("impossible: {reason}"),
        );
    }
    let all = |wanted| own.iter().all(|outcome| *outcome == Some(&wanted));
    let any = |wanted| own.contains(&Some(&wanted));
    if all(Outcome::Held) {
        "held".to_owned()
    } else if any(Outcome::Failed) {
        "**FAILED**".to_owned()
    } else {
        "**not run**".to_owned()
    }
}

/// Text that stays in its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_worst_of_its_results() {
        let mark = |test: &str| Mark {
            attack: "FS-01".to_owned(),
            file: "tests/sandbox/a.rs".to_owned(),
            test: test.to_owned(),
        };
        let marks = [mark("one"), mark("two")];
        let attack = |reason: Option<&str>| Attack {
            id: "FS-01".to_owned(),
            attack: "a".to_owned(),
            expected: "b".to_owned(),
            reason: reason.map(str::to_owned),
        };
        for (one, two, expected) in [
            (Outcome::Held, Outcome::Held, "held"),
            (Outcome::Held, Outcome::Failed, "**FAILED**"),
            (Outcome::NotRun, Outcome::Failed, "**FAILED**"),
            (Outcome::Held, Outcome::NotRun, "**not run**"),
        ] {
            let outcomes = BTreeMap::from([(marks[0].clone(), one), (marks[1].clone(), two)]);
            assert_eq!(result(&attack(None), &marks, &outcomes), expected);
        }
        let nothing = BTreeMap::new();
        assert_eq!(result(&attack(None), &[], &nothing), "no test");
        let reason = result(&attack(Some("because")), &[], &nothing);
        assert_eq!(reason, "impossible: because");
        let all = tests(&attack(None), &marks);
        assert_eq!(
            all,
            "[`one`](../tests/sandbox/a.rs)<br>[`two`](../tests/sandbox/a.rs)"
        );
    }
}
