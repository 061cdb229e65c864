//! The file that was checked is the file that is started.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cofferdam_process::{Error, Opened};
use cofferdam_testing::scale;
use serde_json::json;

use crate::stand::{Stand, example, program};

fn pin(path: &Path) -> String {
    let text = cofferdam_types::Digest::of(&fs::read(path).expect("read")).to_string();
    text.trim_start_matches("sha256:").to_owned()
}

fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).expect("copied");
}

/// PR-05: exchanged before the start.
#[tokio::test]
async fn a_pinned_file_that_changed_is_not_started() {
    let place = tempfile::tempdir().expect("a directory");
    let path = place.path().join("tool");
    copy(&example("probe"), &path);
    let stand = Stand::of(program(&path, json!({"sha256": pin(&path)})));
    assert_eq!(stand.says(&["arguments", "a"]).await, r#"["a"]"#);
    copy(Path::new("/bin/sh"), &path);
    let ended = stand.run(&["arguments"]).await;
    assert!(matches!(ended, Err(Error::Changed { .. })), "{ended:?}");
}

/// PR-05: exchanged all the time.
/// While another thread exchanges the file as fast as it can, what is started is what was pinned,
/// or nothing.
#[tokio::test]
async fn no_swap_between_check_and_start() {
    let place = tempfile::tempdir().expect("a directory");
    let (good, bad) = (place.path().join("good"), place.path().join("bad"));
    copy(&example("probe"), &good);
    copy(Path::new("/bin/echo"), &bad);
    let path = place.path().join("tool");
    link(&good, &path);
    let stand = Stand::of(program(&path, json!({"sha256": pin(&good)})));
    let over = Arc::new(AtomicBool::new(false));
    let swapper = {
        let (other, path, over) = (place.path().join("other"), path.clone(), over.clone());
        std::thread::spawn(move || {
            // Until after the last start, so that none of them goes undisturbed.
            while !over.load(Ordering::Relaxed) {
                for target in [&bad, &good] {
                    link(target, &other);
                    fs::rename(&other, &path).expect("exchanged");
                }
            }
        })
    };
    let (mut started, mut refused) = (0, 0);
    for _ in 0..scale::of(10_000, 200) {
        match stand.run(&["arguments", "good"]).await {
            Ok(finished) => {
                assert_eq!(finished.stdout.bytes, br#"["good"]"#);
                started += 1;
            }
            Err(Error::Changed { .. }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    over.store(true, Ordering::Relaxed);
    swapper.join().expect("swapped");
    assert!(
        started > 0 && refused > 0,
        "{started} started, {refused} refused"
    );
}

fn link(target: &Path, at: &Path) {
    std::os::unix::fs::symlink(target, at).expect("a link");
}

/// PR-05: written into after the check.
/// A copy that was checked stays what it was when somebody writes into the file.
#[tokio::test]
async fn writing_into_a_checked_file_changes_nothing() {
    let place = tempfile::tempdir().expect("a directory");
    let path = place.path().join("tool");
    copy(&example("probe"), &path);
    let stand = Stand::of(program(&path, json!({"sha256": pin(&path)})));
    let opened = Opened::new(&stand.program).expect("opened");
    let before = fs::read(&path).expect("read");
    fs::write(&path, vec![0; before.len()]).expect("written");
    let copy = format!(
        "/proc/self/fd/{}",
        std::os::fd::AsRawFd::as_raw_fd(&std::os::fd::AsFd::as_fd(&opened))
    );
    assert!(fs::read(&copy).expect("read") == before);
    assert!(fs::write(&copy, "other").is_err());
}

/// PR-15: a file with the rights of its owner is no program.
#[tokio::test]
async fn what_can_t_be_started_says_why() {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::tempdir().expect("a directory");
    let script = place.path().join("script");
    fs::write(&script, "#!/bin/sh\necho no\n").expect("written");
    let check = |mode: u32, path: &Path, said: &str| {
        if path == script {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
        }
        match Opened::new(&program(path, json!({}))) {
            Err(Error::Program { reason, .. }) => assert!(reason.contains(said), "{reason}"),
            other => panic!("{other:?}"),
        }
    };
    check(0o755, &script, "register its interpreter");
    check(0o644, &script, "not executable");
    check(0o4755, &script, "rights of its owner");
    check(0, place.path(), "not a file");
    check(0, &place.path().join("absent"), "No such file");
}
