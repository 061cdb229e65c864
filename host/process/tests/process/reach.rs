//! What a confined program can reach beside itself.

use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;

use cofferdam_policy::capability::subprocess::MountAccess;
use cofferdam_process::Wall;
use serde_json::json;

use crate::stand::Stand;

#[tokio::test]
async fn every_wall_stands() {
    let finished = Stand::probe(json!({}))
        .run(&["arguments"])
        .await
        .expect("an end");
    for wall in [
        Wall::Files,
        Wall::SystemCalls,
        Wall::Network,
        Wall::Signals,
        Wall::Privileges,
        Wall::Descriptors,
    ] {
        assert!(
            finished.walls.contains(&wall),
            "{wall:?}: {:?}",
            finished.walls
        );
    }
    assert_eq!(finished.missing, []);
}

/// PR-06, PR-13: the host's environment and everybody else's files.
#[tokio::test]
async fn files_outside_the_mounts_are_out_of_reach() {
    let canary = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(canary.path(), "canary").expect("written");
    let stand = Stand::probe(json!({}));
    std::os::unix::fs::symlink(canary.path(), stand.workspace.path().join("link")).expect("a link");
    std::fs::write(stand.workspace.path().join("own"), "own").expect("written");
    let path = canary.path().to_str().expect("text");
    let environ = format!("/proc/{}/environ", std::process::id());
    for outside in [
        path,
        "link",
        "/etc/passwd",
        "/proc/self/environ",
        "/proc/1/environ",
        &environ,
    ] {
        let said = stand.says(&["read", outside]).await;
        assert!(said.starts_with("Err"), "{outside}: {said}");
        assert_eq!(stand.says(&["write", outside]).await, "false", "{outside}");
        assert_eq!(
            stand.says(&["truncate", outside]).await,
            "false",
            "{outside}"
        );
    }
    assert_eq!(stand.says(&["read", "own"]).await, r#"Ok("own")"#);
    assert_eq!(stand.says(&["write", "own"]).await, "true");
    assert_eq!(
        std::fs::read_to_string(canary.path()).expect("read"),
        "canary"
    );
}

#[tokio::test]
async fn a_mount_to_read_stays_as_it_is() {
    let mut stand = Stand::probe(json!({}));
    stand.access = MountAccess::Read;
    std::fs::write(stand.workspace.path().join("own"), "own").expect("written");
    assert_eq!(stand.says(&["read", "own"]).await, r#"Ok("own")"#);
    assert_eq!(stand.says(&["write", "own"]).await, "false");
    assert_eq!(stand.says(&["truncate", "own"]).await, "false");
    assert_eq!(stand.says(&["write", "fresh"]).await, "false");
}

/// What is kept about files, which no rule about files guards: their modes, times, owners and
/// attributes.
#[tokio::test]
async fn metadata_stays_as_it_is() {
    let outside = tempfile::NamedTempFile::new().expect("a file");
    let readable = tempfile::NamedTempFile::new().expect("a file");
    let mut stand = Stand::probe(json!({"read": [readable.path()]}));
    let own = stand.workspace.path().join("own");
    std::fs::write(&own, "own").expect("written");
    for access in [MountAccess::Read, MountAccess::Write] {
        stand.access = access;
        for path in [outside.path(), readable.path(), own.as_path()] {
            let before = std::fs::metadata(path).expect("a file");
            let refused = stand
                .says(&["metadata", path.to_str().expect("text")])
                .await;
            let after = std::fs::metadata(path).expect("a file");
            let changing = |of: &std::fs::Metadata| (of.mode(), of.mtime_nsec(), of.ctime_nsec());
            assert_eq!(changing(&before), changing(&after), "{}", path.display());
            for call in "chown lchown fchown setxattr fsetxattr removexattr ioctl".split(' ') {
                assert!(
                    refused.split(' ').any(|one| one == call),
                    "{call}: {refused}"
                );
            }
        }
    }
}

/// Those that give modes and times to what they have just made go on.
#[tokio::test]
async fn programs_that_set_modes_of_their_own_files_work() {
    let shell = Stand::shell(json!({}));
    let script = "echo text > made && chmod 600 made && touch -d 2001-01-01 made \
        && cp -p made copy && chmod 777 copy && mv copy made && cat made";
    assert_eq!(shell.says(&["-c", script]).await, "text\n");
}

/// The second table of calls of x86-64 is a way around every filter on the first.
#[cfg(target_arch = "x86_64")]
#[tokio::test]
async fn no_call_of_the_second_table_passes() {
    let stand = Stand::probe(json!({}));
    assert_eq!(stand.says(&["second-table"]).await, "true true true true");
}

/// PR-17: neither connected nor listening.
#[tokio::test]
async fn no_network_and_no_local_sockets() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener
        .local_addr()
        .expect("an address")
        .port()
        .to_string();
    let stand = Stand::probe(json!({}));
    let path = stand.workspace.path().join("daemon.sock");
    let _daemon = UnixListener::bind(&path).expect("a socket");
    let path = path.to_str().expect("text");
    assert_eq!(stand.says(&["sockets", &port, path]).await, "pair");
    let granted = Stand::probe(json!({"network": true}));
    assert_eq!(
        granted.says(&["sockets", &port, path]).await,
        "connect listen datagram pair"
    );
}

/// PR-13: not even by the signal that does nothing.
#[tokio::test]
async fn the_host_can_t_be_signalled() {
    let stand = Stand::probe(json!({"execute": ["/bin", "/usr/bin"]}));
    for pid in [std::process::id(), std::os::unix::process::parent_id()] {
        assert_eq!(stand.says(&["signal", &pid.to_string()]).await, "false");
    }
}

/// PR-04: a search path finds nothing that isn't listed.
#[tokio::test]
async fn only_listed_programs_can_be_started() {
    let shell = Stand::shell(json!({"execute": []}));
    let finished = shell
        .run(&["-c", "/bin/cat /dev/null"])
        .await
        .expect("an end");
    assert_eq!(finished.ended, cofferdam_process::Ended::Exited(126));
    let shell = Stand::shell(json!({}));
    assert_eq!(
        shell.says(&["-c", "/bin/cat /dev/null; echo done"]).await,
        "done\n"
    );
}

/// PR-14: a directory that is gone.
#[tokio::test]
async fn a_directory_that_was_removed_is_no_way_out() {
    let stand = Stand::shell(json!({}));
    std::fs::create_dir(stand.workspace.path().join("gone")).expect("a directory");
    let script =
        "cd gone && rmdir ../gone && cd .. 2>/dev/null; cat /etc/passwd 2>/dev/null; echo end";
    assert_eq!(stand.says(&["-c", script]).await, "end\n");
}

/// PR-15: no capability is left, none can be gained, and no core is written.
#[tokio::test]
async fn no_rights_come_from_a_file() {
    let shell = Stand::shell(json!({"read": ["/proc/self"]}));
    let said = shell
        .says(&["-c", "while read -r line; do case $line in NoNewPrivs*|CapEff*|CapBnd*) echo $line;; esac; done < /proc/self/status; ulimit -c"])
        .await;
    if rustix::process::geteuid().is_root() {
        assert!(said.contains("CapBnd: 0000000000000000"), "{said}");
    }
    assert!(said.contains("NoNewPrivs: 1"), "{said}");
    assert!(said.contains("CapEff: 0000000000000000"), "{said}");
    assert!(said.ends_with("0\n"), "{said}");
}
