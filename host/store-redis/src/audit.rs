use async_trait::async_trait;
use cofferdam_store_api::{Audit, AuditEntry, CallKey, StoreError};
use cofferdam_types::page::{PAGE_ITEMS_MAX, Page, PageRequest};
use cofferdam_types::{CallId, Digest, Tenant};
use redis::streams::{StreamId, StreamRangeReply};
use redis::{Cmd, cmd};

use crate::events::behind;
use crate::record;
use crate::script::{self, AUDIT_APPEND, AUDIT_PRUNE};
use crate::store::Tables;

/// The entries are a stream; beside it stand, for each tenant, the numbers of its entries and those
/// of the trees of calls.
#[async_trait]
impl Audit for Tables {
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut words = Vec::with_capacity(entries.len() * 8);
        for entry in entries {
            let key = entry.call;
            words.extend([
                entry.seq.to_string(),
                entry.previous.to_string(),
                entry.digest.to_string(),
                entry.tenant.to_string(),
                self.names.of(&entry.tenant),
                key.map(|key| key.id.to_string()).unwrap_or_default(),
                key.map(|key| key.root.to_string()).unwrap_or_default(),
                entry.text.clone(),
            ]);
        }
        let arguments: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
        let keys = [self.names.audit(), self.names.lead().to_owned()];
        self.write(&AUDIT_APPEND, &keys, &arguments).await?;
        Ok(())
    }

    async fn last(&self) -> Result<Option<(u64, Digest)>, StoreError> {
        let range = Cmd::xrevrange_count(self.names.audit(), "+", "-", 1);
        let entries = self.entries(&range).await?;
        Ok(entries.first().map(|entry| (entry.seq, entry.digest)))
    }

    async fn list(
        &self,
        tenant: &Tenant,
        page: &PageRequest<u64>,
    ) -> Result<Page<AuditEntry, u64>, StoreError> {
        let mut range = cmd("ZREVRANGEBYSCORE");
        range.arg(format!("{}audit:entries", self.names.of(tenant)));
        range.arg(
            page.after
                .map_or_else(|| "+inf".to_owned(), |after| format!("({after}")),
        );
        range
            .arg("-inf")
            .arg("LIMIT")
            .arg(0)
            .arg(page.items_max() + 1);
        let numbers: Vec<u64> = self.link.command(&range).await?;
        let Page { items, next } = Page::cut(numbers, page.items_max(), |seq| *seq);
        let items = self.numbered(&items).await?;
        Ok(Page { items, next })
    }

    async fn read(&self, after: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let limit = limit.clamp(1, PAGE_ITEMS_MAX);
        let range = Cmd::xrange_count(self.names.audit(), behind(after), "+", limit);
        self.entries(&range).await
    }

    async fn of_call(&self, tenant: &Tenant, call: &CallId) -> Result<Vec<AuditEntry>, StoreError> {
        let lead = self.names.of(tenant);
        let root: Option<String> = self
            .link
            .command(&Cmd::get(format!("{lead}audit:root:{call}")))
            .await?;
        let root = root.unwrap_or_else(|| call.to_string());
        let mut range = cmd("ZRANGE");
        range.arg(format!("{lead}audit:call:{root}"));
        range.arg(0).arg(PAGE_ITEMS_MAX - 1);
        let numbers: Vec<u64> = self.link.command(&range).await?;
        let tree = self.numbered(&numbers).await?;
        // The call's own entry may be gone from the front, or be another tenant's.
        let known = tree
            .iter()
            .any(|entry| entry.call.is_some_and(|key| key.id == *call));
        Ok(if known { tree } else { Vec::new() })
    }

    /// In steps from the front, each atomic: what an interrupted one leaves is a whole chain, and the
    /// next goes on.
    async fn prune(&self, through: u64) -> Result<u64, StoreError> {
        let keys = [self.names.audit(), self.names.lead().to_owned()];
        let last = self.last().await?;
        if last.is_some_and(|(last, _)| last <= through) {
            return Err(StoreError::Conflict);
        }
        let mut gone = 0;
        loop {
            let range = Cmd::xrange_count(
                self.names.audit(),
                "-",
                format!("{through}-0"),
                PAGE_ITEMS_MAX,
            );
            let step = self.entries(&range).await?;
            let Some(end) = step.last() else {
                return Ok(gone);
            };
            let end = end.seq.to_string();
            let (code, removed): (i64, u64) = self
                .link
                .script(&AUDIT_PRUNE, &keys, &[end.as_bytes()])
                .await?;
            script::answer(code)?;
            gone += removed;
            self.forget(&step, &end).await?;
        }
    }
}

impl Tables {
    /// Takes entries that are gone out of the trees of calls.
    async fn forget(&self, entries: &[AuditEntry], through: &str) -> Result<(), StoreError> {
        let mut forget = redis::pipe();
        for entry in entries {
            let lead = self.names.of(&entry.tenant);
            if let Some(CallKey { id, root }) = entry.call {
                let tree = format!("{lead}audit:call:{root}");
                forget.zrembyscore(tree, "-inf", through).ignore();
                forget.del(format!("{lead}audit:root:{id}")).ignore();
            }
        }
        if forget.is_empty() {
            return Ok(());
        }
        self.link.pipeline(&forget).await
    }

    async fn numbered(&self, numbers: &[u64]) -> Result<Vec<AuditEntry>, StoreError> {
        let mut fetch = redis::pipe();
        for number in numbers {
            let id = format!("{number}-0");
            fetch.add_command(Cmd::xrange(self.names.audit(), &id, &id));
        }
        let found: Vec<StreamRangeReply> = self.link.pipeline(&fetch).await?;
        found
            .iter()
            .flat_map(|reply| &reply.ids)
            .map(entry)
            .collect()
    }

    async fn entries(&self, range: &Cmd) -> Result<Vec<AuditEntry>, StoreError> {
        let found: StreamRangeReply = self.link.command(range).await?;
        found.ids.iter().map(entry).collect()
    }
}

fn entry(found: &StreamId) -> Result<AuditEntry, StoreError> {
    let read = || {
        let text = |field: &str| found.get::<String>(field);
        let call = match text("call")?.as_str() {
            "" => None,
            id => Some(CallKey {
                id: id.parse().ok()?,
                root: text("root")?.parse().ok()?,
            }),
        };
        Some(AuditEntry {
            seq: found.id.strip_suffix("-0")?.parse().ok()?,
            previous: text("previous")?.parse().ok()?,
            digest: text("digest")?.parse().ok()?,
            tenant: text("tenant")?.parse().ok()?,
            call,
            text: text("text")?,
        })
    };
    read().ok_or_else(|| record::unreadable("audit", &found.id))
}
