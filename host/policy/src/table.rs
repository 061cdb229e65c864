//! Tables of calls and what a policy is expected to say to each: how a policy is tested before it
//! is live. `docs/policy-tests.md` describes the format.
//!
//! A case is decided as the host does it: first the call, then, when it names one, the use, both by
//! the same functions. What no table can tell is what a name will resolve to and what is in the
//! files.

mod asked;
mod case;
mod tool;

use std::collections::BTreeMap;

use cofferdam_types::call::{Denial, DenialCode};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::PolicyError;
use crate::node::Node;
use crate::origin::Origin;
use crate::policy::Policy;
use crate::read::{self, Format};
use crate::walk::Walk;

pub use asked::Use;
use case::Case;
use tool::Description;

/// The only version of the format.
const VERSION: u64 = 1;
/// Most cases of a table: a policy of 10,000 rules has some for each.
const CASES_MAX: usize = 100_000;

/// A table of cases.
#[derive(Debug, Clone)]
pub struct Table {
    cases: Vec<Case>,
}

/// What is expected of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Which way it goes.
    pub decision: Decision,
    /// Why it is denied; absent for any reason.
    pub code: Option<DenialCode>,
    /// The rule that decides; absent for any.
    pub rule: Option<String>,
}

/// Which way a decision goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The call may be made and the use, when there is one, happens.
    Allow,
    /// It may not.
    Deny,
}

/// What the policy said to a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Yes; with the entry that allows the use, when the case names one that an entry allows.
    Allowed(Option<Origin>),
    /// No; every denial that stands in the way.
    Denied(Vec<Denial>),
}

/// A case after it was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The case's name; what it is about where it has none.
    pub name: String,
    /// Its line in the table, from 1.
    pub line: u32,
    /// What was expected.
    pub expected: Expected,
    /// What was said.
    pub said: Said,
}

impl Decision {
    /// The word in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

impl Checked {
    /// True when the policy said what was expected.
    pub fn is_as_expected(&self) -> bool {
        let Expected {
            decision,
            code,
            rule,
        } = &self.expected;
        match (decision, &self.said) {
            (Decision::Allow, Said::Allowed(by)) => match (rule, by) {
                (Some(rule), Some(by)) => *by.rule == **rule,
                (Some(_), None) => false,
                (None, _) => true,
            },
            // One denial has to be both, or a case could pass for two wrong reasons.
            (Decision::Deny, Said::Denied(denials)) => denials.iter().any(|denial| {
                code.is_none_or(|code| code == denial.code)
                    && rule.as_ref().is_none_or(|rule| *rule == denial.rule)
            }),
            (Decision::Allow, Said::Denied(_)) | (Decision::Deny, Said::Allowed(_)) => false,
        }
    }
}

/// A table's text. Its parts are read one by one, to say all that is wrong at once.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    version: u64,
    #[serde(default, rename = "tools")]
    _tools: Option<IgnoredAny>,
    #[serde(rename = "cases")]
    _cases: IgnoredAny,
}

impl Table {
    /// Reads a table. `shown` is what mistakes call it: its file.
    ///
    /// **Errors**: [`PolicyError::Invalid`] with every mistake and its place; a table without cases
    /// is one.
    /// **Limits**: [`crate::TEXT_BYTES_MAX`] of text, 100,000 cases.
    pub fn parse(text: &[u8], format: Format, shown: &str) -> Result<Self, PolicyError> {
        let node =
            read::read(text, format).map_err(|mistakes| PolicyError::invalid(shown, mistakes))?;
        let mut walk = Walk::default();
        let cases = cases(&node, &mut walk);
        if walk.is_clean() {
            Ok(Self { cases })
        } else {
            Err(PolicyError::invalid(shown, walk.finish()))
        }
    }

    /// How many cases it has.
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// Never true: a table without cases is not read.
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// Asks the policy about each case, in the table's order.
    pub fn run(&self, policy: &Policy) -> Vec<Checked> {
        self.cases.iter().map(|case| case.run(policy)).collect()
    }
}

fn cases(node: &Node, walk: &mut Walk) -> Vec<Case> {
    if let Some(text) = walk.read::<Text>(node)
        && text.version != VERSION
    {
        let place = node.at("/version").place;
        walk.mistake(place, "this host reads version 1 of policy tables");
    }
    let mut tools: BTreeMap<String, Description> = BTreeMap::new();
    if let Some(node) = node.get("tools") {
        for (key, node) in node.fields() {
            if let Some(tool) = Description::read(node, walk) {
                tools.insert(key.text.clone(), tool);
            }
        }
    }
    let Some(node) = node.get("cases") else {
        return Vec::new();
    };
    let items = walk.list(node);
    if items.is_empty() {
        walk.mistake(node.place, "a table without cases would test nothing");
    }
    if items.len() > CASES_MAX {
        walk.mistake(node.place, format!("a table has at most {CASES_MAX} cases"));
        return Vec::new();
    }
    let cases = items
        .iter()
        .filter_map(|item| Case::read(item, &tools, walk));
    cases.collect()
}

#[cfg(test)]
mod tests;
