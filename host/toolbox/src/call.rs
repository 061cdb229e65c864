use std::sync::Arc;
use std::time::Instant;

use cofferdam_audit::{Slot, Written};
use cofferdam_policy::Journaled;
use cofferdam_registry::Entry;
use cofferdam_runtime::Ledger;
use cofferdam_types::audit::{Act, AuditRecord, CallAct, Changes as Applied, CountedDenial};
use cofferdam_types::call::{
    CallLog, Denial, DenialCode, Observer, Outcome, Parent, ToolCall, Usage,
};
use cofferdam_types::change::{ChangeList, Commit};
use cofferdam_types::tool::{SafetyFlags, ToolRef};
use cofferdam_types::{Code, Digest, Failure, Payload, Tenant};
use serde_json::json;

use crate::changed::recorded;
use crate::coarse;
use crate::decide::{Decided, Refusal};
use crate::links::Links;
use crate::nested::Above;
use crate::policies::Ruling;
use crate::secrets::CallSecrets;
use crate::settle::{self, Unsettled};
use crate::source::Stored;
use crate::toolbox::Toolbox;

/// Uses in one audit record; with their resources some 16 KB. More of one call go to records of
/// their own.
pub(crate) const RECORD_USES_MAX: usize = 64;

/// What is known of a call when it is over, whichever step ended it.
struct Ended {
    entry: Option<Arc<Entry>>,
    granted: Vec<String>,
    result: Result<Payload, Failure>,
    usage: Usage,
    log: CallLog,
    journal: Journaled,
    denials: Vec<Denial>,
    /// What was applied of what it changed, where that is known.
    applied: Option<Applied>,
    /// What the caller asked to be told of what it changed.
    changes: Option<ChangeList>,
}

impl Ended {
    fn denied(entry: Arc<Entry>, denials: Vec<Denial>) -> Self {
        let mut ended = Self::early(Some(entry), denied(&denials));
        ended.journal.denials = denials.iter().cloned().map(CountedDenial::from).collect();
        ended.denials = denials;
        ended
    }

    fn early(entry: Option<Arc<Entry>>, failure: Failure) -> Self {
        Self {
            entry,
            granted: Vec::new(),
            result: Err(failure),
            usage: Usage::default(),
            log: CallLog::default(),
            journal: Journaled::default(),
            denials: Vec::new(),
            applied: None,
            changes: None,
        }
    }
}

impl Ended {
    /// Takes the secrets that the call was given out of everything that it leaves behind.
    fn without(mut self, secrets: Option<&CallSecrets>) -> Self {
        let Some(redactor) = secrets.map(CallSecrets::redactor) else {
            return self;
        };
        match &mut self.result {
            Ok(payload) => redactor.payload(payload),
            Err(failure) => redactor.failure(failure),
        }
        redactor.log(&mut self.log);
        for used in &mut self.journal.uses {
            redactor.used(used);
        }
        for counted in &mut self.journal.denials {
            redactor.denial(&mut counted.denial);
        }
        for denial in &mut self.denials {
            redactor.denial(denial);
        }
        for path in self.applied.iter_mut().flat_map(|it| &mut it.paths) {
            *path = redactor.text(path).into_owned();
        }
        if let Some(changes) = &mut self.changes {
            redactor.changes(changes);
        }
        self
    }
}

impl Toolbox {
    /// Runs a tool. Every call that gets this far leaves one audit record, also one that is refused
    /// and one whose caller went away; only when the audit can't take it is nothing done.
    ///
    /// Denials say what the policy holds to an administrator alone; to others, and in what is kept
    /// of runs, they are [coarse](Denial::coarse).
    ///
    /// Dropping the future stops the guest.
    pub async fn call(&self, call: ToolCall, observer: Arc<dyn Observer>) -> Outcome {
        let reads_policy = coarse::reads_policy(&call);
        let outcome = self.run(call, observer, None).await;
        if reads_policy {
            outcome
        } else {
            coarse::coarse(outcome)
        }
    }

    /// Runs a tool that a tool calls, with no more than what stands above it may do. What is denied
    /// it hears in words only, whoever called it.
    pub(crate) async fn call_below(
        &self,
        call: ToolCall,
        observer: Arc<dyn Observer>,
        above: &Above,
    ) -> Outcome {
        coarse::coarse(self.run(call, observer, Some(above)).await)
    }

