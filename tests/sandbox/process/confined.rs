//! PR-04, PR-06, PR-13 to PR-17: what a program that was started can reach.

use std::net::TcpListener;

use anyhow::{Result, ensure};
use serde_json::json;

use super::Ruled;

/// A shell that may do whatever its walls leave.
const SHELL: &str = r#"
programs:
  sh:
    path: /bin/sh
    environment: {PATH: "/usr/bin:/bin", OWN: set}
    execute: [/bin, /usr/bin]
    limits: {processes: 16, output: 64KiB, time: 20s}
rules:
  - name: prober
    tools: ["process-prober-*"]
    allow:
      filesystem: [{mount: workspace, rights: [read, write, create, delete, list]}]
      subprocess:
        - program: sh
          arguments: {positions: [{exact: "-c"}, any]}
          mounts: {workspace: write}
"#;

/// What a script prints that is not stopped.
async fn prints(ruled: &Ruled, script: &str) -> Result<String> {
    let said = ruled
        .said(json!({"program": "sh", "arguments": ["-c", script]}))
        .await?;
    Ok(said["stdout"].as_str().unwrap_or_default().to_owned())
}

/// PR-04, PR-06, PR-13: its environment, its memory, its files, and its process.
#[tokio::test]
async fn nothing_of_the_host_is_seen() -> Result<()> {
    let ruled = Ruled::start(SHELL).await?;
    let environment = prints(
        &ruled,
        "env | grep -v -e ^_= -e ^PWD= -e ^OLDPWD= -e ^SHLVL= | sort",
    )
    .await?;
    assert_eq!(environment, "OWN=set\nPATH=/usr/bin:/bin\n");
    let host = ruled.host.pid();
    let data = ruled.workspace();
    let key = data
        .parent()
        .and_then(|path| path.parent())
        .map(|path| path.join("admin.key"));
    let key = key.unwrap_or_default();
    assert!(key.exists());
    for file in [
        format!("/proc/{host}/environ"),
        format!("/proc/{host}/cmdline"),
        format!("/proc/{host}/mem"),
        "/proc/self/environ".to_owned(),
        "/etc/passwd".to_owned(),
        key.display().to_string(),
    ] {
        assert_eq!(
            prints(&ruled, &format!("cat {file} 2>/dev/null")).await?,
            "",
            "{file}"
        );
        let write = format!("echo x >> {file} && echo written");
        assert_eq!(prints(&ruled, &write).await?, "", "{file}");
    }
    assert_eq!(
        prints(&ruled, &format!("kill -0 {host} 2>/dev/null && echo there")).await?,
        ""
    );
    assert_eq!(prints(&ruled, "ulimit -c").await?, "0\n");
    assert_eq!(
        prints(&ruled, "echo kept > own && cat own").await?,
        "kept\n"
    );
    ruled.settled().await
}

#[tokio::test]
async fn every_wall_stands() -> Result<()> {
    let ruled = Ruled::start(SHELL).await?;
    let said = ruled
        .said(json!({"program": "sh", "arguments": ["-c", ":"]}))
        .await?;
    let walls = said["confined_by"].as_array().cloned().unwrap_or_default();
    for wall in [
        "files",
        "system_calls",
        "network",
        "signals",
        "privileges",
        "descriptors",
    ] {
        assert!(walls.contains(&json!(wall)), "{wall}: {walls:?}");
    }
    ruled.settled().await
}

#[tokio::test]
async fn rules_about_files_bound_programs_as_well() -> Result<()> {
    let narrow = SHELL.replace(
        "rights: [read, write, create, delete, list]",
        "rights: [read, list]",
    );
    let ruled = Ruled::start(&narrow).await?;
    std::fs::write(ruled.workspace().join("own"), "own")?;
    assert_eq!(
        prints(&ruled, "cat own; echo x > own || echo no").await?,
        "ownno\n"
    );
    ruled.settled().await
}

/// PR-17: a program connects where it was granted a network, and else not even to this machine.
#[tokio::test]
async fn there_is_no_network_without_its_grant() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let bash = SHELL.replace("/bin/sh", "/bin/bash");
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port} && echo connected");
    let ruled = Ruled::start(&bash).await?;
    ensure!(prints(&ruled, &script).await?.is_empty(), "it connected");
    ensure!(listener.accept().is_err(), "somebody connected");
    ruled.settled().await?;
    let granted = bash.replace(
        "    path: /bin/bash",
        "    path: /bin/bash\n    network: true",
    );
    let ruled = Ruled::start(&granted).await?;
    ensure!(
        prints(&ruled, &script).await? == "connected\n",
        "nothing was tried"
    );
    ruled.settled().await
}
