use cofferdam_store_api::AuditEntry;
use cofferdam_types::{Digest, Tenant};

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
    /// For this tenant. A record belongs to whoever its text names, wherever the store files it;
    /// one that can't be read is shown to all, since it can't be what was written.
    pub fn of(entry: AuditEntry, tenant: &Tenant) -> Self {
        let is_own = entry.record().tenant == *tenant || entry.record().schema == 0;
        Self {
            seq: entry.seq,
            previous: entry.previous,
            digest: entry.digest,
            record: is_own.then_some(entry.text),
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
