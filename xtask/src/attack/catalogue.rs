//! The attacks that the wall is held to, and what has to be true of the list.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::marks::Mark;
use crate::tidy::Source;

/// Where the list stands.
pub(super) const FILE: &str = "tests/sandbox/catalogue.toml";
/// Of how many attacks of a family one may have a reason instead of a test.
const REASONS_ONE_IN: usize = 10;

/// The list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Catalogue {
    #[serde(rename = "family")]
    pub(super) families: Vec<Family>,
    #[serde(rename = "attack")]
    attacks: Vec<Attack>,
}

/// Attacks of one kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Family {
    /// What the ids of its attacks begin with.
    pub(super) id: String,
    pub(super) title: String,
    /// What the guest has and where the canary lies.
    pub(super) setting: String,
}

/// One attack.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Attack {
    pub(super) id: String,
    pub(super) attack: String,
    pub(super) expected: String,
    /// Why there is no test: what makes the attack impossible.
    #[serde(default)]
    pub(super) reason: Option<String>,
}

impl Catalogue {
    pub(super) fn of(sources: &[Source]) -> Result<Self> {
        let source = sources.iter().find(|source| source.path == FILE);
        let source = source.context("it is not there")?;
        let catalogue: Self = toml::from_str(&source.text)?;
        ensure!(!catalogue.attacks.is_empty(), "it has no attacks");
        Ok(catalogue)
    }

    /// The attacks of a family, in the order of the list.
    pub(super) fn of_family<'a>(&'a self, family: &'a Family) -> impl Iterator<Item = &'a Attack> {
        let attacks = self.attacks.iter();
        attacks.filter(|attack| prefix(&attack.id) == family.id)
    }

    /// What is wrong with the list and the tests that name its attacks.
    pub(super) fn faults(&self, marks: &[Mark]) -> Vec<String> {
        let mut faults = Vec::new();
        let mut seen = BTreeSet::new();
        let families: BTreeSet<&str> = self.families.iter().map(|it| it.id.as_str()).collect();
        for attack in &self.attacks {
            let id = &attack.id;
            if !seen.insert(id.as_str()) {
                faults.push(format!("{FILE}: `{id}` stands twice"));
            }
            if !families.contains(prefix(id)) {
                faults.push(format!("{FILE}: `{id}` is of no family"));
            }
            if attack.reason.is_some() && is_tested(attack, marks) {
                faults.push(format!("{FILE}: `{id}` has a test and needs no reason"));
            }
        }
        for family in &self.families {
            let untested: Vec<&str> = self
                .of_family(family)
                .filter(|attack| attack.reason.is_none() && !is_tested(attack, marks))
                .map(|attack| attack.id.as_str())
                .collect();
            if !untested.is_empty() {
                faults.push(format!("{FILE}: no test names {}", untested.join(", ")));
            }
            let all = self.of_family(family).count();
            let reasons = self.of_family(family);
            let reasons = reasons.filter(|attack| attack.reason.is_some()).count();
            if reasons > all / REASONS_ONE_IN {
                let id = &family.id;
                faults.push(format!(
                    "{FILE}: {reasons} of {all} {id} attacks have no test"
                ));
            }
        }
        faults.extend(self.unknown(marks));
        faults
    }

    /// Tests that name attacks which nobody lists.
    fn unknown(&self, marks: &[Mark]) -> Vec<String> {
        let known: BTreeSet<&str> = self.attacks.iter().map(|it| it.id.as_str()).collect();
        let mut unknown: BTreeMap<(&str, &str), &str> = BTreeMap::new();
        for mark in marks {
            let is_ours = self.families.iter().any(|it| it.id == prefix(&mark.attack));
            if is_ours && !known.contains(mark.attack.as_str()) {
                unknown.insert((&mark.file, &mark.test), &mark.attack);
            }
        }
        let shown = |((file, test), id): (&(&str, &str), &&str)| {
            format!("{file}: `{test}` names `{id}`, which {FILE} doesn't list")
        };
        unknown.iter().map(shown).collect()
    }
}

fn is_tested(attack: &Attack, marks: &[Mark]) -> bool {
    marks.iter().any(|mark| mark.attack == attack.id)
}

/// `FS` of `FS-01`.
fn prefix(id: &str) -> &str {
    id.split('-').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue(reasons: &[usize]) -> Catalogue {
        let attacks = (1..=20).map(|number| Attack {
            id: format!("FS-{number:02}"),
            attack: "a".to_owned(),
            expected: "b".to_owned(),
            reason: reasons.contains(&number).then(|| "c".to_owned()),
        });
        Catalogue {
            families: vec![Family {
                id: "FS".to_owned(),
                title: "Files".to_owned(),
                setting: String::new(),
            }],
            attacks: attacks.collect(),
        }
    }

    fn marks(numbers: impl IntoIterator<Item = usize>) -> Vec<Mark> {
        let mark = |number| Mark {
            attack: format!("FS-{number:02}"),
            file: "tests/sandbox/a.rs".to_owned(),
            test: "a_test".to_owned(),
        };
        numbers.into_iter().map(mark).collect()
    }

    #[test]
    fn every_attack_has_a_test_or_one_of_few_reasons() {
        for (reasons, tested, fault) in [
            (&[][..], (1..=20).collect::<Vec<_>>(), None),
            (&[1, 2], (3..=20).collect(), None),
            (&[1, 2, 3], (4..=20).collect(), Some("3 of 20 FS attacks")),
            (&[], (2..=20).collect(), Some("no test names FS-01")),
            (&[1], (1..=20).collect(), Some("needs no reason")),
            (&[], (1..=21).collect(), Some("names `FS-21`")),
        ] {
            let faults = catalogue(reasons).faults(&marks(tested));
            match fault {
                None => assert_eq!(faults, Vec::<String>::new()),
                Some(part) => {
                    assert_eq!(faults.len(), 1, "{faults:?}");
                    assert!(faults[0].contains(part), "{faults:?}");
                }
            }
        }
    }

    #[test]
    fn ids_are_of_a_family_and_stand_once() {
        let mut list = catalogue(&[]);
        list.attacks[0].id = "FS-02".to_owned();
        list.attacks[2].id = "XX-03".to_owned();
        let faults = list.faults(&marks([2, 4].into_iter().chain(4..=20)));
        assert!(faults.iter().any(|it| it.contains("`FS-02` stands twice")));
        assert!(
            faults
                .iter()
                .any(|it| it.contains("`XX-03` is of no family"))
        );
    }

    #[test]
    fn the_list_can_be_read() {
        let text = include_str!("../../../tests/sandbox/catalogue.toml");
        let sources = [Source {
            path: FILE.to_owned(),
            text: text.to_owned(),
        }];
        let catalogue = Catalogue::of(&sources).expect("a list");
        let counts: Vec<_> = catalogue
            .families
            .iter()
            .map(|family| (family.id.as_str(), catalogue.of_family(family).count()))
            .collect();
        let expected = [
            ("FS", 25),
            ("NET", 28),
            ("PR", 17),
            ("PO", 14),
            ("SE", 11),
            ("IN", 5),
        ];
        assert_eq!(counts, expected);
    }
}
