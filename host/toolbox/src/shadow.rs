//! What would have gone another way under a candidate: the audit, replayed.
//!
//! The audit keeps of a call its tool, its caller, the agent, and what it used and was refused. It
//! keeps neither the arguments nor the caller's role nor what was delegated. Where the candidate's
//! answer depends on that, or the policy in force would not answer again what it answered then, the
//! call counts as undecidable and nothing is claimed of it.

mod answer;
mod tally;

use std::collections::HashMap;

use cofferdam_policy::{Policy, Recorded};
use cofferdam_registry::Entry;
use cofferdam_types::audit::{Act, AuditRecord, CallAct};
use cofferdam_types::call::{Denial, DenialCode, Usage, Use};
use cofferdam_types::caller::Caller;
use cofferdam_types::tool::Identity;
use cofferdam_types::{CallId, Code, Failure, Timestamp};
use std::sync::Arc;

use self::answer::{Answer, Past};
use self::tally::Tally;
pub use self::tally::{Shadow, Shift};
use crate::audit::unreadable;
use crate::call::RECORD_USES_MAX;
use crate::toolbox::Toolbox;

/// Calls remembered whose uses go on in records of their own, which follow soon. Reached, the oldest
/// are forgotten with the rest, and their further uses are not looked at.
const OPEN_MAX: usize = 1_024;

impl Toolbox {
    /// Replays the audit of the caller's tenant since a time against a candidate.
    ///
    /// **Errors**: `unavailable` when the audit can't be read.
    pub async fn shadow(
        &self,
        caller: &Caller,
        candidate: &Policy,
        since: Timestamp,
    ) -> Result<Shadow, Failure> {
        let entries = self.tools(caller).await?;
        let audit = &self.parts.audit;
        let from = audit.since(since).await.map_err(unreadable)?;
        let export = audit.export(&caller.tenant, Some(from), None).await;
        let mut export = export.map_err(unreadable)?;
        let ruling = self.ruling();
        let mut replay = Replay::new(candidate, &ruling.policy, &entries);
        loop {
            let lines = export.next().await.map_err(unreadable)?;
            if lines.is_empty() {
                return Ok(replay.tally.finish());
            }
            for text in lines.into_iter().filter_map(|line| line.record) {
                if let Ok(record) = serde_json::from_str(&text) {
                    replay.record(&record);
                }
            }
        }
    }
}

/// Goes through records in their order.
struct Replay<'p> {
    candidate: &'p Policy,
    in_force: &'p Policy,
    entries: HashMap<&'p Identity, &'p Entry>,
    /// Calls whose record had no room for more uses.
    open: HashMap<CallId, Past<'p>>,
    tally: Tally,
}

impl<'p> Replay<'p> {
    fn new(candidate: &'p Policy, in_force: &'p Policy, entries: &'p [Arc<Entry>]) -> Self {
        let entries = entries.iter().map(|entry| (entry.identity(), &**entry));
        Self {
            candidate,
            in_force,
            entries: entries.collect(),
            open: HashMap::new(),
            tally: Tally::default(),
        }
    }

    fn record(&mut self, record: &AuditRecord) {
        match &record.act {
            Act::Call(call) => self.call(record, call),
            Act::Uses { call_id, uses, .. } => {
                if let Some(past) = self.open.get(call_id) {
                    let past = past.clone();
                    let is_certain = self.uses(&past, uses);
                    self.tally.doubt(&past, is_certain);
                }
            }
            _ => {}
        }
    }

