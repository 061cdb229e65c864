//! PR-01 to PR-03: what is started is what was granted, argument for argument.

use anyhow::Result;
use serde_json::{Value, json};

use super::{Ruled, code};

const POLICY: &str = r#"
programs:
  echo: {path: /bin/echo, environment: {LANG: C}}
  cat: {path: /bin/cat}
rules:
  - name: prober
    tools: ["process-prober-*"]
    allow:
      filesystem: [{mount: workspace, rights: [read, write, create, delete, list]}]
      subprocess:
        - program: echo
          arguments:
            flags: {"-n": none, "--depth": {integer: {min: 1, max: 9}}, "--out": {path: {mount: workspace, under: sub}}}
            rest: any
        - program: cat
          arguments: {optional: [{path: {mount: workspace}}]}
          stdin: {bytes: 2MiB}
          mounts: {workspace: read}
    deny:
      subprocess: [{program: echo, containing: [{glob: "*secret*"}]}]
"#;

/// PR-01, PR-02: what fits the grammar goes through as it is, and nothing else does.
#[tokio::test]
async fn arguments_are_a_grammar_and_no_command_line() -> Result<()> {
    let ruled = Ruled::start(POLICY).await?;
    let hostile = json!([
        "-n",
        "$(id)",
        "`id`",
        ";",
        "| sh",
        "a\nb",
        "*",
        "%PATH%",
        "--depth=3"
    ]);
    let said = ruled
        .said(json!({"program": "echo", "arguments": hostile}))
        .await?;
    assert_eq!(said["stdout"], "$(id) `id` ; | sh a\nb * %PATH% --depth=3");
    for (arguments, expected) in [
        (json!(["--output=/etc/x"]), "denied"),
        (json!(["-oProxyCommand=sh"]), "denied"),
        (json!(["--", "a"]), "denied"),
        (json!(["--depth=10"]), "denied"),
        (json!(["a secret"]), "denied"),
        (json!(["a\u{0}b"]), "malformed"),
        (json!(["-n"]), "ok"),
    ] {
        let asked = json!({"program": "echo", "arguments": arguments});
        assert_eq!(ruled.code(asked).await?, expected, "{arguments}");
    }
    ruled.settled().await
}

/// PR-03: other programs, and other spellings of the name.
#[tokio::test]
async fn only_registered_names_are_programs() -> Result<()> {
    let ruled = Ruled::start(POLICY).await?;
    for name in [
        "sh",
        "/bin/echo",
        "./echo",
        "echo/../sh",
        "ECHO",
        "echo ",
        "/tmp/echo",
        "",
    ] {
        assert_eq!(
            ruled.code(json!({"program": name})).await?,
            "denied",
            "{name}"
        );
    }
    assert_eq!(
        ruled.code(json!({"program": "echo\u{0}"})).await?,
        "malformed"
    );
    ruled.settled().await
}

/// PR-14: neither an argument nor the directory leads out.
#[tokio::test]
async fn a_path_is_the_tool_s_and_never_leaves_its_mount() -> Result<()> {
    let ruled = Ruled::start(POLICY).await?;
    std::fs::write(ruled.workspace().join("sub/note"), "noted")?;
    let read = |path: &str| json!({"program": "cat", "path": path});
    assert_eq!(
        ruled.said(read("/workspace/sub/note")).await?["stdout"],
        "noted"
    );
    let from = json!({"program": "cat", "arguments": ["note"], "directory": "/workspace/sub"});
    assert_eq!(ruled.said(from).await?["stdout"], "noted");
    let out = json!({"program": "echo", "flag": "--out=", "path": "/workspace/sub/x"});
    let expected = format!("--out={}\n", ruled.workspace().join("sub/x").display());
    assert_eq!(ruled.said(out).await?["stdout"], expected);
    for (asked, expected) in [
        (read("/etc/passwd"), "denied"),
        (read("/workspace/../../x"), "malformed"),
        (read("workspace/x"), "malformed"),
        (
            json!({"program": "cat", "arguments": ["/etc/passwd"]}),
            "denied",
        ),
        (json!({"program": "cat", "arguments": ["../x"]}), "denied"),
        (
            json!({"program": "echo", "flag": "--out=", "path": "/workspace/x"}),
            "denied",
        ),
        (
            json!({"program": "echo", "flag": "--to=", "path": "/workspace/sub/x"}),
            "denied",
        ),
        (
            json!({"program": "cat", "directory": "/workspace/absent"}),
            "no_directory",
        ),
        (json!({"program": "cat", "directory": "/etc"}), "denied"),
        (
            json!({"program": "cat", "directory": "/workspace/.."}),
            "malformed",
        ),
    ] {
        assert_eq!(ruled.code(asked.clone()).await?, expected, "{asked}");
    }
    // A link is no way out for a program that may only read the workspace.
    std::os::unix::fs::symlink("/etc/passwd", ruled.workspace().join("link"))?;
    let said = ruled.said(read("/workspace/link")).await?;
    assert_eq!((&said["code"], &said["stdout"]), (&json!(1), &json!("")));
    ruled.settled().await
}

#[tokio::test]
async fn a_denial_says_what_would_allow_it() -> Result<()> {
    let ruled = Ruled::start(POLICY).await?;
    let answer = ruled
        .call(
            json!({"program": "sh", "arguments": ["-c", "id"]}),
            json!({}),
        )
        .await?;
    assert_eq!(code(&answer), "denied");
    let denial = &answer.body["error"]["details"]["denials"][0];
    assert_eq!(denial["capability"], "subprocess", "{}", answer.body);
    let patch = denial["smallest_grant"].as_str().unwrap_or_default();
    assert!(
        patch.contains(r#"program: "sh""#) && patch.contains(r#"{exact: "-c"}"#),
        "{patch}"
    );
    ruled.settled().await
}

#[tokio::test]
async fn a_tool_that_declares_no_programs_has_none() -> Result<()> {
    let ruled = Ruled::start(POLICY).await?;
    let asked = json!({"program": "echo"});
    let answer = ruled
        .host
        .call("process-prober-undeclared", asked, json!({}))
        .await?;
    assert_eq!(code(&answer), "failed", "{}", answer.body);
    ruled.settled().await
}

/// PR-12: both at once, and more than the pipes hold.
#[tokio::test]
async fn stdin_and_output_go_through_whole() -> Result<()> {
    let ruled = Ruled::start(POLICY).await?;
    let text = "0123456789abcdef";
    let asked = |times: usize| json!({"program": "cat", "stdin": text, "times": times});
    let said = ruled.said(asked(62_500)).await?;
    let length = said["stdout"].as_str().map_or(0, str::len);
    assert_eq!((length, &said["dropped"]), (1_000_000, &json!(0)));
    assert_eq!(ruled.code(asked((2 << 16) + 1)).await?, "denied");
    let unfed = json!({"program": "echo", "stdin": "a"});
    assert_eq!(ruled.code(unfed).await?, "denied");
    assert_eq!(said["code"], Value::from(0));
    ruled.settled().await
}
