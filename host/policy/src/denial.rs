//! The denials of a decision, each with its sentence: one place that knows how they read.

use std::path::Path;

use cofferdam_types::call::{Denial, DenialCode};
use cofferdam_types::workspace::{Access, Offer, Place};

use crate::decision::Request;
use crate::origin::Origin;
use crate::policy::Policy;
use crate::profile::ISOLATED;

/// How a patch begins.
pub(crate) const RULES: &str = "rules:\n";
/// The word of denials that are about the call as such.
pub(crate) const TOOL: &str = "tool";

fn about(capability: &str, operation: &str, resource: &str, code: DenialCode) -> Denial {
    Denial {
        capability: capability.to_owned(),
        operation: operation.to_owned(),
        resource: resource.to_owned(),
        code,
        rule: String::new(),
        file: None,
        line: None,
        reason: String::new(),
        smallest_grant: String::new(),
    }
}

fn default_rule(policy: &Policy) -> String {
    format!("{}/default", policy.name())
}

fn by(origin: &Origin, denial: Denial) -> Denial {
    Denial {
        rule: origin.rule.to_string(),
        file: origin.file.as_ref().map(|file| file.display().to_string()),
        line: origin.file.is_some().then_some(origin.line),
        ..denial
    }
}

/// A rule that lets a tool run and use what `allow` says, as YAML.
pub(crate) fn patch(subject: &str, allow: &str) -> String {
    format!("{RULES}  - tools: [\"{subject}\"]\n    allow:{allow}\n")
}

/// What to add to a policy so that none of these denials remain, as YAML: the smallest grants that
/// are rules, each once. Empty when none of them is one.
pub fn patch_of(denials: &[Denial]) -> String {
    let mut rules: Vec<&str> = denials
        .iter()
        .filter_map(|denial| denial.smallest_grant.strip_prefix(RULES))
        .collect();
    rules.sort_unstable();
    rules.dedup();
    if rules.is_empty() {
        String::new()
    } else {
        format!("{RULES}{}", rules.concat())
    }
}

pub(crate) fn not_allowed(policy: &Policy, subject: &str) -> Denial {
    Denial {
        rule: default_rule(policy),
        reason: format!("no rule that is about this call allows `{subject}`"),
        smallest_grant: patch(subject, " {}"),
        ..about(TOOL, "call", subject, DenialCode::NotGranted)
    }
}

pub(crate) fn call_denied(subject: &str, origin: &Origin) -> Denial {
    let denial = about(TOOL, "call", subject, DenialCode::Denied);
    let rule = &origin.rule;
    Denial {
        reason: format!("`{rule}` denies the call"),
        smallest_grant: format!(
            "`{rule}` without `call: true` below `deny`; allows do not lift it"
        ),
        ..by(origin, denial)
    }
}

pub(crate) fn not_listed(subject: &str, variable: &str) -> Denial {
    Denial {
        rule: variable.to_owned(),
        reason: format!("the variable {variable} of the host doesn't list `{subject}`"),
        smallest_grant: format!("{variable} with `{subject}` in it"),
        ..about(TOOL, "call", subject, DenialCode::Denied)
    }
}

pub(crate) fn unsafe_tool(subject: &str, origin: &Origin, reason: &str) -> Denial {
    let denial = about(TOOL, "call", subject, DenialCode::Denied);
    let rule = &origin.rule;
    Denial {
        reason: format!("{reason}, which `{rule}` doesn't take"),
        smallest_grant: format!("`{rule}` with a `safety` that takes this tool"),
        ..by(origin, denial)
    }
}

pub(crate) fn approval(subject: &str, origin: &Origin, reason: &str) -> Denial {
    let denial = about(TOOL, "call", subject, DenialCode::NeedsApproval);
    Denial {
        reason: reason.to_owned(),
        smallest_grant: "the agreement of a person to this call".to_owned(),
        ..by(origin, denial)
    }
}

pub(crate) fn schema(policy: &Policy, subject: &str, reason: String) -> Denial {
    Denial {
        rule: format!("{}/schemas", policy.name()),
        reason,
        smallest_grant: "larger `schemas` in the policy".to_owned(),
        ..about(TOOL, "call", subject, DenialCode::Malformed)
    }
}

