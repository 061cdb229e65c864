use std::time::Duration;

use cofferdam_audit::{AuditEntry, Export, Full, PruneError, Slot};
use cofferdam_types::audit::{Act, AuditRecord};
use cofferdam_types::caller::Caller;
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::{CallId, Code, Failure, Tenant, Timestamp};

use crate::toolbox::Toolbox;

/// Who is named for what the host does by itself.
const HOST: &str = "host";

/// Which part of the audit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuditRange {
    /// From this number on.
    pub from: Option<u64>,
    /// To this number, included.
    pub to: Option<u64>,
    /// From this time on.
    pub since: Option<Timestamp>,
}

impl Toolbox {
    /// The audit of the caller's tenant, newest first.
    pub async fn audit(
        &self,
        caller: &Caller,
        page: &PageRequest<u64>,
    ) -> Result<Page<AuditEntry, u64>, Failure> {
        let page = self.parts.audit.list(&caller.tenant, page).await;
        page.map_err(unreadable)
    }

    /// The record of this number.
    ///
    /// **Errors**: `not_found`, also when it is another tenant's.
    pub async fn audit_entry(&self, caller: &Caller, seq: u64) -> Result<AuditEntry, Failure> {
        let page = PageRequest {
            after: Some(seq.saturating_add(1)),
            limit: 1,
        };
        let page = self.audit(caller, &page).await?;
        let entry = page.items.into_iter().find(|entry| entry.seq == seq);
        entry.ok_or_else(|| Failure::new(Code::NotFound, format!("there is no record {seq}")))
    }

    /// The records about a call and all calls of its tree, oldest first; at most as many as a page
    /// can hold.
    ///
    /// **Errors**: `not_found`, also when it is another tenant's.
    pub async fn audit_of_call(
        &self,
        caller: &Caller,
        call: &CallId,
    ) -> Result<Vec<AuditEntry>, Failure> {
        let entries = self.parts.audit.of_call(&caller.tenant, call).await;
        let entries = entries.map_err(unreadable)?;
        if entries.is_empty() {
            let message = format!("there is no record of the call {call}");
            return Err(Failure::new(Code::NotFound, message));
        }
        Ok(entries)
    }

    /// Reads a part of the chain out; that it was read is a record of its own, behind it.
    pub async fn audit_export(
        &self,
        caller: &Caller,
        range: AuditRange,
    ) -> Result<Export, Failure> {
        let AuditRange { from, to, since } = range;
        let audit = &self.parts.audit;
        let slot = self.slot("an export").await?;
        let from = match since {
            Some(time) => {
                let since = audit.since(time).await.map_err(unreadable)?;
                Some(from.unwrap_or(0).max(since))
            }
            None => from,
        };
        let export = audit.export(&caller.tenant, from, to).await;
        let export = export.map_err(unreadable)?;
        let (from, to) = export.range();
        let act = Act::Exported { from, to };
        let at = self.parts.ambient.now();
        let record = AuditRecord::new(caller.tenant.clone(), at, &caller.principal, act);
        slot.write_now(record).done().await.map_err(full)?;
        Ok(export)
    }

    /// Records an act on the host as a whole, and waits until the record is kept. Acts of the host
    /// itself have no caller.
    ///
    /// **Errors**: `unavailable` when the audit can't take it: then the act must not take effect.
    pub async fn record_act(&self, caller: Option<&Caller>, act: Act) -> Result<(), Failure> {
        let slot = self.slot(act.as_str()).await?;
        let (tenant, actor) = match caller {
            Some(caller) => (caller.tenant.clone(), caller.principal.as_str()),
            None => (Tenant::default(), HOST),
        };
        let record = AuditRecord::new(tenant, self.parts.ambient.now(), actor, act);
        slot.write_now(record).done().await.map_err(full)
    }

    /// From now on calls are answered only when their record is kept, or again at once.
    pub fn set_strict_audit(&self, is_strict: bool) {
        self.parts.audit.set_strict(is_strict);
    }

    /// Removes records that are older than `keep`, and says how many; 0 while somebody reads the
    /// chain.
    ///
    /// **Cancel**: the next time takes what is left.
    pub async fn prune_audit(&self, keep: Duration) -> Result<u64, PruneError> {
        match self.parts.audit.prune(self.parts.ambient.now(), keep).await {
            Err(PruneError::Busy) => Ok(0),
            pruned => pruned,
        }
    }

    /// The place for the record of what is about to be done.
    pub(crate) async fn slot(&self, what: &str) -> Result<Slot, Failure> {
        self.parts.audit.slot().await.map_err(|error| {
            tracing::error!(%error, what, "refused");
            full(error)
        })
    }
}

pub(crate) fn full(_: Full) -> Failure {
    Failure::new(Code::Unavailable, "the audit can't keep up; try again")
}

pub(crate) fn unreadable(error: impl std::fmt::Display) -> Failure {
    tracing::error!(%error, "the audit can't be read");
    Failure::new(Code::Unavailable, "the audit can't be read now; try again")
}
