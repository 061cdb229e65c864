//! What a policy comes to: whether each of some uses of every capability may be, and how much of it.

use std::sync::LazyLock;

use cofferdam_types::Digest;
use cofferdam_types::call::DenialCode;
use cofferdam_types::caller::{Caller, Role};
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::{Capability as Declared, ToolSpec};
use cofferdam_types::workspace::{Access, Offer, Place};
use serde_json::json;

use super::asks::{Asks, Visit};
use crate::slice::Caps;
use crate::testing::spec;
use crate::{Capability, Carried, Grant, Kind, Policy, Request, Subject};

static ASKS: LazyLock<Asks> = LazyLock::new(Asks::new);

/// The tool of these tests: it can do with every capability, and without each.
pub(super) fn tool() -> ToolSpec {
    let workspace = Declared::Workspace {
        access: Access::ReadWrite,
        optional: true,
    };
    let mut spec = spec(
        "fetch",
        vec![
            workspace,
            Declared::Network,
            Declared::Subprocess,
            Declared::Environment,
            Declared::Secret,
            Declared::KeyValue,
            Declared::ToolCall,
            Declared::Clocks,
            Declared::Random,
        ],
    );
    spec.tags = vec!["net".to_owned()];
    spec
}

/// What came of a decision; nothing when the call may not run.
#[derive(Debug)]
pub(super) struct Reach(Option<Grant>);

impl Reach {
    /// What a policy grants to a user's call of the tool, short of what these layers don't carry.
    pub(super) fn of(policy: &Policy, layers: &[Carried<'_>]) -> Self {
        let caller = Caller {
            role: Role::User,
            ..Caller::local()
        };
        let limits = LimitRequest::default();
        let spec = tool();
        let subject = Subject {
            kind: Kind::Plain,
            ..Subject::declared(Digest::of(b""), &spec)
        };
        let offer = Offer {
            place: Place::Named("w".parse().expect("a name")),
            access: Access::ReadWrite,
        };
        let arguments = json!({"url": "https://api.example.org/v1/items", "dir": "a"});
        let request = Request {
            layers,
            workspace: Some(&offer),
            arguments: &arguments,
            ..Request::bare(&caller, &limits)
        };
        Self(policy.decide(&subject, &request).ok())
    }

    /// Whether the call may run at all.
    pub(super) fn may_run(&self) -> bool {
        self.0.is_some()
    }

    /// How much memory it may use.
    pub(super) fn memory(&self) -> u64 {
        self.0
            .as_ref()
            .map_or(0, |grant| grant.limits().memory_bytes)
    }

    /// True when whatever is allowed here is allowed there, and as much of it.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(one), Some(other)) => {
                let mut within = Within {
                    one,
                    other,
                    holds: true,
                };
                ASKS.visit(&mut within);
                within.holds
            }
        }
    }

    /// True when the same is allowed here and there, in the same amounts and words.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let words = |reach: &Self| reach.0.as_ref().map(Grant::words);
        self.is_within(other)
            && other.is_within(self)
            && self.memory() == other.memory()
            && words(self) == words(other)
    }

    /// Each use that is asked about, by its capability, and why it may not be.
    pub(super) fn outcomes(&self) -> Vec<(&'static str, Option<DenialCode>)> {
        let mut outcomes = Outcomes {
            grant: self.0.as_ref(),
            found: Vec::new(),
        };
        ASKS.visit(&mut outcomes);
        outcomes.found
    }
}

struct Within<'a> {
    one: &'a Grant,
    other: &'a Grant,
    holds: bool,
}

impl Visit for Within<'_> {
    fn capability<C: Capability>(&mut self, asks: &[C::Ask])
    where
        C::Ask: Sized,
        C::Caps: PartialEq,
    {
        let holds = |ask: &C::Ask| match (self.one.decide::<C>(ask), self.other.decide::<C>(ask)) {
            (Err(_), _) => true,
            (Ok(_), Err(_)) => false,
            (Ok(less), Ok(more)) => less.widest(more.clone()) == more,
        };
        self.holds &= asks.iter().all(holds);
    }
}

struct Outcomes<'a> {
    grant: Option<&'a Grant>,
    found: Vec<(&'static str, Option<DenialCode>)>,
}

impl Visit for Outcomes<'_> {
    fn capability<C: Capability>(&mut self, asks: &[C::Ask])
    where
        C::Ask: Sized,
        C::Caps: PartialEq,
    {
        for ask in asks {
            let decided = self.grant.map(|grant| grant.decide::<C>(ask));
            let code = match decided {
                Some(decided) => decided.err().map(|denial| denial.code),
                None => Some(DenialCode::NotGranted),
            };
            self.found.push((C::NAME, code));
        }
    }
}