    async fn run(
        &self,
        call: ToolCall,
        observer: Arc<dyn Observer>,
        above: Option<&Above>,
    ) -> Outcome {
        let call = Arc::new(call);
        let ended = match self.parts.audit.slot().await {
            Ok(slot) => {
                let arguments = call.arguments.to_string();
                let arguments_digest = Digest::of(arguments.as_bytes());
                let known = Known::default();
                let mut record = Record {
                    toolbox: self,
                    slot: Some(slot),
                    call: &call,
                    parent: above.map(|above| above.parent),
                    arguments_digest,
                    known,
                };
                let ended = self
                    .steps(&call, arguments, observer, above, &mut record.known)
                    .await;
                if let Some(written) = record.write(&ended)
                    && let Err(error) = written.done().await
                {
                    // The writer lives as long as this holds the audit.
                    tracing::error!(%error, "the record of a call was not written");
                }
                ended
            }
            Err(full) => {
                tracing::error!(%full, "refused a call");
                Ended::early(
                    None,
                    Failure::new(Code::Unavailable, "the audit can't keep up; try again"),
                )
            }
        };
        Outcome {
            call_id: call.id,
            tool: ended.entry.map(|entry| entry.identity().clone()),
            result: ended.result,
            usage: ended.usage,
            log: ended.log,
            uses: ended.journal.uses,
            denials: ended.denials,
            changes: ended.changes,
        }
    }

    /// What the author says about a tool's effects; nothing when there is no such tool.
    pub async fn safety(&self, tenant: &Tenant, tool: &ToolRef) -> Option<SafetyFlags> {
        let entry = self.parts.registry.resolve(tenant, tool).await.ok()?;
        Some(entry.record().spec.safety)
    }

    /// Resolve, decide, validate, run, validate.
    async fn steps(
        &self,
        call: &Arc<ToolCall>,
        arguments: String,
        observer: Arc<dyn Observer>,
        above: Option<&Above>,
        known: &mut Known,
    ) -> Ended {
        let begun = Instant::now();
        let tenant = &call.caller.tenant;
        let entry = match self.parts.registry.resolve(tenant, &call.tool).await {
            Ok(entry) => entry,
            Err(error) => return Ended::early(None, error.into()),
        };
        known.entry = Some(entry.clone());
        let decided = self.decided(&entry, call, above, &mut known.ruling);
        let Decided {
            grant,
            ruling,
            listed: _listed,
        } = match decided {
            Ok(decided) => decided,
            Err(Refusal::Malformed(failure)) => return Ended::early(Some(entry), failure),
            Err(Refusal::Denied(denials)) => return Ended::denied(entry, denials),
        };
        let may_run = entry.check_arguments(&call.arguments);
        if let Err(failure) = may_run.and_then(|()| settle::check(call.commit, &grant)) {
            return Ended::early(Some(entry), failure);
        }
        known.granted = grant.words();
        let secrets = self.secrets_of(&grant, tenant);
        known.secrets.clone_from(&secrets);
        let links = Links {
            call,
            above,
            entry: &entry,
            grant: &grant,
            ruling: &ruling,
            secrets: secrets.as_ref(),
            ledger: &known.ledger,
        };
        self.in_sandbox(&links, arguments, observer, begun)
            .await
            .without(secrets.as_deref())
    }

    /// Runs what may run, once there is a place for it.
    async fn in_sandbox(
        &self,
        links: &Links<'_>,
        arguments: String,
        observer: Arc<dyn Observer>,
        begun: Instant,
    ) -> Ended {
        let Links { entry, grant, .. } = *links;
        let place = match self.admit(links).await {
            Ok(place) => place,
            Err(failure) => {
                let mut ended = Ended::early(Some(entry.clone()), failure);
                ended.granted = grant.words();
                return ended;
            }
        };
        let invocation = self.invocation(links, arguments, observer, begun);
        let source = Stored {
            toolbox: self,
            tenant: &links.call.caller.tenant,
        };
        let mut report = self.parts.runtime.call(grant, invocation, &source).await;
        let result = report
            .answer
            .map_err(Failure::from)
            .and_then(|text| checked(entry, &text));
        let commit = links.call.commit;
        let settled = settle::settle(result, report.changes, commit, grant).await;
        let (result, list, is_applied) = match settled {
            Err(Unsettled::Denied(denial)) => {
                let denial = *denial;
                report.journal.denials.push(denial.clone().into());
                report.denials.push(denial.clone());
                (Err(denied(&[denial])), None, false)
            }
            Err(Unsettled::Failed(failure)) => (Err(failure), None, false),
            Ok(settled) => (Ok(settled.result), settled.list, settled.is_applied),
        };
        drop((report.held, place));
        Ended {
            entry: Some(entry.clone()),
            granted: grant.words(),
            result,
            usage: report.usage,
            log: report.log,
            journal: report.journal,
            denials: report.denials,
            applied: list.as_ref().filter(|_| is_applied).map(recorded),
            changes: list.filter(|_| commit.is_told()),
        }
    }
}

fn denied(denials: &[Denial]) -> Failure {
    let reasons: Vec<_> = denials
        .iter()
        .map(|denial| match denial.smallest_grant.as_str() {
            // A rule of several lines stands in the details.
            grant if grant.is_empty() || grant.contains('\n') => denial.reason.clone(),
            grant => format!("{}; smallest grant: {grant}", denial.reason),
        })
        .collect();
    let failure = Failure::new(Code::PolicyDenied, reasons.join("; "));
    let failure = failure.with("denials", json!(denials));
    let asks = |denial: &Denial| denial.code == DenialCode::NeedsApproval;
    if denials.iter().any(asks) {
        failure.with("needs", "approval")
    } else {
        failure
    }
}

