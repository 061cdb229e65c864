//! What is allowed in a policy but probably not meant.

use std::collections::BTreeSet;

use cofferdam_types::Timestamp;

use crate::origin::Origin;
use crate::permissions::{Side, Written};
use crate::policy::Policy;
use crate::profile::ISOLATED;
use crate::rule::Rule;
use crate::selector::Selector;

/// One thing that deserves a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where it stands.
    pub origin: Origin,
    /// What it is, in a sentence.
    pub text: String,
}

/// Grants that no outsider profits from.
const HARMLESS: [&str; 2] = ["clocks", "random"];

/// Looks a policy through as it is `now`. The warnings come in the order of the file, each once.
pub fn lint(policy: &Policy, now: Timestamp) -> Vec<Warning> {
    let parts = &policy.parts;
    let mut warnings = Vec::new();
    for profile in parts.profiles.values() {
        warnings.extend(dangers(&profile.body.written));
    }
    for rule in &parts.rules {
        warnings.extend(dangers(&rule.body.written));
        warnings.extend(reach(rule));
        warnings.extend(idle(rule));
        warnings.extend(over(rule, now));
        warnings.extend(dead(rule, &parts.rules));
    }
    let dangers = parts.mounts.dangers().into_iter();
    let file = parts.file.clone();
    let whole = Origin {
        rule: parts.name.clone(),
        line: u32::from(file.is_some()),
        file,
    };
    let about = |text: String| Warning {
        origin: whole.clone(),
        text,
    };
    warnings.extend(dangers.map(about));
    warnings.extend(unused(policy).into_iter().map(about));
    warnings.sort_by(|a, b| (a.origin.line, &a.text).cmp(&(b.origin.line, &b.text)));
    // An address that is written once can be a danger in two ways, of which people see one.
    warnings.dedup();
    warnings
}

fn dangers(written: &[Written]) -> impl Iterator<Item = Warning> {
    written.iter().flat_map(|entry| {
        entry.dangers.iter().map(|text| Warning {
            origin: entry.origin.clone(),
            text: format!("{}: {text}", entry.capability),
        })
    })
}

/// Rules that give something to tools which nobody has looked at.
fn reach(rule: &Rule) -> Option<Warning> {
    let given: BTreeSet<_> = rule
        .bodies(None)
        .flat_map(|body| &body.written)
        .filter(|entry| entry.side == Side::Allow && !HARMLESS.contains(&entry.capability))
        .map(|entry| entry.capability)
        .collect();
    let open = rule.tools.iter().find(|tool| tool.is_open())?;
    if given.is_empty() {
        return None;
    }
    let given = given.into_iter().collect::<Vec<_>>().join(", ");
    let whom = match open {
        Selector::Any => "every tool, those published later included".to_owned(),
        Selector::Name(glob, _) if glob.exact().is_some() => {
            format!("every version of `{open}`, later ones included; add a range after `@`")
        }
        Selector::Name(_, _) => {
            format!("every tool that is called like `{open}`, whoever publishes it")
        }
        Selector::Owner(_) | Selector::Tag(_) | Selector::Import(_) | Selector::Digest(_) => {
            format!("every tool of `{open}`, those published later included")
        }
    };
    Some(Warning {
        origin: rule.origin.clone(),
        text: format!("gives {given} to {whom}"),
    })
}

/// Rules that can't be about any call, or say nothing about it.
fn idle(rule: &Rule) -> Option<Warning> {
    let nobody = |set: Option<usize>| set == Some(0);
    let callers = rule.callers.as_ref();
    let text = if rule.tools.is_empty() {
        "its `tools` are empty, so it is about no tool"
    } else if callers.is_some_and(|callers| {
        nobody(callers.agents.as_ref().map(BTreeSet::len))
            || nobody(callers.roles.as_ref().map(Vec::len))
            || nobody(callers.tenants.as_ref().map(BTreeSet::len))
            || nobody(callers.principals.as_ref().map(BTreeSet::len))
    }) {
        "one of its `callers` lists is empty, so it is about nobody's calls"
    } else if says_nothing(rule) {
        "it says nothing: no allow, deny, use, limits, safety or approval"
    } else {
        return None;
    };
    Some(Warning {
        origin: rule.origin.clone(),
        text: text.to_owned(),
    })
}

