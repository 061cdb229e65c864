use cofferdam_policy::{Grant, Policy, Recorded, Request, Subject, Unkept};
use cofferdam_registry::Entry;
use cofferdam_types::audit::{AuditRecord, CallAct};
use cofferdam_types::caller::{Caller, Role};
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::Capability;
use cofferdam_types::workspace::{Access, Offer, Place};
use cofferdam_types::{CallId, Digest, Timestamp};

use crate::decide::subject;

/// How the audit names a workspace that was granted.
const WORKSPACE: &str = "filesystem:workspace:";

/// What a policy says to a call of which not everything is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    /// It depends on what isn't known.
    Unknown,
}

/// What is known of a call.
#[derive(Clone)]
pub(super) struct Past<'p> {
    pub(super) call_id: CallId,
    /// `http-fetch@1.2.0`.
    pub(super) tool: String,
    pub(super) policy_digest: Option<Digest>,
    subject: Subject<'p>,
    /// One for each role that may have made it.
    callers: Vec<Caller>,
    agent: Option<String>,
    workspace: Option<Offer>,
    at: Timestamp,
}

impl<'p> Past<'p> {
    pub(super) fn of(record: &AuditRecord, call: &CallAct, entry: &'p Entry) -> Self {
        let own = Caller::local();
        let roles: &[Role] = if record.actor == own.principal {
            &[own.role]
        } else {
            // Those that may call tools.
            &[Role::User, Role::Author, Role::Admin]
        };
        let caller = |role: &Role| Caller {
            principal: record.actor.clone(),
            role: *role,
            tenant: record.tenant.clone(),
        };
        let identity = entry.identity();
        Self {
            call_id: call.call_id,
            tool: format!("{}@{}", identity.name, identity.version),
            policy_digest: call.policy_digest,
            subject: subject(entry),
            callers: roles.iter().map(caller).collect(),
            agent: call.agent.clone(),
            workspace: offer(call, entry),
            at: record.at,
        }
    }

    /// Whether the call would be allowed.
    pub(super) fn call(&self, policy: &Policy) -> Answer {
        self.ask(policy, true, |grant| grant.is_some())
    }

    /// Whether a use of it would.
    pub(super) fn used(&self, policy: &Policy, recorded: &Recorded) -> Answer {
        let is_whole = matches!(recorded, Recorded::Whole(_));
        self.ask(policy, is_whole, |grant| {
            grant.is_some_and(|grant| recorded.used().explain(grant).decision.is_ok())
        })
    }

    /// What can be said of a use of which only the capability is known: that it is denied where
    /// nothing of it is granted.
    pub(super) fn anything_of(&self, policy: &Policy, capability: &str) -> Answer {
        let has = |word: &String| word.split(':').next() == Some(capability);
        let any = self.ask(policy, true, |grant| {
            grant.is_some_and(|grant| grant.words().iter().any(has))
        });
        match any {
            Answer::No => Answer::No,
            Answer::Yes | Answer::Unknown => Answer::Unknown,
        }
    }

    /// What all callers who may have made it are told alike. A refusal counts when it is certain:
    /// when neither the arguments nor, with `is_whole`, the question could have said more.
    fn ask(&self, policy: &Policy, is_whole: bool, ask: impl Fn(Option<&Grant>) -> bool) -> Answer {
        let mut answers = self.callers.iter().map(|caller| {
            let limits = LimitRequest::default();
            let request = Request {
                agent: self.agent.as_deref(),
                workspace: self.workspace.as_ref(),
                now: self.at,
                ..Request::bare(caller, &limits)
            };
            let Unkept { arguments, profile } = policy.unkept(&self.subject, &request);
            let grant = policy.decide(&self.subject, &request).ok();
            match ask(grant.as_ref()) {
                _ if profile => Answer::Unknown,
                // Arguments that are absent leave an allow the least.
                true => Answer::Yes,
                false if arguments || !is_whole => Answer::Unknown,
                false => Answer::No,
            }
        });
        let first = answers.next().unwrap_or(Answer::Unknown);
        if answers.all(|answer| answer == first) {
            first
        } else {
            Answer::Unknown
        }
    }
}

/// The workspace that the call offered, by what it was granted of it; as much as the tool needs where
/// nothing was granted at all.
fn offer(call: &CallAct, entry: &Entry) -> Option<Offer> {
    let granted = call
        .granted
        .iter()
        .find_map(|word| word.strip_prefix(WORKSPACE));
    let needed = entry
        .record()
        .spec
        .capabilities
        .iter()
        .find_map(|own| match own {
            Capability::Workspace { access, .. } => Some(*access),
            _ => None,
        });
    let access = match granted {
        Some(word) if word == Access::ReadWrite.as_str() => Access::ReadWrite,
        Some(_) => Access::ReadOnly,
        None if call.granted.is_empty() => needed?,
        None => return None,
    };
    Some(Offer {
        place: Place::Named("workspace".parse().ok()?),
        access,
    })
}
