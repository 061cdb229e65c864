//! What others on the machine could see of a secret: processes, core files, the host's environment.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::{Duration, Instant};

use cofferdam_testing::{binary, settled};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};

use super::*;

/// A shell that gets one secret as its input.
const POLICY: &str = r#"version: 1
name: fed
programs:
  sh:
    path: /bin/sh
    environment: {PATH: "/usr/bin:/bin"}
    execute: [/bin, /usr/bin]
rules:
  - name: prober
    tools: ["process-prober-*"]
    allow:
      filesystem: [{mount: workspace, rights: [read, write, create, delete, list]}]
      secrets:
        - {name: token, inject: {program: sh, stdin: true}}
        - {name: other}
      subprocess:
        - program: sh
          arguments: {positions: [{exact: "-c"}, any], rest: any}
          stdin: {bytes: 1KiB}
"#;

/// The secret of these tests alone, so that no other one's is found with the processes.
const FED: &str = "fed to canary-4711";
/// Prints its own arguments and environment, and then what it was given to read.
const LOOK: &str = "echo \"$0 $*\"; env; read line; echo \"got $line\"";
/// Stands in the arguments of a program that waits.
const WORD: &str = "prober-fed";

/// SE-03: a program gets a secret as its input, and nobody sees it in its arguments or environment.
#[tokio::test]
async fn a_program_gets_a_secret_as_its_input_alone() -> Result<()> {
    let files = TempDir::new()?;
    let policy = files.path().join("policy.yaml");
    std::fs::write(&policy, POLICY)?;
    std::fs::set_permissions(&policy, std::fs::Permissions::from_mode(0o600))?;
    let policy = policy.to_str().context("a plain path")?;
    let host = Host::at(&files.path().join("data"), &["--policy", policy])?;
    for canary in CANARIES {
        host.hide(canary);
    }
    host.upload(tool("process-prober")?).await?.ok()?;
    for name in ["token", "other"] {
        let request = host.request("PUT", &format!("/api/v1/secrets/{name}"))?;
        host.send(request.json(&json!({"value": FED})))
            .await?
            .ok()?;
    }
    let feed = |secret: &str, script: &str, as_argument: bool| {
        json!({
            "program": "sh", "arguments": ["-c", script], "secret": secret,
            "as_argument": as_argument,
        })
    };
    host.workspace("fed")?;
    let call = |arguments: Value| {
        let with = json!({"workspace": {"name": "fed", "access": "read_write"}});
        host.call("process-prober-feed", arguments, with)
    };
    let before = Leftovers::of(host.pid())?;
    let body = call(feed("token", LOOK, false)).await?.ok()?;
    let said = body["result"].as_str().context("a text")?;
    ensure!(
        said.contains("got [redacted:token]"),
        "it never arrived: {said}"
    );
    clean("the program", said)?;

    // While it runs, no process of the machine shows it.
    let length = FED.len();
    let waits = format!(": {WORD}; read line; sleep 2; [ ${{#line}} = {length} ] && echo whole");
    let watch = async {
        let patience = Instant::now() + Duration::from_secs(20);
        while !shown_by_processes(WORD)? {
            ensure!(Instant::now() < patience, "the program never began");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        shown_by_processes(FED)
    };
    let (answer, shown) = tokio::join!(call(feed("token", &waits, false)), watch);
    ensure!(answer?.ok()?["result"] == "whole\n", "another text arrived");
    ensure!(!shown?, "a process shows the value");

    for (secret, as_argument) in [("token", true), ("other", false)] {
        let answer = call(feed(secret, LOOK, as_argument)).await?;
        ensure!(
            answer.body["error"]["details"]["tool_code"] == "refused",
            "{secret}: {}",
            answer.body
        );
        clean(secret, &answer.body.to_string())?;
    }
    settled(&host, &before).await
}

/// Whether any process has this in its arguments or environment.
fn shown_by_processes(part: &str) -> Result<bool> {
    for process in std::fs::read_dir("/proc")? {
        let process = process?.path();
        for file in ["cmdline", "environ"] {
            // Many are another user's, or gone by now.
            let text = std::fs::read(process.join(file)).unwrap_or_default();
            if String::from_utf8_lossy(&text).contains(part) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// SE-04, SE-11: the host's memory and environment are closed to others of its user, and a host
/// that dies leaves no core file.
#[tokio::test]
async fn nobody_reads_the_host_itself() -> Result<()> {
    let limit = getrlimit(Resource::Core);
    setrlimit(
        Resource::Core,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    )?;
    let files = TempDir::new()?;
    let plain = files.path().join("plain");
    std::fs::write(
        &plain,
        format!("#!/bin/sh\nexec {PLAIN} {:?} \"$@\"\n", binary()?),
    )?;
    std::fs::set_permissions(&plain, std::fs::Permissions::from_mode(0o700))?;
    let data = files.path().join("data");
    let host = Host::by(&plain, &data, &[], &[("COFFERDAM_SECRET_GIVEN", VALUE)])?;
    let before = Leftovers::of(host.pid())?;
    // Another process of the same user, as plain as the host, is open to it.
    let mut other = Command::new("sh")
        .args(["-c", &format!("exec {PLAIN} sleep 60")])
        .spawn()?;
    let patience = Instant::now() + Duration::from_secs(20);
    while !can_read(other.id(), "environ")? {
        ensure!(Instant::now() < patience, "nothing can be read here at all");
    }
    for file in ["environ", "mem", "maps"] {
        ensure!(!can_read(host.pid(), file)?, "{file} of the host");
    }
    other.kill()?;
    other.wait()?;
    let mode = std::fs::metadata(data.join("secrets.key"))?
        .permissions()
        .mode()
        & 0o777;
    ensure!(mode == 0o600, "{mode:o}");
    settled(&host, &before).await?;
    let status = host.end_by(Signal::ABORT)?;
    ensure!(status.signal() == Some(Signal::ABORT.as_raw()), "{status}");
    ensure!(!status.core_dumped(), "a core file: {status}");
    Ok(())
}

/// Runs what follows as an ordinary process of this user, whoever that is.
const PLAIN: &str = "$([ $(id -u) != 0 ] || echo setpriv --bounding-set=-all --inh-caps=-all --)";

/// Whether an ordinary process of this user can open a file of another one.
fn can_read(pid: u32, file: &str) -> Result<bool> {
    let open = format!("exec {PLAIN} sh -c 'exec 3< /proc/{pid}/{file}'");
    let output = Command::new("sh").args(["-c", &open]).output()?;
    Ok(output.status.success())
}
