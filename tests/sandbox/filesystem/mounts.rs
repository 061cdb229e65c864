use std::fs;
use std::time::{Duration, Instant};

use futures::future::try_join;

use super::*;

const ALL: &str = "{mount: workspace, rights: [read, write, create, delete, list]}";

/// FS-10: a file of a mount to read is no other by a name in a mount to write.
#[tokio::test]
async fn no_file_leaves_a_mount_that_may_only_be_read() -> Result<()> {
    let refs = "{refs: {path: \"{files}/refs\"}}";
    let prober = Prober::under(refs, &[ALL, "{mount: refs, rights: [read, list]}"]).await?;
    let file = prober.file("refs/file")?;
    fs::write(&file, "text")?;
    let before = fs::metadata(&file)?;
    let from = |op: &str, path: &str| {
        json!({
            "op": op, "on": "/refs", "path": path, "into": "/workspace", "to": "mine",
        })
    };
    let mine = json!({"op": "open", "path": "mine", "flags": ["write"], "name": "f"});
    let steps = [
        (from("link", "file"), "not-permitted"),
        (from("rename", "file"), "not-permitted"),
        (mine, "no-entry"),
        (
            json!({"op": "link", "on": "/refs", "path": "file", "into": "/refs", "to": "b"}),
            "not-permitted",
        ),
        (
            json!({"op": "rename", "on": "/refs", "path": "file", "into": "/refs", "to": "b"}),
            "not-permitted",
        ),
        (
            json!({"op": "symlink", "path": "mine", "to": "../refs/file"}),
            "not-permitted",
        ),
        (
            json!({"op": "peek", "on": "/refs", "path": "file", "flags": ["read"]}),
            "text",
        ),
    ];
    prober.check("FS-10", &steps).await?;
    let after = fs::metadata(&file)?;
    ensure!(
        after.len() == before.len() && after.modified()? == before.modified()?,
        "changed"
    );
    ensure!(
        fs::read_dir(&prober.workspace)?.count() == 0,
        "a stray file"
    );
    Ok(())
}

/// FS-12, FS-18: a grant of `data` is none of what begins like it or is spelt almost so.
#[tokio::test]
async fn a_grant_ends_where_its_name_ends() -> Result<()> {
    let entry = "{mount: workspace, paths: [\"data/**\"], rights: [read, write, create, list]}";
    let prober = Prober::under("{}", &[entry]).await?;
    for name in ["data", "data2", "database", "DATA", "da\u{441}ta", "data "] {
        fs::create_dir(prober.workspace.join(name))?;
        fs::write(prober.workspace.join(name).join("file"), name)?;
    }
    let peek = |path: &str| json!({"op": "peek", "path": path, "flags": ["read", "follow"]});
    let mut steps = vec![
        (peek("data/file"), "data"),
        (peek("data2/../data/file"), "data"),
    ];
    for path in [
        "data2/file",
        "database/file",
        "DATA/file",
        "da\u{441}ta/file",
        "data /file",
        "data/../data2/file",
    ] {
        steps.push((peek(path), "not-permitted"));
        steps.push((
            json!({"op": "open", "path": path, "flags": ["write"], "name": "f"}),
            "not-permitted",
        ));
    }
    prober.check("FS-12", &steps).await
}

/// FS-16: a mount that shows processes shows no open file of theirs.
#[tokio::test]
async fn what_the_kernel_links_to_open_files_is_not_followed() -> Result<()> {
    let mounts = "{proc: {path: /proc, dangerous: true}, dev: {path: /dev, dangerous: true}}";
    let mounted = [
        "{mount: proc, rights: [read, list]}",
        "{mount: dev, rights: [read, list]}",
    ];
    let prober = Prober::under(mounts, &[ALL, mounted[0], mounted[1]]).await?;
    let host = prober.host.pid();
    let mut paths = Vec::new();
    for fd in fs::read_dir(format!("/proc/{host}/fd"))? {
        let name = fd?.file_name().to_string_lossy().into_owned();
        paths.push(("/proc", format!("{host}/fd/{name}")));
        paths.push(("/proc", format!("self/fd/{name}")));
        paths.push(("/dev", format!("fd/{name}")));
    }
    for magic in ["root/etc/passwd", "cwd/Cargo.toml", "exe"] {
        paths.push(("/proc", format!("{host}/{magic}")));
        paths.push(("/proc", format!("self/{magic}")));
    }
    let steps: Vec<Value> = paths
        .iter()
        .map(|(on, path)| {
            json!({"op": "open", "on": on, "path": path, "flags": ["read", "follow"], "name": "f"})
        })
        .collect();
    ensure!(steps.len() > 20, "nothing was open");
    let came = prober.came("FS-16", &json!(steps)).await?;
    for (step, came) in steps.iter().zip(came) {
        // What is no file has a link whose text is a name that isn't there.
        let is_refused = ["not-permitted", "no-entry"].contains(&came.as_str());
        ensure!(is_refused, "FS-16: {step}: {came}");
    }
    Ok(())
}

/// FS-25: two calls at once write the same scratch path, and neither sees the other's file.
#[tokio::test]
async fn scratch_is_each_calls_own() -> Result<()> {
    let scratch = "{mount: scratch, rights: [read, write, create, list]}";
    let prober = Prober::under("{}", &[ALL, scratch]).await?;
    let steps = |text: &str| {
        json!([
            {"op": "open", "on": "/scratch", "path": "x", "name": "f",
                "flags": ["create", "exclusive", "read", "write"]},
            {"op": "write", "on": "f", "text": text},
            {"op": "mkdir", "path": text},
            {"op": "stat-at", "path": "go", "times": u32::MAX, "how": "until_it_works"},
            {"op": "peek", "on": "/scratch", "path": "x", "flags": ["read"]},
            {"op": "list", "on": "/scratch"},
        ])
    };
    let go = async {
        let patience = Instant::now() + Duration::from_secs(20);
        for name in ["first", "second"] {
            while !prober.workspace.join(name).exists() {
                ensure!(Instant::now() < patience, "{name} never came");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        Ok(fs::create_dir(prober.workspace.join("go"))?)
    };
    let (first, second) = (steps("first"), steps("second"));
    let calls = try_join(prober.call("probe", &first), prober.call("probe", &second));
    let ((first, second), ()) = try_join(calls, go).await?;
    for (answer, text) in [(first, "first"), (second, "second")] {
        let body = answer.ok()?;
        let came = &body["result"];
        ensure!(
            came[0] == "ok" && came[4] == text && came[5] == "1",
            "FS-25: {came}"
        );
        prober.check_after("FS-25", &body).await?;
    }
    Ok(())
}