    fn call(&mut self, record: &AuditRecord, call: &CallAct) {
        // A tool that was not found, and a request that could not be read, are no policy's matter.
        let Some(identity) = &call.tool else { return };
        if call.code == Some(Code::InvalidInput) && call.granted.is_empty() {
            return;
        }
        self.tally.calls += 1;
        let Some(entry) = self.entries.get(identity) else {
            self.tally.undecidable += 1;
            return;
        };
        let past = Past::of(record, call, entry);
        let was_denied = call.code == Some(Code::PolicyDenied) && call.usage == Usage::default();
        let now = past.call(self.candidate);
        let was = if was_denied { Answer::No } else { Answer::Yes };
        let is_certain = match (was, now) {
            _ if self.contradicts(&past, was, Past::call) => false,
            (_, Answer::Unknown) => false,
            (Answer::Yes, Answer::No) => {
                self.tally.denied(&past, "tool", "call", &past.tool, 1);
                true
            }
            // What the call itself lacked, no policy gives it.
            (Answer::No, Answer::Yes) if !call.denials.iter().all(|it| is_policys(&it.denial)) => {
                false
            }
            (Answer::No, Answer::Yes) => {
                self.tally.allowed(&past, "tool", "call", &past.tool, 1);
                true
            }
            (Answer::Yes, Answer::Yes) => self.within(&past, call),
            _ => true,
        };
        self.tally.doubt(&past, is_certain);
        if call.uses.len() >= RECORD_USES_MAX {
            if self.open.len() >= OPEN_MAX {
                self.open.clear();
            }
            self.open.insert(call.call_id, past);
        }
    }

    /// What a call used and was refused that was allowed and still is. False when some of it can't be
    /// decided.
    fn within(&mut self, past: &Past<'p>, call: &CallAct) -> bool {
        let mut is_certain = call.uses_dropped == 0 && call.denials_dropped == 0;
        is_certain &= self.uses(past, &call.uses);
        for counted in &call.denials {
            let denial = &counted.denial;
            if !is_policys(denial) {
                continue;
            }
            let (capability, operation, resource) =
                (&*denial.capability, &*denial.operation, &*denial.resource);
            match self.used(past, Answer::No, capability, operation, resource) {
                Answer::No => {}
                Answer::Unknown => is_certain = false,
                Answer::Yes => {
                    self.tally
                        .allowed(past, capability, operation, resource, counted.count);
                }
            }
        }
        is_certain
    }

    /// Whether what was used would still be. False when some of it can't be decided.
    fn uses(&mut self, past: &Past<'p>, uses: &[Use]) -> bool {
        let mut is_certain = true;
        for used in uses {
            let Use {
                capability,
                operation,
                resource,
                count,
                ..
            } = used;
            match self.used(past, Answer::Yes, capability, operation, resource) {
                Answer::Yes => {}
                Answer::Unknown => is_certain = false,
                Answer::No => self
                    .tally
                    .denied(past, capability, operation, resource, *count),
            }
        }
        is_certain
    }

    /// What the candidate says of a use about which `was` was said.
    fn used(
        &self,
        past: &Past<'p>,
        was: Answer,
        capability: &str,
        operation: &str,
        resource: &str,
    ) -> Answer {
        let Some(recorded) = Recorded::read(capability, operation, resource) else {
            return past.anything_of(self.candidate, capability);
        };
        if self.contradicts(past, was, |past, policy| past.used(policy, &recorded)) {
            return Answer::Unknown;
        }
        past.used(self.candidate, &recorded)
    }

    /// Whether the policy that decided then, which is still in force, would say something else: then
    /// the record lacks what it went by.
    fn contradicts(
        &self,
        past: &Past<'p>,
        was: Answer,
        ask: impl FnOnce(&Past<'p>, &Policy) -> Answer,
    ) -> bool {
        past.policy_digest.as_ref() == Some(self.in_force.digest())
            && !matches!(
                (was, ask(past, self.in_force)),
                (_, Answer::Unknown) | (Answer::Yes, Answer::Yes) | (Answer::No, Answer::No)
            )
    }
}

/// Whether another policy could lift a denial.
fn is_policys(denial: &Denial) -> bool {
    match denial.code {
        DenialCode::NotGranted
        | DenialCode::Denied
        | DenialCode::ForbiddenAddress
        | DenialCode::UnknownProfile
        | DenialCode::NeedsApproval
        | DenialCode::Revoked => true,
        DenialCode::NotDeclared
        | DenialCode::NotDelegated
        | DenialCode::NotOffered
        | DenialCode::Malformed
        | DenialCode::Quota
        | DenialCode::Unconfinable => false,
    }
}

#[cfg(test)]
mod tests;
