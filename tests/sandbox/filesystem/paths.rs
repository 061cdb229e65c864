use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::*;

const REFUSED: &str = "not-permitted";

/// FS-01, FS-02: whatever is done with such a path, and each denial is on record.
#[tokio::test]
async fn paths_that_lead_out() -> Result<()> {
    let prober = Prober::start().await?;
    fs::create_dir(prober.workspace.join("a"))?;
    for (row, path) in [
        ("FS-01", "../probe2/canary"),
        ("FS-01", "a/../../probe2/canary"),
        ("FS-01", "./../probe2/canary"),
        ("FS-02", "/etc/passwd"),
        ("FS-02", "//etc/passwd"),
        ("FS-02", "/proc/self/environ"),
        ("FS-01", "../probe2"),
    ] {
        let steps = [
            (open(path), REFUSED),
            (op("mkdir", path), REFUSED),
            (op("unlink", path), REFUSED),
            (op("stat-at", path), REFUSED),
            (op("readlink", path), REFUSED),
            (json!({"op": "rename", "path": "a", "to": path}), REFUSED),
            (
                json!({"op": "symlink", "path": "link", "to": path}),
                REFUSED,
            ),
        ];
        prober.check(row, &steps).await?;
    }
    let body = prober
        .call("probe", &json!([open("../probe2/canary")]))
        .await?
        .ok()?;
    let denial = &body["denials"][0];
    ensure!(
        denial["capability"] == "filesystem" && denial["code"] == "malformed",
        "{body}"
    );
    Ok(())
}

/// FS-03, FS-04, FS-05, FS-06: links that the operator and the guest made.
#[tokio::test]
async fn links_that_lead_out() -> Result<()> {
    let prober = Prober::start().await?;
    let plant = |target: &str, name: &str| symlink(target, prober.workspace.join(name));
    fs::create_dir(prober.workspace.join("a"))?;
    fs::write(prober.workspace.join("a/x"), "x")?;
    plant("../probe2/canary", "out")?;
    plant("../probe2", "out-dir")?;
    plant("/etc/passwd", "absolute")?;
    plant("/proc/self/fd/0", "magic")?;
    plant("..", "a/up")?;
    plant("up/..", "a/stairs")?;
    plant("loop", "loop")?;
    for n in 0..41 {
        plant(&format!("chain-{}", n + 1), &format!("chain-{n}"))?;
    }
    fs::write(prober.workspace.join("chain-41"), "end")?;
    for (row, path, expected) in [
        ("FS-03", "out", REFUSED),
        ("FS-03", "out-dir/canary", REFUSED),
        ("FS-03", "absolute", REFUSED),
        ("FS-04", "a/stairs/probe2/canary", REFUSED),
        ("FS-04", "loop", "loop"),
        ("FS-04", "chain-0", "loop"),
        ("FS-05", "out-dir/", REFUSED),
        ("FS-05", "absolute/", REFUSED),
        ("FS-03", "magic", REFUSED),
    ] {
        prober.check(row, &[(open(path), expected)]).await?;
    }
    prober
        .check(
            "FS-03 inside",
            &[
                (open("a/up/a/x"), "ok"),
                (json!({"op": "read", "on": "f"}), "x"),
                (
                    json!({"op": "symlink", "path": "mine", "to": "/etc/passwd"}),
                    REFUSED,
                ),
                (
                    json!({"op": "symlink", "path": "mine", "to": "../probe2"}),
                    REFUSED,
                ),
                (op("readlink", "absolute"), REFUSED),
            ],
        )
        .await?;
    let rename = json!({"op": "rename", "path": "out-dir/", "to": "moved"});
    prober.check("FS-06", &[(rename, "not-directory")]).await
}

/// FS-15, FS-17, FS-18, FS-23: what is no file, odd names, odd times.
#[tokio::test]
async fn things_that_are_no_files_and_names_that_are_odd() -> Result<()> {
    let prober = Prober::start().await?;
    let made = Command::new("mkfifo")
        .arg(prober.workspace.join("pipe"))
        .status()?;
    ensure!(made.success(), "no pipe");
    let _socket = std::os::unix::net::UnixListener::bind(prober.workspace.join("socket"))?;
    prober
        .check(
            "FS-15",
            &[(open("pipe"), REFUSED), (open("socket"), REFUSED)],
        )
        .await?;
    let long = "n".repeat(255);
    let odd = [
        "new\nline",
        "CON",
        "COM\u{b9}",
        "a:b",
        "file.",
        "\u{202e}txt",
        "caf\u{e9}",
        "cafe\u{301}",
        "A",
        "a",
        &long,
    ];
    let create = |path: &str| json!({"op": "open", "path": path, "flags": ["create", "exclusive", "write"], "name": "f"});
    let mut steps: Vec<_> = odd.iter().map(|name| (create(name), "ok")).collect();
    let (longer, path) = ("n".repeat(256), "a/".repeat(2_049));
    steps.push((create(&longer), "name-too-long"));
    steps.push((create(&path), "name-too-long"));
    steps.push((create("n\0ul"), "invalid"));
    steps.push((create(""), "no-entry"));
    prober.check("FS-17 FS-18", &steps).await?;
    ensure!(
        fs::read_dir(&prober.workspace)?.count() == odd.len() + 2,
        "each its own"
    );
    prober
        .check(
            "FS-23",
            &[
                (
                    json!({"op": "set-times-at", "path": "a", "number": i64::MAX}),
                    "ok",
                ),
                (
                    json!({"op": "set-times-at", "path": "a", "number": u64::MAX}),
                    "invalid",
                ),
                (op("stat-at", "a"), "0"),
            ],
        )
        .await
}
