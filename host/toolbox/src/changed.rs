//! What a call changed in its mounts, as the audit keeps it.

use cofferdam_runtime::{Change, ChangeKind};
use cofferdam_types::Digest;
use cofferdam_types::audit::Changes;

/// Most paths of one call that a record names; the rest is counted, and in the digest.
const PATHS_MAX: usize = 100;

/// Counts changes and names the first of them.
pub(crate) fn changed(list: &[Change]) -> Changes {
    let mut changes = Changes::default();
    let mut lines = Vec::with_capacity(list.len());
    for change in list {
        let (word, count) = match change.kind {
            ChangeKind::Created => ("created", &mut changes.created),
            ChangeKind::Changed => ("modified", &mut changes.modified),
            ChangeKind::Deleted => ("deleted", &mut changes.deleted),
        };
        *count += 1;
        changes.bytes = changes.bytes.saturating_add(change.bytes);
        let path = format!("/{}/{}", change.mount, change.path);
        lines.push(format!("{word} {path} {}", change.bytes));
        if changes.paths.len() < PATHS_MAX {
            changes.paths.push(path);
        }
    }
    changes.digest = Some(Digest::of(lines.join("\n").as_bytes()));
    changes
}
