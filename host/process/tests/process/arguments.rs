//! Arguments, environment and descriptors are those that were decided, and nothing else.

use serde_json::json;

use crate::stand::Stand;

/// PR-02: nobody reads them but the program.
#[tokio::test]
async fn what_a_shell_would_read_is_passed_on_as_it_is() {
    let arguments = [
        "arguments",
        "$(id)",
        "`id`",
        "a;b",
        "*",
        "%PATH%",
        "a\nb",
        "",
        "--output=/etc/x",
        "'\"\\",
        "|",
        "&&",
        "\u{1b}[31m",
    ];
    let said = Stand::probe(json!({})).says(&arguments).await;
    assert_eq!(said, format!("{:?}", &arguments[1..]));
}

/// PR-04, PR-06: made from nothing.
#[tokio::test]
async fn the_environment_is_the_program_s_own() {
    // What this test itself was started with is there to be inherited.
    let own = std::fs::read("/proc/self/environ").expect("an environment");
    assert!(!own.is_empty());
    let nothing = Stand::probe(json!({})).says(&["environment"]).await;
    assert_eq!(nothing, "[]");
    let own = Stand::probe(json!({"environment": {"LANG": "C"}}));
    assert_eq!(own.says(&["environment"]).await, r#"[("LANG", "C")]"#);
}

/// PR-07: whatever the host holds.
#[tokio::test]
async fn it_holds_three_descriptors() {
    // One that any child would inherit.
    let canary = tempfile::tempfile().expect("a file");
    rustix::io::fcntl_setfd(&canary, rustix::io::FdFlags::empty()).expect("inheritable");
    let said = Stand::probe(json!({})).says(&["descriptors"]).await;
    assert_eq!(said, "[0, 1, 2]");
}

#[tokio::test]
async fn its_name_is_the_registered_path() {
    let shell = Stand::shell(json!({}));
    assert_eq!(shell.says(&["-c", "echo $0"]).await, "/bin/sh\n");
}
