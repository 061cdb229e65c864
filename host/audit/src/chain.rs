use cofferdam_store_api::AuditEntry;
use cofferdam_types::Digest;
use cofferdam_types::audit::AuditRecord;

/// The digest that links an entry into the chain.
///
/// **Shape**: SHA-256 of the number (8 bytes, big-endian), the previous digest (32 bytes) and the
/// record as JSON. The record's fields stand in the order of their declaration, so the text is the
/// same whenever it is written again.
pub fn digest(seq: u64, previous: &Digest, record: &AuditRecord) -> Digest {
    let mut bytes = Vec::with_capacity(1024);
    bytes.extend_from_slice(&seq.to_be_bytes());
    bytes.extend_from_slice(previous.as_bytes());
    serde_json::to_writer(&mut bytes, record).expect("a record is plain data with text keys");
    Digest::of(&bytes)
}

/// The end of the chain, where the next entry goes.
pub(crate) struct End {
    seq: u64,
    digest: Digest,
}

impl End {
    pub(crate) fn new(last: Option<(u64, Digest)>) -> Self {
        let (seq, digest) = last.unwrap_or_else(|| (0, Digest::of(b"")));
        Self { seq, digest }
    }

    /// Links `record` to the end, and moves the end behind it.
    pub(crate) fn link(&mut self, record: AuditRecord) -> AuditEntry {
        let (seq, previous) = (self.seq + 1, self.digest);
        let digest = digest(seq, &previous, &record);
        *self = Self { seq, digest };
        AuditEntry {
            seq,
            previous,
            digest,
            record,
        }
    }
}