/// Rules whose time is over.
fn over(rule: &Rule, now: Timestamp) -> Option<Warning> {
    let until = rule.until.filter(|until| *until <= now)?;
    Some(Warning {
        origin: rule.origin.clone(),
        text: format!("it held until {until} and has no say any more"),
    })
}

fn says_nothing(rule: &Rule) -> bool {
    let body = &rule.body;
    !body.lets_run
        && body.denies_call.is_none()
        && body.written.is_empty()
        && body.limits.is_none()
        && rule.uses.is_empty()
        && rule.environments.is_empty()
        && rule.safety.is_none()
        && !rule.asks
}

/// Allows that a deny takes away wherever they hold.
fn dead(rule: &Rule, rules: &[Rule]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let above = rules.iter().filter(|other| is_about_all_of(other, rule));
    for other in above {
        let by = &other.origin;
        if rule.body.lets_run && other.bodies(None).any(|body| body.denies_call.is_some()) {
            warnings.push(Warning {
                origin: rule.origin.clone(),
                text: format!("it allows nothing: {by} denies every call it is about"),
            });
        }
        let denies: Vec<_> = other
            .bodies(None)
            .flat_map(|body| &body.written)
            .filter(|entry| entry.side == Side::Deny)
            .collect();
        let allows = rule.body.written.iter();
        for allow in allows.filter(|entry| entry.side == Side::Allow) {
            let denies_it = |deny: &&&Written| {
                deny.capability == allow.capability && is_everything(&deny.entry)
            };
            if let Some(deny) = denies.iter().find(denies_it) {
                let word = allow.capability;
                warnings.push(Warning {
                    origin: allow.origin.clone(),
                    text: format!("it allows nothing: {} denies all of {word}", deny.origin),
                });
            }
        }
    }
    warnings
}

/// An entry that says nothing below `deny` is about everything.
fn is_everything(entry: &serde_json::Value) -> bool {
    entry.as_object().is_some_and(serde_json::Map::is_empty) || entry == "any"
}

/// Whether `other` has a say in every call in which `rule` has one, as far as that can be told
/// without looking at tools.
fn is_about_all_of(other: &Rule, rule: &Rule) -> bool {
    let tools = rule.tools.iter().all(|tool| {
        other.tools.iter().any(|wider| match (wider, tool) {
            (Selector::Any, _) => true,
            (Selector::Name(glob, None), Selector::Name(name, _)) => {
                name.exact().is_some_and(|name| glob.matches(name)) || glob == name
            }
            (wider, tool) => wider == tool,
        })
    });
    let callers = other.callers.is_none() || other.callers == rule.callers;
    let time = other.until.is_none() || other.until >= rule.until && rule.until.is_some();
    tools && callers && time && !rule.tools.is_empty()
}

/// What is defined and never named.
fn unused(policy: &Policy) -> Vec<String> {
    let parts = &policy.parts;
    let bodies = parts.profiles.values().map(|profile| &profile.body);
    let bodies = bodies.chain(parts.rules.iter().map(|rule| &rule.body));
    let entries: Vec<_> = bodies.flat_map(|body| &body.written).collect();
    let is_named = |capability: &str, name: &str| {
        let mut of = entries
            .iter()
            .filter(|entry| entry.capability == capability);
        of.any(|entry| mentions(&entry.entry, name))
    };
    let mut texts = Vec::new();
    for (name, _) in parts.mounts.iter() {
        let name = name.as_str();
        if !is_named("filesystem", name) && !is_named("subprocess", name) {
            texts.push(format!("the mount `{name}` is in no rule"));
        }
    }
    for name in parts.programs.keys() {
        if !is_named("subprocess", name) {
            texts.push(format!("the program `{name}` is in no rule"));
        }
    }
    let named: BTreeSet<_> = parts
        .rules
        .iter()
        .flat_map(|rule| rule.uses.iter().chain(&rule.environments))
        .map(|profile| profile.name.as_str())
        .collect();
    for name in parts.profiles.keys() {
        if name != ISOLATED && !named.contains(name.as_str()) {
            texts.push(format!("the profile `{name}` is in no rule"));
        }
    }
    texts
}

fn mentions(entry: &serde_json::Value, name: &str) -> bool {
    match entry {
        serde_json::Value::String(text) => text == name,
        serde_json::Value::Array(items) => items.iter().any(|item| mentions(item, name)),
        serde_json::Value::Object(fields) => fields
            .iter()
            .any(|(key, value)| key == name || mentions(value, name)),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
