use cofferdam_store_api::{AuditEntry, CallKey};
use cofferdam_types::Digest;
use cofferdam_types::audit::AuditRecord;

/// The digest that links an entry into the chain.
///
/// **Shape**: SHA-256 of the number (8 bytes, big-endian), the previous digest (32 bytes) and the
/// record's text as it was written. The text is kept and never written again from what it means,
/// so that a later form of records changes no digest.
pub fn digest(seq: u64, previous: &Digest, text: &str) -> Digest {
    let mut bytes = Vec::with_capacity(40 + text.len());
    bytes.extend_from_slice(&seq.to_be_bytes());
    bytes.extend_from_slice(previous.as_bytes());
    bytes.extend_from_slice(text.as_bytes());
    Digest::of(&bytes)
}

/// What the first entry of all names as the one before.
pub(crate) fn beginning() -> Digest {
    Digest::of(b"")
}

/// The end of the chain, where the next entry goes.
#[derive(Clone)]
pub(crate) struct End {
    seq: u64,
    digest: Digest,
}

impl End {
    pub(crate) fn new(last: Option<(u64, Digest)>) -> Self {
        let (seq, digest) = last.unwrap_or_else(|| (0, beginning()));
        Self { seq, digest }
    }

    /// Links `record` to the end, and moves the end behind it.
    pub(crate) fn link(&mut self, record: &AuditRecord) -> AuditEntry {
        let text = serde_json::to_string(record).expect("a record is plain data with text keys");
        let (seq, previous) = (self.seq + 1, self.digest);
        let digest = digest(seq, &previous, &text);
        *self = Self { seq, digest };
        AuditEntry {
            seq,
            previous,
            digest,
            tenant: record.tenant.clone(),
            call: record.act.call().map(|(id, root)| CallKey { id, root }),
            text,
        }
    }
}
