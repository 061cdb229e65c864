//! What every capability tells the policy about itself; one file for each that is below here.
//!
//! A capability is a [`Pattern`] for the algebra of allows and denies, an entry that people write
//! in a policy file, and the sentences of its denials. The sandbox asks [`crate::Grant`] at every
//! use and shows the guest nothing that the answer doesn't cover.

pub mod clocks;
pub mod environment;
pub mod filesystem;
pub mod key_value;
pub mod network;
pub mod random;
pub mod secrets;
pub mod sockets;
pub mod subprocess;
pub mod tool_call;

mod argument;

pub use argument::Argument;

use cofferdam_types::call::{Denial, DenialCode};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::grant::Grant;
use crate::slice::{Party, Pattern, Refused, Slice};

/// A capability that policy files can grant.
pub trait Capability: Pattern + Clone {
    /// The key below `allow` and `deny` in a policy file, and the word in denials and the audit.
    const NAME: &'static str;

    /// This capability's part of a grant.
    fn slice(grant: &Grant) -> &Slice<Self>;

    /// What one grant says of a use. Ask [`Grant::decide`] instead, which hears a later policy too.
    ///
    /// **Errors**: the denial, for whoever may read policy.
    fn decide(grant: &Grant, ask: &Self::Ask) -> Result<Self::Caps, Denial> {
        match Self::slice(grant).decide(ask) {
            Ok(allowed) => Ok(allowed.caps),
            Err(refused) => Err(denial::<Self>(&grant.subject, &grant.policy, refused, ask)),
        }
    }

    /// One entry as people write it. Unknown keys are refused.
    type Entry: DeserializeOwned + JsonSchema;

    /// What an entry below `allow` covers. Keys that are left out mean the narrowest useful thing.
    ///
    /// **Errors**: a [`Fault`], with the pointer of what is wrong inside the entry.
    fn allow(entry: Self::Entry) -> Result<Self, Fault>;

    /// What an entry below `deny` covers. Keys that are left out mean everything.
    ///
    /// **Errors**: as [`Self::allow`].
    fn deny(entry: Self::Entry) -> Result<Self, Fault>;

    /// This entry for one call: where it says that arguments narrow it, with their values. `None`
    /// when they leave nothing, as when the argument is absent or not of the form it needs.
    /// `arguments` is the call's JSON object.
    fn bound(&self, arguments: &serde_json::Value) -> Option<Self>;

    /// Whether [`Self::bound`] depends on the arguments at all.
    fn is_bound_by_arguments(&self) -> bool;

    /// What gives more than it seems to, for whoever checks the policy. One sentence each.
    fn dangers(&self) -> Vec<String>;

    /// Why a use is refused that no rule allows: that none does, unless there is more to say.
    fn ungranted(_: &Self::Ask) -> DenialCode {
        DenialCode::NotGranted
    }

    /// What was to be done, in one word: `read`, `connect`.
    fn operation(ask: &Self::Ask) -> String;

    /// To what, short, without anything that may be a secret (no query of a URL, no argument).
    fn resource(ask: &Self::Ask) -> String;

    /// The smallest entry that allows this use and nothing else, as YAML of one line:
    /// `{host: api.example.org, methods: [GET], paths: [/v1/items]}`.
    fn smallest(ask: &Self::Ask) -> String;
}

/// What is wrong with an entry of a policy file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct Fault {
    /// Where inside the entry, as a JSON pointer: `/paths/0`; empty for the entry as a whole.
    pub pointer: String,
    /// Why, for whoever wrote it.
    pub reason: String,
}

impl Fault {
    /// At a place inside an entry.
    pub fn at(pointer: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            reason: reason.into(),
        }
    }
}

/// The denial of a use that the tool doesn't declare: no rule could give it.
pub(crate) fn undeclared<C: Capability>(ask: &C::Ask) -> Denial {
    let name = C::NAME;
    Denial {
        capability: name.to_owned(),
        operation: C::operation(ask),
        resource: C::resource(ask),
        code: DenialCode::NotDeclared,
        rule: "declared capabilities".to_owned(),
        file: None,
        line: None,
        reason: format!("the tool does not declare `{name}`"),
        smallest_grant: "the tool declares the capability".to_owned(),
    }
}

/// The denial of one use to the tool `subject` (`http-fetch@1.2.0`).
pub(crate) fn denial<C: Capability>(
    subject: &str,
    policy: &str,
    refused: Refused<'_>,
    ask: &C::Ask,
) -> Denial {
    let (operation, resource) = (C::operation(ask), C::resource(ask));
    let name = C::NAME;
    let patch = || {
        format!(
            "rules:\n  - tools: [\"{subject}\"]\n    allow:\n      {name}:\n        - {}\n",
            C::smallest(ask)
        )
    };
    let mut denial = Denial {
        capability: name.to_owned(),
        code: DenialCode::NotGranted,
        rule: format!("{policy}/default"),
        file: None,
        line: None,
        reason: format!("no rule lets `{subject}` {operation} {resource}"),
        smallest_grant: String::new(),
        operation,
        resource,
    };
    match refused {
        Refused::NotGranted(Party::Policy) => {
            denial.code = C::ungranted(ask);
            denial.smallest_grant = patch();
        }
        Refused::NotGranted(party) => {
            let party = party.as_str();
            denial.code = DenialCode::NotDelegated;
            denial.rule = format!("what the {party} carries");
            denial.reason = format!("the {party} does not pass this on to the call");
            denial.smallest_grant = format!("the {party} carries {name}: [{}]", C::smallest(ask));
        }
        Refused::Denied(origin) => {
            denial.code = DenialCode::Denied;
            denial.rule = origin.rule.to_string();
            denial.file = origin.file.as_ref().map(|file| file.display().to_string());
            denial.line = origin.file.is_some().then_some(origin.line);
            denial.reason = format!("rule `{}` denies it", origin.rule);
            denial.smallest_grant = format!(
                "rule `{}` without this deny; allows do not lift it",
                origin.rule
            );
        }
    }
    denial
}
