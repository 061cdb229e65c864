//! Licence expressions of crates: SPDX, and the older `/` that means `OR`.

use std::collections::BTreeSet;

/// Whether someone who accepts the licences in `allow` may use a crate under `expression`.
///
/// **Shape**: `allow` holds licence names, each with its exception if it has one
/// (`Apache-2.0 WITH LLVM-exception`); a licence is not allowed with an exception unless that pair
/// is listed. `AND` binds tighter than `OR`.
///
/// **Errors**: what is wrong with the expression, for people.
pub(super) fn is_satisfied(expression: &str, allow: &BTreeSet<String>) -> Result<bool, String> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let mut reader = Reader {
        words: spaced.split_whitespace().collect(),
        allow,
    };
    reader.words.reverse();
    let satisfied = reader.any()?;
    match reader.words.pop() {
        None => Ok(satisfied),
        Some(word) => Err(format!("unexpected `{word}`")),
    }
}

/// Reads by recursive descent; the next word is the last one.
struct Reader<'a> {
    words: Vec<&'a str>,
    allow: &'a BTreeSet<String>,
}

impl Reader<'_> {
    fn any(&mut self) -> Result<bool, String> {
        let mut satisfied = self.all()?;
        while self.eat("OR") {
            satisfied |= self.all()?;
        }
        Ok(satisfied)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut satisfied = self.one()?;
        while self.eat("AND") {
            satisfied &= self.one()?;
        }
        Ok(satisfied)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.eat("(") {
            let satisfied = self.any()?;
            return if self.eat(")") {
                Ok(satisfied)
            } else {
                Err("expected `)`".to_owned())
            };
        }
        let name = self.name()?;
        let licence = if self.eat("WITH") {
            format!("{name} WITH {}", self.name()?)
        } else {
            name
        };
        Ok(self.allow.contains(&licence))
    }

    fn name(&mut self) -> Result<String, String> {
        match self.words.pop() {
            Some("(" | ")" | "AND" | "OR" | "WITH") | None => Err("expected a licence".to_owned()),
            Some(name) => Ok(name.to_owned()),
        }
    }

    fn eat(&mut self, word: &str) -> bool {
        let is_next = self.words.last() == Some(&word);
        if is_next {
            self.words.pop();
        }
        is_next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str) -> Result<bool, String> {
        let allow = ["MIT", "BSD-3-Clause", "Apache-2.0 WITH LLVM-exception"];
        is_satisfied(expression, &allow.map(str::to_owned).into())
    }

    #[test]
    fn expressions_are_read_as_spdx_says() {
        let cases = [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("GPL-3.0-only OR MIT", true),
            ("MIT/Apache-2.0", true),
            ("Apache-2.0 / MIT", true),
            ("MIT AND GPL-3.0-only", false),
            ("MIT AND BSD-3-Clause", true),
            ("(GPL-2.0-only OR MIT) AND BSD-3-Clause", true),
            ("(GPL-2.0-only OR MIT) AND ISC", false),
            ("MIT OR GPL-2.0-only AND ISC", true),
            ("GPL-2.0-only AND ISC OR MIT", true),
            ("Apache-2.0", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("MIT WITH LLVM-exception", false),
            ("Apache-2.0 WITH LLVM-exception OR GPL-2.0-only", true),
            ("((MIT))", true),
        ];
        for (expression, expected) in cases {
            assert_eq!(check(expression), Ok(expected), "{expression}");
        }
    }

    #[test]
    fn broken_expressions_are_refused() {
        for broken in [
            "",
            "OR MIT",
            "MIT OR",
            "(MIT",
            "MIT)",
            "MIT Apache-2.0",
            "MIT WITH",
            "()",
        ] {
            assert!(check(broken).is_err(), "{broken}");
        }
    }
}
