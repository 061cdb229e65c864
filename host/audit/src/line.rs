use cofferdam_store_api::AuditEntry;
use cofferdam_types::audit::AuditRecord;
use cofferdam_types::{Digest, Tenant};

use crate::chain::digest;

/// One entry as it is exported.
///
/// **Shape**: a line of JSON, with its keys in this order and no space between them:
/// `{"seq":7,"previous":"sha256:…","digest":"sha256:…","record":{…}}`. What stands behind
/// `"record":` is the text that the digest is over, byte by byte. Where the record is another
/// tenant's, there is `"withheld":true` instead of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The number.
    pub seq: u64,
    /// The digest of the entry before.
    pub previous: Digest,
    /// The digest of this one.
    pub digest: Digest,
    /// The record's text; absent where it is another tenant's.
    pub record: Option<String>,
}

impl Line {
    /// For this tenant, whose record it is when its text or its place in the store says so.
    pub fn of(entry: AuditEntry, tenant: &Tenant) -> Self {
        let AuditEntry {
            seq,
            previous,
            text,
            ..
        } = entry;
        if entry.tenant == *tenant || tenant_of(&text).as_ref() == Some(tenant) {
            let (digest, record) = (entry.digest, Some(text));
            return Self {
                seq,
                previous,
                digest,
                record,
            };
        }
        // Nobody can compute it without the text: so that a changed one shows at the next link.
        let digest = digest(seq, &previous, &text);
        Self {
            seq,
            previous,
            digest,
            record: None,
        }
    }

    /// The line, without its end.
    pub fn write(&self) -> String {
        let Self {
            seq,
            previous,
            digest,
            record,
        } = self;
        let rest = match record {
            Some(text) => format!("\"record\":{text}"),
            None => "\"withheld\":true".to_owned(),
        };
        format!(r#"{{"seq":{seq},"previous":"{previous}","digest":"{digest}",{rest}}}"#)
    }

    /// Reads a line as it was written; `None` when it is anything else, be it the same JSON in
    /// another spelling.
    pub fn read(line: &str) -> Option<Self> {
        let (seq, rest) = line.strip_prefix(r#"{"seq":"#)?.split_once(',')?;
        let (previous, rest) = rest.strip_prefix(r#""previous":""#)?.split_once('"')?;
        let (digest, rest) = rest.strip_prefix(r#","digest":""#)?.split_once('"')?;
        let rest = rest.strip_prefix(',')?.strip_suffix('}')?;
        let record = match rest.strip_prefix(r#""record":"#) {
            Some(text) => Some(text.to_owned()),
            None if rest == r#""withheld":true"# => None,
            None => return None,
        };
        let read = Self {
            seq: seq.parse().ok()?,
            previous: previous.parse().ok()?,
            digest: digest.parse().ok()?,
            record,
        };
        (read.write() == line).then_some(read)
    }
}

fn tenant_of(text: &str) -> Option<Tenant> {
    let record: AuditRecord = serde_json::from_str(text).ok()?;
    Some(record.tenant)
}
