//! What the policy says of a call, and how a later policy reaches it.

use std::sync::Arc;

use cofferdam_policy::{Carried, Delegation, Format, Grant, Kind, Party, Policy, Request, Subject};
use cofferdam_registry::Entry;
use cofferdam_types::call::{Denial, ToolCall};
use cofferdam_types::tool::Contract;
use cofferdam_types::{Code, Failure, Payload, Timestamp};

use crate::nested::Above;
use crate::policies::{Listed, Policies, Ruling, Running};
use crate::toolbox::Toolbox;

/// A call that may run.
pub(crate) struct Decided<'a> {
    pub(crate) grant: Arc<Grant>,
    /// What decided.
    pub(crate) ruling: Arc<Ruling>,
    /// Where a later policy finds it.
    pub(crate) listed: Listed<'a>,
}

/// Why a call may not run.
pub(crate) enum Refusal {
    /// The policy doesn't allow it.
    Denied(Vec<Denial>),
    /// What somebody passes on can't be read.
    Malformed(Failure),
}

impl Toolbox {
    /// Decides about a call under the policy in force, which `under` then names, and lists it for
    /// the next.
    pub(crate) fn decided(
        &self,
        entry: &Arc<Entry>,
        call: &Arc<ToolCall>,
        above: Option<&Above>,
        under: &mut Option<Arc<Ruling>>,
    ) -> Result<Decided<'_>, Refusal> {
        let now = self.parts.ambient.now();
        self.policies.decided(entry, call, above, now, under)
    }

    /// What `ask` makes of a call, which it gets as policies see it.
    ///
    /// **Errors**: when what somebody passes on can't be read.
    pub(crate) fn ask<T>(
        &self,
        entry: &Entry,
        call: &ToolCall,
        ask: impl FnOnce(&Subject<'_>, &Request<'_>) -> T,
    ) -> Result<T, Failure> {
        asked(entry, call, self.parts.ambient.now(), ask)
    }
}

impl Policies {
    /// As [`Toolbox::decided`]. One policy decides all of a call: the one that `under` names.
    pub(crate) fn decided(
        &self,
        entry: &Arc<Entry>,
        call: &Arc<ToolCall>,
        above: Option<&Above>,
        now: Timestamp,
        under: &mut Option<Arc<Ruling>>,
    ) -> Result<Decided<'_>, Refusal> {
        let (grant, ruling, listed) = self.list(|ruling| {
            *under = Some(ruling.clone());
            let grant = grant(&ruling.policy, entry, call, above, now)?;
            Ok(Running {
                call: call.clone(),
                entry: entry.clone(),
                grant: Arc::new(grant),
                above: above.cloned(),
            })
        })?;
        Ok(Decided {
            grant,
            ruling,
            listed,
        })
    }

    /// Puts the policy in force that `read` gives, and takes from every call under way what it
    /// doesn't grant. Answers what was in force, and what is.
    ///
    /// **Errors**: those of `read`, and then the policy in force stays.
    pub(crate) fn enforce<E>(
        &self,
        read: impl FnOnce() -> Result<Policy, E>,
        now: Timestamp,
    ) -> Result<(Arc<Ruling>, Arc<Ruling>), E> {
        self.replace(read, |policy, running| {
            let Running {
                entry, call, above, ..
            } = running;
            let grant = grant(policy, entry, call, above.as_ref(), now);
            // Whatever stands in the way takes everything away.
            Arc::new(grant.unwrap_or_else(|_| policy.nothing(&subject(entry))))
        })
    }
}

/// What `policy` grants to a call; below another, no more than that one may do now.
fn grant(
    policy: &Policy,
    entry: &Entry,
    call: &ToolCall,
    above: Option<&Above>,
    now: Timestamp,
) -> Result<Grant, Refusal> {
    let grant = asked(entry, call, now, |subject, request| {
        policy.decide(subject, request)
    });
    let grant = grant
        .map_err(Refusal::Malformed)?
        .map_err(Refusal::Denied)?;
    match above {
        None => Ok(grant),
        Some(above) => above.short_of(grant, entry).map_err(Refusal::Denied),
    }
}

fn asked<T>(
    entry: &Entry,
    call: &ToolCall,
    now: Timestamp,
    ask: impl FnOnce(&Subject<'_>, &Request<'_>) -> T,
) -> Result<T, Failure> {
    let authority = &call.authority;
    let delegations = [
        (Party::Agent, &authority.agent_carries),
        (Party::Task, &authority.task_carries),
        (Party::Caller, &authority.caller_delegates),
    ];
    let delegations: Vec<(Party, Delegation)> = delegations
        .into_iter()
        .filter_map(|(party, carries)| carries.as_ref().map(|carries| (party, carries)))
        .map(|(party, carries)| Ok((party, delegation(party, carries)?)))
        .collect::<Result<_, Failure>>()?;
    let layers: Vec<Carried<'_>> = delegations
        .iter()
        .map(|(party, delegation)| Carried {
            party: *party,
            delegation,
        })
        .collect();
    let request = Request {
        caller: &call.caller,
        agent: authority.agent.as_deref(),
        environment: authority.environment.as_deref(),
        workspace: call.workspace.as_ref(),
        limits: &call.limits,
        layers: &layers,
        arguments: call.arguments.as_value(),
        now,
    };
    Ok(ask(&subject(entry), &request))
}

/// A tool as policies see it.
pub fn subject(entry: &Entry) -> Subject<'_> {
    let record = entry.record();
    Subject {
        digest: entry.identity().digest,
        spec: &record.spec,
        owner: Some(&record.created_by),
        imports: &record.imports,
        kind: match record.contract {
            Contract::Declared => Kind::Declared,
            Contract::Derived => Kind::Plain,
        },
    }
}

fn delegation(party: Party, carries: &Payload) -> Result<Delegation, Failure> {
    let bearer = format!("what the {} carries", party.as_str());
    Delegation::parse(carries.to_string().as_bytes(), Format::Json, &bearer)
        .map_err(|error| Failure::new(Code::InvalidInput, error.to_string()))
}

#[cfg(test)]
mod tests;