/// The answer as JSON, if it is what the tool promises.
fn checked(entry: &Entry, text: &str) -> Result<Payload, Failure> {
    let payload: Payload = serde_json::from_str(text).map_err(|error| {
        Failure::new(
            Code::InvalidOutput,
            format!("the tool's result is not JSON: {error}"),
        )
    })?;
    let faults = entry.result_faults(&payload);
    if faults.is_empty() {
        return Ok(payload);
    }
    let name = &entry.identity().name;
    Err(Failure::new(
        Code::InvalidOutput,
        format!("the result of `{name}` breaks its own schema"),
    )
    .with("faults", json!(faults)))
}

/// The digest of a result's text.
fn digest_of(result: &Payload) -> Digest {
    Digest::of(result.to_string().as_bytes())
}

/// Writes the audit record of a call, at the latest when the call's future is dropped.
struct Record<'a> {
    toolbox: &'a Toolbox,
    slot: Option<Slot>,
    call: &'a ToolCall,
    parent: Option<Parent>,
    arguments_digest: Digest,
    known: Known,
}

/// What the steps found out so far: the record of a call that is cut off says that much.
#[derive(Default)]
struct Known {
    entry: Option<Arc<Entry>>,
    ruling: Option<Arc<Ruling>>,
    granted: Vec<String>,
    /// What it did with that, as far as it came.
    ledger: Ledger,
    secrets: Option<Arc<CallSecrets>>,
}

impl Known {
    /// The end of a call whose caller did not wait for it.
    fn cut_off(&mut self) -> Ended {
        let cancelled = Failure::new(Code::Cancelled, "the caller went away");
        let mut ended = Ended::early(self.entry.take(), cancelled);
        ended.granted = std::mem::take(&mut self.granted);
        ended.journal = self.ledger.take();
        ended.without(self.secrets.as_deref())
    }
}

impl Record<'_> {
    /// Writes the record, once; what to wait for before the call is answered.
    fn write(&mut self, ended: &Ended) -> Option<Written> {
        let slot = self.slot.take()?;
        let call = self.call;
        let mut uses = ended.journal.uses.clone();
        let more = uses.split_off(uses.len().min(RECORD_USES_MAX));
        let record = |act| {
            let tenant = call.caller.tenant.clone();
            let at = self.toolbox.parts.ambient.now();
            AuditRecord::new(tenant, at, call.caller.principal.clone(), act)
        };
        // Where nothing was decided, the policy in force would have.
        let ruling = self.known.ruling.take();
        let ruling = ruling.unwrap_or_else(|| self.toolbox.ruling());
        let act = CallAct {
            call_id: call.id,
            parent: self.parent,
            origin: call.origin.clone(),
            agent: call.authority.agent.clone(),
            asked: call.tool.to_string(),
            tool: ended.entry.as_ref().map(|entry| entry.identity().clone()),
            arguments_digest: self.arguments_digest,
            result_digest: ended.result.as_ref().ok().map(digest_of),
            policy: ruling.policy.name().to_owned(),
            policy_digest: Some(*ruling.policy.digest()),
            policy_generation: ruling.generation,
            granted: ended.granted.clone(),
            uses,
            uses_dropped: ended.journal.uses_dropped,
            code: ended.result.as_ref().err().map(|failure| failure.code),
            denials: ended.journal.denials.clone(),
            denials_dropped: ended.journal.denials_dropped,
            changes: ended.applied.clone(),
            preview: call.commit == Commit::Preview,
            usage: ended.usage,
        };
        let written = slot.write_call(record(Act::Call(Box::new(act))));
        for uses in more.chunks(RECORD_USES_MAX) {
            self.toolbox.parts.audit.offer(record(Act::Uses {
                call_id: call.id,
                root_id: self.parent.map_or(call.id, |parent| parent.root_id),
                uses: uses.to_vec(),
            }));
        }
        written
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        if self.slot.is_none() {
            return;
        }
        let ended = self.known.cut_off();
        // Nobody is left who would wait.
        drop(self.write(&ended));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_before_the_caller_went_away_is_told() {
        let mut known = Known::default();
        let ledger = known.ledger.clone();
        ledger.used("filesystem", "write".to_owned(), "/workspace/a");
        ledger.used("filesystem", "write".to_owned(), "/workspace/a");
        ledger.denied(Denial {
            capability: "network".to_owned(),
            operation: "request".to_owned(),
            resource: "example.org".to_owned(),
            code: cofferdam_types::call::DenialCode::NotGranted,
            rule: "built-in/default".to_owned(),
            file: None,
            line: None,
            reason: String::new(),
            smallest_grant: String::new(),
        });
        let ended = known.cut_off();
        let failure = ended.result.expect_err("nobody has it");
        assert_eq!(failure.code, Code::Cancelled);
        assert_eq!(ended.journal.uses[0].count, 2);
        assert_eq!(ended.journal.denials.len(), 1);
        assert_eq!(ledger.take(), Journaled::default(), "once");
    }
}
