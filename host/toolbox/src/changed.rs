//! What a call changed in its mounts, as its caller and the audit are told.

use cofferdam_runtime::{Change, ChangeKind, ListedChange};
use cofferdam_types::audit::Changes;
use cofferdam_types::change::{ChangeList, ChangeWord, MountChanges, PathChange};
use cofferdam_types::{Digest, Hasher};
use serde_json::json;

/// Most paths that an answer lists; with each some 100 bytes.
const LISTED_MAX: usize = 1_000;
/// Most paths of one call that a record names; the rest is counted, and in the digest.
const RECORDED_MAX: usize = 100;

/// Counts changes and lists the first of them.
pub(crate) fn changed(all: &[ListedChange]) -> ChangeList {
    let mut list = ChangeList {
        digest: digest(all),
        mounts: Vec::new(),
        unlisted: all.len().saturating_sub(LISTED_MAX) as u64,
    };
    for (at, ListedChange { change, .. }) in all.iter().enumerate() {
        let name = change.mount.to_string();
        // They come in the order of the mounts.
        if list.mounts.last().is_none_or(|last| last.mount != name) {
            list.mounts.push(MountChanges {
                mount: name,
                created: 0,
                modified: 0,
                deleted: 0,
                bytes: 0,
                paths: Vec::new(),
            });
        }
        let Some(mount) = list.mounts.last_mut() else {
            continue;
        };
        *match change.kind {
            ChangeKind::Created => &mut mount.created,
            ChangeKind::Changed => &mut mount.modified,
            ChangeKind::Deleted => &mut mount.deleted,
        } += 1;
        mount.bytes = mount.bytes.saturating_add(change.bytes);
        if at < LISTED_MAX {
            mount.paths.push(PathChange {
                path: change.path.to_string(),
                change: word(change),
                bytes: change.bytes,
                directory: change.is_directory,
            });
        }
    }
    list
}

/// What the audit keeps of it.
pub(crate) fn recorded(list: &ChangeList) -> Changes {
    let mut changes = Changes {
        digest: Some(list.digest),
        ..Changes::default()
    };
    for mount in &list.mounts {
        changes.created += mount.created;
        changes.modified += mount.modified;
        changes.deleted += mount.deleted;
        changes.bytes = changes.bytes.saturating_add(mount.bytes);
        let paths = mount.paths.iter();
        let shown = paths.map(|changed| format!("/{}/{}", mount.mount, changed.path));
        let room = RECORDED_MAX - changes.paths.len();
        changes.paths.extend(shown.take(room));
    }
    changes
}

fn word(change: &Change) -> ChangeWord {
    match change.kind {
        ChangeKind::Created => ChangeWord::Created,
        ChangeKind::Changed => ChangeWord::Modified,
        ChangeKind::Deleted => ChangeWord::Deleted,
    }
}

/// Of a line of JSON for each change, so that no name can pass for two: what came of which path,
/// whether it is a directory, how large it is and what is in it.
fn digest(all: &[ListedChange]) -> Digest {
    let mut hasher = Hasher::default();
    for ListedChange { change, contents } in all {
        let path = format!("/{}/{}", change.mount, change.path);
        let contents = contents.to_string();
        let line = json!([
            word(change),
            path,
            change.is_directory,
            change.bytes,
            contents
        ]);
        hasher.update(line.to_string().as_bytes());
        hasher.update(b"\n");
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use cofferdam_policy::capability::filesystem::{MountName, MountPath};

    use super::*;

    fn listed(mount: MountName, path: &str, kind: ChangeKind, text: &str) -> ListedChange {
        ListedChange {
            change: Change {
                mount,
                path: MountPath::root().joined(path).expect("a path"),
                kind,
                is_directory: false,
                bytes: text.len() as u64,
            },
            contents: Digest::of(text.as_bytes()),
        }
    }

    fn some() -> Vec<ListedChange> {
        vec![
            listed(MountName::SCRATCH, "a", ChangeKind::Created, "abc"),
            listed(MountName::WORKSPACE, "b/c", ChangeKind::Changed, "x"),
            listed(MountName::WORKSPACE, "d", ChangeKind::Deleted, ""),
        ]
    }

    #[test]
    fn they_are_counted_and_listed_by_mount() {
        let list = changed(&some());
        let shown: Vec<_> = list
            .mounts
            .iter()
            .map(|it| (&*it.mount, it.created, it.modified, it.deleted, it.bytes))
            .collect();
        assert_eq!(shown, [("scratch", 1, 0, 0, 3), ("workspace", 0, 1, 1, 1)]);
        assert_eq!(list.mounts[1].paths[0].path, "b/c");
        assert_eq!(list.mounts[1].paths[0].change, ChangeWord::Modified);
        let record = recorded(&list);
        assert_eq!(
            (
                record.created,
                record.modified,
                record.deleted,
                record.bytes
            ),
            (1, 1, 1, 4)
        );
        assert_eq!(record.digest, Some(list.digest));
        assert_eq!(
            record.paths,
            ["/scratch/a", "/workspace/b/c", "/workspace/d"]
        );
    }

    #[test]
    fn what_is_not_listed_is_counted() {
        let many: Vec<_> = (0..LISTED_MAX + 5)
            .map(|n| {
                let path = format!("{n:05}");
                listed(MountName::WORKSPACE, &path, ChangeKind::Created, "x")
            })
            .collect();
        let list = changed(&many);
        assert_eq!((list.unlisted, list.mounts[0].created), (5, 1_005));
        assert_eq!(list.mounts[0].paths.len(), LISTED_MAX);
        assert_eq!(recorded(&list).paths.len(), RECORDED_MAX);
        assert_ne!(list.digest, changed(&many[..LISTED_MAX]).digest);
    }

    #[test]
    fn the_digest_is_of_everything_that_would_be_left_behind() {
        let digest = |all: &[ListedChange]| changed(all).digest;
        let before = digest(&some());
        assert_eq!(digest(&some()), before);
        let other = |change: &dyn Fn(&mut ListedChange)| {
            let mut all = some();
            change(&mut all[1]);
            digest(&all)
        };
        assert_ne!(other(&|it| it.contents = Digest::of(b"y")), before);
        assert_ne!(other(&|it| it.change.bytes = 2), before);
        assert_ne!(other(&|it| it.change.kind = ChangeKind::Created), before);
        assert_ne!(other(&|it| it.change.is_directory = true), before);
        assert_ne!(other(&|it| it.change.mount = MountName::SCRATCH), before);
        assert_ne!(digest(&some()[..2]), before);
        assert_ne!(digest(&[]), before);
    }
}
