use cofferdam_server::types::change::{ChangeList, ChangeWord, PathChange};

use super::{bytes, clean};

/// What a call changed, or would have: a line for each path, and the digest of all.
pub(super) fn changes(list: &ChangeList) -> Vec<String> {
    let mut lines = Vec::new();
    for mount in &list.mounts {
        lines.extend(mount.paths.iter().map(|path| changed(&mount.mount, path)));
    }
    if list.unlisted > 0 {
        lines.push(format!("and {} more", list.unlisted));
    }
    if lines.is_empty() {
        lines.push("no file changed".to_owned());
    }
    lines.push(format!("changes {}", list.digest));
    lines
}

fn changed(mount: &str, changed: &PathChange) -> String {
    let word = match changed.change {
        ChangeWord::Created => "created",
        ChangeWord::Modified => "modified",
        ChangeWord::Deleted => "deleted",
    };
    let path = clean(&format!("/{mount}/{}", changed.path));
    match (changed.directory, changed.change) {
        (true, _) => format!("{word} {path}/"),
        (false, ChangeWord::Deleted) => format!("{word} {path}"),
        (false, _) => format!("{word} {path} ({})", bytes(changed.bytes)),
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_server::types::Digest;
    use cofferdam_server::types::change::MountChanges;

    use super::*;

    #[test]
    fn every_path_has_a_line() {
        let path = |path: &str, change, directory| PathChange {
            path: path.to_owned(),
            change,
            bytes: 2_048,
            directory,
        };
        let digest = Digest::of(b"");
        let list = ChangeList {
            digest,
            mounts: vec![MountChanges {
                mount: "workspace".to_owned(),
                created: 1,
                modified: 1,
                deleted: 1,
                bytes: 1,
                paths: vec![
                    path("a\u{1b}[2J", ChangeWord::Modified, false),
                    path("b", ChangeWord::Created, true),
                    path("c", ChangeWord::Deleted, false),
                ],
            }],
            unlisted: 7,
        };
        let shown = changes(&list);
        assert_eq!(shown[0].find('\u{1b}'), None);
        assert!(shown[0].starts_with("modified /workspace/a"), "{shown:?}");
        assert!(shown[0].ends_with("(2.0 KiB)"), "{shown:?}");
        assert_eq!(
            shown[1..],
            [
                "created /workspace/b/".to_owned(),
                "deleted /workspace/c".to_owned(),
                "and 7 more".to_owned(),
                format!("changes {digest}"),
            ]
        );
        let none = ChangeList {
            digest,
            mounts: Vec::new(),
            unlisted: 0,
        };
        assert_eq!(changes(&none)[0], "no file changed");
    }
}
