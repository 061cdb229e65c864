use std::sync::Arc;

use cofferdam_audit::{Audit, Line};
use cofferdam_store_api::Audit as Table;
use cofferdam_types::audit::{Act, AuditRecord, SecretChange};
use cofferdam_types::{Digest, Tenant, Timestamp};

/// A tenant.
pub(crate) fn tenant(name: &str) -> Tenant {
    name.parse().expect("a tenant's name")
}

/// The record of that time in milliseconds.
pub(crate) fn record(at: u64) -> AuditRecord {
    let act = Act::Secret {
        change: SecretChange::Set,
        name: format!("token-{at} \"quoted\" \u{7} 漢"),
    };
    AuditRecord::new(Tenant::default(), Timestamp::from_millis(at), "key:1", act)
}

/// Empty tables in memory.
pub(crate) fn table() -> Arc<dyn Table> {
    cofferdam_store_memory::open().audit
}

/// An audit whose writer runs.
pub(crate) async fn audit(table: Arc<dyn Table>) -> Audit {
    let (audit, writer) = Audit::new(table).await.expect("a readable chain");
    tokio::spawn(writer.run());
    audit
}

/// Writes records at these times and waits for each.
pub(crate) async fn write(audit: &Audit, times: impl IntoIterator<Item = u64>) {
    for at in times {
        let slot = audit.slot().await.expect("a place");
        slot.write_now(record(at)).done().await.expect("a writer");
    }
}

/// Everything that the default tenant gets to see.
pub(crate) async fn lines(audit: &Audit) -> Vec<Line> {
    let export = audit.export(&Tenant::default(), None, None).await;
    let mut export = export.expect("an export");
    let mut lines = Vec::new();
    loop {
        let next = export.next().await.expect("a readable chain");
        if next.is_empty() {
            return lines;
        }
        lines.extend(next);
    }
}

/// What a record is of which nobody knows the kind: of a later version.
pub(crate) fn foreign(extra: u32) -> String {
    format!(
        r#"{{"schema":9,"tenant":"default","at":"2031-01-02T03:04:05.678Z","actor":"key:1","act":"dreamt","of":[{extra}, 1e400],"of":2}}"#
    )
}

/// A digest that is no other.
pub(crate) fn digest(n: u64) -> Digest {
    Digest::of(&n.to_le_bytes())
}
