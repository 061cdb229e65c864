//! The same where the machine gives no namespaces, as in most containers: this test runs others of
//! this file once more, in a place where none can be made.

use std::process::{Command, Stdio};

/// Takes away the right to make namespaces, and tells whether that worked.
const BARE: &str = "echo 0 > /proc/sys/user/max_user_namespaces \
    && echo 0 > /proc/sys/user/max_pid_namespaces";
/// Those that a namespace could make pass by itself.
const TESTS: [&str; 9] = [
    "reach::every_wall_stands",
    "reach::no_network_and_no_local_sockets",
    "reach::the_host_can_t_be_signalled",
    "limits::a_fork_bomb",
    "limits::threads_count_as_processes",
    "tree::the_deadline_ends_all_of_it",
    "tree::what_it_leaves_behind_ends_with_it",
    "tree::a_dropped_call_kills_it",
    "streams::how_it_ended_is_told",
];

#[test]
fn without_namespaces() {
    let outer = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "sh", "-c", script, "sh"]);
        command
    };
    let possible = outer(BARE).stderr(Stdio::null()).status();
    if !possible.is_ok_and(|status| status.success()) {
        // Then the machine gives none to begin with, and the other tests have shown it all.
        return;
    }
    let own = std::env::current_exe().expect("a path");
    let output = outer(&format!("{BARE} && exec \"$@\""))
        .arg(own)
        .args(["--exact", "--test-threads=2"])
        .args(TESTS)
        .output()
        .expect("started");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("{} passed", TESTS.len())), "{said}");
}
