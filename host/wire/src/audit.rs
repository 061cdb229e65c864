//! The audit as it is read.

use cofferdam_types::Digest;
use cofferdam_types::audit::AuditRecord;
use serde::{Deserialize, Serialize};

/// One record in its place in the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditView {
    /// 1, 2, 3 … over all tenants.
    pub seq: u64,
    /// The digest of the entry before.
    pub previous_digest: Digest,
    /// The digest of this entry. Not `digest` on the wire: an act on a component has its own.
    pub entry_digest: Digest,
    /// What was done, by whom and when.
    #[serde(flatten)]
    pub record: AuditRecord,
}

#[cfg(test)]
mod tests {
    use cofferdam_types::Code;
    use cofferdam_types::audit::Act;

    use super::*;

    #[test]
    fn an_act_on_a_component_keeps_both_digests() {
        let component = Digest::of(b"component");
        let acts = [
            Act::Publish {
                component: "files@1.0.0".to_owned(),
                digest: component,
            },
            Act::PublishRefused {
                digest: component,
                code: Code::ComponentInvalid,
            },
        ];
        for act in acts {
            let view = AuditView {
                seq: 2,
                previous_digest: Digest::of(b""),
                entry_digest: Digest::of(b"entry"),
                record: AuditRecord::new(
                    "default".parse().expect("a name"),
                    "2026-01-02T03:04:05.678Z".parse().expect("a time"),
                    "key:1",
                    act,
                ),
            };
            let text = serde_json::to_string(&view).expect("JSON");
            let read: AuditView = serde_json::from_str(&text).expect(&text);
            assert_eq!(read, view);
        }
    }
}
