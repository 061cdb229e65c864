use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

const REFUSED: &str = "not-permitted";

fn flags(path: &str, flags: &[&str]) -> Value {
    json!({"op": "open", "path": path, "flags": flags, "name": "f"})
}

/// FS-09: by opening, by name and by descriptor; size and times stay.
#[tokio::test]
async fn a_tool_that_only_looks_changes_nothing() -> Result<()> {
    let prober = Prober::start().await?;
    let file = prober.workspace.join("file");
    fs::write(&file, "text")?;
    let before = fs::metadata(&file)?;
    let mut steps: Vec<_> = [
        &["read", "write"][..],
        &["write"],
        &["read", "truncate"],
        &["read", "create"],
        &["write", "create"],
    ]
    .iter()
    .map(|words| (flags("file", words), REFUSED))
    .collect();
    steps.extend([
        (flags("new", &["create"]), REFUSED),
        (op("set-times-at", "file"), REFUSED),
        (op("mkdir", "new"), REFUSED),
        (op("unlink", "file"), REFUSED),
        (
            json!({"op": "rename", "path": "file", "to": "new"}),
            REFUSED,
        ),
        (json!({"op": "link", "path": "file", "to": "new"}), REFUSED),
        (
            json!({"op": "symlink", "path": "new", "to": "file"}),
            REFUSED,
        ),
        (flags("file", &["read"]), "ok"),
        (json!({"op": "set-size", "on": "f"}), "bad-descriptor"),
        (json!({"op": "set-times", "on": "f"}), "bad-descriptor"),
        (
            json!({"op": "write", "on": "f", "text": "x"}),
            "bad-descriptor",
        ),
        (
            json!({"op": "append", "on": "f", "text": "x"}),
            "bad-descriptor",
        ),
        (json!({"op": "advise", "on": "f"}), "ok"),
        (json!({"op": "read", "on": "f"}), "text"),
    ]);
    prober.check_as("look", "FS-09", &steps).await?;
    let after = fs::metadata(&file)?;
    ensure!(
        after.modified()? == before.modified()? && after.len() == before.len(),
        "changed"
    );
    ensure!(
        fs::read_dir(&prober.workspace)?.count() == 1,
        "a stray file"
    );
    Ok(())
}

/// FS-11, FS-24: each use by itself; and what is made is nobody's program.
#[tokio::test]
async fn descriptors_and_names_give_no_more_than_they_were_opened_for() -> Result<()> {
    let prober = Prober::start().await?;
    prober
        .check(
            "FS-11",
            &[
                (flags("file", &["create", "write"]), "ok"),
                (json!({"op": "write", "on": "f", "text": "text"}), "4"),
                (json!({"op": "append", "on": "f", "text": "+"}), "1"),
                (json!({"op": "read", "on": "f"}), "bad-descriptor"),
                (json!({"op": "link", "path": "file", "to": "second"}), "ok"),
                (op("mkdir", "a"), "ok"),
            ],
        )
        .await?;
    let mode = |name: &str| -> Result<u32> {
        Ok(fs::metadata(prober.workspace.join(name))?
            .permissions()
            .mode()
            & 0o7777)
    };
    ensure!(
        mode("file")? & !0o644 == 0 && mode("a")? & !0o755 == 0,
        "FS-24"
    );
    ensure!(
        fs::read_to_string(prober.workspace.join("second"))? == "text+",
        "FS-11"
    );
    Ok(())
}

/// A tool that may write below directories which it may not look at does so, and is told what it may
/// not.
#[tokio::test]
async fn who_may_only_write_has_a_workspace_all_the_same() -> Result<()> {
    let files = tempfile::TempDir::new()?;
    let policy = files.path().join("policy.yaml");
    let text = "version: 1\nname: below\nrules:\n  - tools: ['files-*']\n    allow:\n      filesystem: \
                [{mount: workspace, paths: ['out/**'], rights: [write, create]}]\n";
    fs::write(&policy, text)?;
    fs::set_permissions(&policy, fs::Permissions::from_mode(0o600))?;
    let policy = policy.to_str().context("a plain path")?;
    let host = Host::at(&files.path().join("host"), &["--policy", policy])?;
    host.upload(tool("files")?).await?.ok()?;
    let workspace = host.workspace("probe")?;
    fs::create_dir(workspace.join("out"))?;
    let write = async |path: &str| {
        let with = json!({"workspace": {"name": "probe", "access": "read_write"}});
        let arguments = json!({"path": path, "text": "text"});
        host.call("files-write", arguments, with).await
    };
    for (path, expected) in [("out/a", None), ("other", Some("permission_denied"))] {
        let answer = write(path).await?;
        let own = answer.body["error"]["details"]["tool_code"].as_str();
        ensure!(own == expected, "{path}: {}", answer.body);
    }
    ensure!(fs::read_to_string(workspace.join("out/a"))? == "text");
    ensure!(!workspace.join("other").exists());
    Ok(())
}
