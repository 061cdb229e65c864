//! Which test belongs to which attack: a line of its doc comment begins with the attack's id.
//!
//! Read as text rather than as syntax, because property tests stand inside a macro.

use crate::tidy::Source;

/// Lines between the doc comment and the function: its other attributes.
const LINES_BETWEEN_MAX: usize = 12;

/// A test that belongs to an attack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    /// The attack's id.
    pub(super) attack: String,
    /// The file of the test, relative to the root.
    pub(super) file: String,
    /// The function's name.
    pub(super) test: String,
}

/// Every mark, in the order of the files.
pub(super) fn all(sources: &[Source]) -> Vec<Mark> {
    let rust = sources.iter().filter(|source| source.is_rust());
    let mut marks: Vec<Mark> = rust.flat_map(of).collect();
    marks.sort();
    marks.dedup();
    marks
}

fn of(source: &Source) -> Vec<Mark> {
    let lines: Vec<&str> = source.text.lines().map(str::trim).collect();
    let mut marks = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let ids = ids(line);
        if ids.is_empty() {
            continue;
        }
        let Some(test) = test_after(&lines[at + 1..]) else {
            continue;
        };
        marks.extend(ids.into_iter().map(|attack| Mark {
            attack: attack.to_owned(),
            file: source.path.clone(),
            test: test.to_owned(),
        }));
    }
    marks
}

/// The ids that a line of a doc comment begins with: `/// FS-01, FS-02: …`.
fn ids(line: &str) -> Vec<&str> {
    let Some((ids, _)) = line
        .strip_prefix("///")
        .and_then(|rest| rest.split_once(':'))
    else {
        return Vec::new();
    };
    let ids: Vec<&str> = ids.split(',').map(str::trim).collect();
    if ids.iter().all(|id| is_id(id)) {
        ids
    } else {
        Vec::new()
    }
}

fn is_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(family, number)| {
        (2..=3).contains(&family.len())
            && family.bytes().all(|byte| byte.is_ascii_uppercase())
            && number.len() == 2
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The name of the test function whose comment or attributes these lines begin with.
fn test_after<'a>(lines: &[&'a str]) -> Option<&'a str> {
    let mut is_test = false;
    for line in lines.iter().take(LINES_BETWEEN_MAX) {
        is_test |= line.starts_with("#[") && line.contains("test");
        let declared = line.trim_start_matches("pub ").trim_start_matches("async ");
        if let Some(rest) = declared.strip_prefix("fn ") {
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            return is_test.then_some(name);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, &str)]) {
        let source = Source {
            path: "a.rs".to_owned(),
            text: text.to_owned(),
        };
        let marks = all(&[source]);
        let found: Vec<_> = marks
            .iter()
            .map(|mark| (mark.attack.as_str(), mark.test.as_str()))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn marks_are_found() {
        check("/// FS-01: a.\n#[test]\nfn one() {}", &[("FS-01", "one")]);
        check(
            "    /// NET-02, NET-03: a\n    /// b.\n    #[tokio::test(flavor = \"x\")]\n    async fn two() {",
            &[("NET-02", "two"), ("NET-03", "two")],
        );
        check(
            "/// First.\n/// PR-01: a.\n/// PR-02: b.\n#[test]\nfn three() {}",
            &[("PR-01", "three"), ("PR-02", "three")],
        );
        check(
            "proptest! {\n/// PO-13: a.\n#[test]\nfn four(x in 0..1) {}\n}",
            &[("PO-13", "four")],
        );
    }

    #[test]
    fn other_lines_are_no_marks() {
        for text in [
            "// FS-01: a.\n#[test]\nfn one() {}",
            "/// FS-01: a.\nfn helper() {}",
            "/// See FS-01: a.\n#[test]\nfn one() {}",
            "/// FS-1: a.\n#[test]\nfn one() {}",
            "/// UTF-8: a.\n#[test]\nfn one() {}",
            "/// FS-01: a.\nstruct A;",
        ] {
            check(text, &[]);
        }
    }
}
