//! What two policies say differently, whatever the order in which they say it. What they are called
//! is no difference: it allows nothing.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::bounds::LIMITS;
use crate::origin::{Located, Origin};
use crate::policy::Policy;
use crate::rule::{Body, CALL, Rule};
use crate::safety::Safety;

/// One thing that only one of two policies says, or that they say with different values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Whose calls of which tools, as in `http-fetch@^1 for {"roles":["user"]}`; `policy` for what
    /// holds for all.
    pub about: String,
    /// What is said: `allow network {"host":"api.example.org"}`, `limits memory`.
    pub what: String,
    /// The value there was, and where; absent when nothing was said.
    pub old: Option<(String, Origin)>,
    /// The value there is, and where; absent when nothing is said.
    pub new: Option<(String, Origin)>,
}

/// By what it is about and what it says: the value, and where.
type Sayings = BTreeMap<(String, String), (String, Origin)>;

/// The differences, sorted by what they are about.
pub fn diff(old: &Policy, new: &Policy) -> Vec<Difference> {
    let (old, mut new) = (sayings(old), sayings(new));
    let mut differences: Vec<_> = old
        .into_iter()
        .filter_map(|(key, old)| {
            let new = new.remove(&key);
            let is_same = new.as_ref().is_some_and(|new| new.0 == old.0);
            (!is_same).then_some((key, Some(old), new))
        })
        .collect();
    differences.extend(new.into_iter().map(|(key, new)| (key, None, Some(new))));
    differences.sort_by(|a, b| a.0.cmp(&b.0));
    differences
        .into_iter()
        .map(|((about, what), old, new)| Difference {
            about,
            what,
            old,
            new,
        })
        .collect()
}

fn sayings(policy: &Policy) -> Sayings {
    let parts = &policy.parts;
    let mut all = Sayings::new();
    let origin = Origin::builtin(&parts.name);
    for (limit, value, origin) in parts.ceiling.iter() {
        let key = ("policy".to_owned(), format!("limits {limit}"));
        all.insert(key, (value.to_string(), origin.clone()));
    }
    for section in ["mounts", "programs", "schemas"] {
        let fields = parts.canonical.get(section).and_then(|it| it.as_object());
        for (name, value) in fields.into_iter().flatten() {
            let key = ("policy".to_owned(), format!("{section} {name}"));
            all.insert(key, (value.to_string(), origin.clone()));
        }
    }
    let loads = parts.canonical.get("admission");
    for load in loads
        .and_then(|loads| loads.as_array())
        .into_iter()
        .flatten()
    {
        let key = ("policy".to_owned(), format!("admission {load}"));
        all.insert(key, (String::new(), origin.clone()));
    }
    for rule in &parts.rules {
        for tool in &rule.tools {
            let about = format!("{tool}{}", whose(rule));
            said_by(rule, &about, &mut all);
        }
    }
    all
}

/// The conditions of a rule beside its tools.
fn whose(rule: &Rule) -> String {
    let callers = rule.callers.as_ref();
    let callers = callers.map(|callers| format!(" for {}", callers.to_json()));
    let until = rule.until.map(|until| format!(" until {until}"));
    callers.into_iter().chain(until).collect()
}

fn said_by(rule: &Rule, about: &str, all: &mut Sayings) {
    let mut say = |what: String, value: &str, origin: &Origin| {
        all.entry((about.to_owned(), what))
            .or_insert_with(|| (value.to_owned(), origin.clone()));
    };
    for body in rule.bodies(None) {
        said_in(body, "", &mut say);
    }
    for profile in &rule.environments {
        let within = format!("environment {} ", profile.name);
        say(within.trim_end().to_owned(), "", &rule.origin);
        said_in(&profile.body, &within, &mut say);
    }
    if rule.asks {
        say("approval ask".to_owned(), "", &rule.origin);
    }
    if let Some(safety) = &rule.safety {
        say(format!("safety {}", demanded(*safety)), "", &rule.origin);
    }
    for body in rule.bodies(None) {
        narrow(about, "", body, all);
    }
    for profile in &rule.environments {
        let within = format!("environment {} ", profile.name);
        narrow(about, &within, &profile.body, all);
    }
}

/// Demands as a policy writes them, short of those that demand nothing.
fn demanded(safety: Safety) -> Json {
    let nothing = json!(Safety::default());
    let mut demands = json!(safety);
    if let Some(demands) = demands.as_object_mut() {
        demands.retain(|key, demand| nothing.get(key.as_str()) != Some(demand));
    }
    demands
}

fn said_in(body: &Body, within: &str, say: &mut impl FnMut(String, &str, &Origin)) {
    for entry in &body.written {
        let (side, word) = (entry.side.as_str(), entry.capability);
        say(
            format!("{within}{side} {word} {}", entry.entry),
            "",
            &entry.origin,
        );
    }
    if body.lets_run {
        let origin = body.written.first().map(|entry| &entry.origin);
        say(
            format!("{within}allow {CALL}"),
            "",
            origin.unwrap_or(&Origin::builtin("allow")),
        );
    }
    if let Some(origin) = &body.denies_call {
        say(format!("{within}deny {CALL}"), "", origin);
    }
}

/// Of several limits for the same calls the smallest counts.
fn narrow(about: &str, within: &str, body: &Body, all: &mut Sayings) {
    let Some(Located {
        value: limits,
        origin,
    }) = &body.limits
    else {
        return;
    };
    for (word, value) in LIMITS.into_iter().zip(limits.values()) {
        let Some(value) = value else { continue };
        let key = (about.to_owned(), format!("{within}limits {word}"));
        let known = all
            .get(&key)
            .and_then(|(known, _)| known.parse::<u64>().ok());
        if known.is_none_or(|known| value < known) {
            all.insert(key, (value.to_string(), origin.clone()));
        }
    }
}

#[cfg(test)]
mod tests;