pub(crate) fn unknown_profile(policy: &Policy, name: &str) -> Denial {
    Denial {
        rule: format!("{}/profiles", policy.name()),
        reason: format!("the policy has no profile `{name}`"),
        smallest_grant: format!("a profile `{name}`, or the environment `{ISOLATED}`"),
        ..about("profile", "use", name, DenialCode::UnknownProfile)
    }
}

pub(crate) fn profile_not_offered(policy: &Policy, name: &str) -> Denial {
    Denial {
        rule: default_rule(policy),
        reason: format!("no rule about this call offers the environment `{name}`"),
        smallest_grant: format!("`environments: [{name}]` in a rule about this call"),
        ..about("profile", "use", name, DenialCode::NotGranted)
    }
}

pub(crate) fn taken(subject: &str, word: &str, variable: &str) -> Denial {
    Denial {
        rule: variable.to_owned(),
        reason: format!("`{subject}` needs {word}, which {variable}=false takes from every tool"),
        smallest_grant: format!("a host without {variable}=false"),
        ..about(word, "use", "any", DenialCode::Denied)
    }
}

pub(crate) fn not_granted(policy: &Policy, subject: &str, words: &[&str]) -> Denial {
    let word = words.first().copied().unwrap_or_default();
    let declared = words.join("` or `");
    Denial {
        rule: default_rule(policy),
        reason: format!("the tool needs `{declared}`, of which no rule grants it anything"),
        smallest_grant: patch(subject, &format!("\n      {word}: [{}]", example(word))),
        ..about(word, "use", "any", DenialCode::NotGranted)
    }
}

/// An entry of a form that the capability takes, where what will be asked isn't known yet.
fn example(word: &str) -> &'static str {
    match word {
        "filesystem" => "{mount: workspace, rights: [read, list]}",
        "clocks" | "random" => "real",
        // `policy learn` finds out what the tool asks for.
        _ => "{…}",
    }
}

pub(crate) fn not_carried(
    policy: &Policy,
    subject: &str,
    words: &[&str],
    request: &Request<'_>,
) -> Denial {
    let word = words.first().copied().unwrap_or_default();
    let mut parties: Vec<_> = request.layers.iter().map(|it| it.party.as_str()).collect();
    parties.dedup();
    if parties.is_empty() {
        return Denial {
            code: DenialCode::Malformed,
            reason: format!("the arguments leave nothing of what the rules grant of `{word}`"),
            smallest_grant: "arguments that the rules for this tool can be narrowed by".to_owned(),
            ..not_granted(policy, subject, words)
        };
    }
    let parties = parties.join(" or the ");
    Denial {
        rule: format!("what the {parties} carries"),
        reason: format!("the {parties} passes nothing of `{word}` on to `{subject}`"),
        smallest_grant: format!("the {parties} carries an entry of `{word}`"),
        ..about(word, "use", "any", DenialCode::NotDelegated)
    }
}

fn workspace(policy: &Policy, needed: Access, resource: &str) -> Denial {
    let operation = match needed {
        Access::ReadOnly => "read",
        Access::ReadWrite => "write",
    };
    Denial {
        rule: format!("{}/workspace", policy.name()),
        smallest_grant: format!("a workspace offered as `{}`", needed.as_str()),
        ..about("workspace", operation, resource, DenialCode::NotOffered)
    }
}

pub(crate) fn no_workspace(policy: &Policy, needed: Access) -> Denial {
    Denial {
        reason: "the tool works on files and this call offers no workspace".to_owned(),
        ..workspace(policy, needed, "none")
    }
}

pub(crate) fn read_only(policy: &Policy, offer: &Offer) -> Denial {
    Denial {
        reason: "the tool changes files and this call offers its workspace read-only".to_owned(),
        ..workspace(policy, Access::ReadWrite, &name(&offer.place))
    }
}

pub(crate) fn directory(policy: &Policy, needed: Access, path: &Path) -> Denial {
    Denial {
        reason: "a server takes workspaces by name, never a path".to_owned(),
        ..workspace(policy, needed, &path.display().to_string())
    }
}

fn name(place: &Place) -> String {
    match place {
        Place::Named(name) => name.to_string(),
        Place::Directory(path) => path.display().to_string(),
    }
}
