//! Component files without a host.

use cofferdam_testing::Guest;
use serde_json::json;

use crate::command::Place;

#[test]
fn a_call_prints_what_the_api_answers() {
    let place = Place::new();
    place.guest("guest.wasm", &Guest::well_behaved());
    let answer = place.json(&["tool", "call", "guest.wasm", "run"]);
    assert_eq!(
        (&answer["tool"], &answer["result"]),
        (&json!("guest-run"), &json!(true))
    );
    for key in ["call_id", "version", "digest", "usage", "log", "denials"] {
        assert!(!answer[key].is_null(), "{key}: {answer}");
    }
    let ended = place.run(&["tool", "call", "guest.wasm"]).with_code(0);
    assert_eq!(ended.stdout, "true\n");
}

#[test]
fn the_exit_status_says_whose_fault_it_is() {
    let place = Place::new();
    let forever = Guest::new("(loop $again (br $again)) (global.get $answer)");
    place.guest("forever.wasm", &forever);
    place.guest("crash.wasm", &Guest::new("unreachable"));
    place.guest(
        "writer.wasm",
        &Guest::well_behaved().declaring(&["workspace"]),
    );
    place.write("text.wasm", "no component");
    let forever = ["tool", "call", "forever.wasm", "run"];
    for (args, code, word) in [
        (&["tool", "call", "crash.wasm", "run"][..], 1, "trap"),
        (
            &[&forever[..], &["--fuel", "100000"]].concat(),
            1,
            "fuel_exhausted",
        ),
        (
            &[&forever[..], &["--deadline-ms", "100"]].concat(),
            1,
            "timeout",
        ),
        (&["tool", "call", "crash.wasm", "walk"], 2, "not_found"),
        (
            &["tool", "call", "text.wasm", "run"],
            2,
            "component_invalid",
        ),
        (&["tool", "inspect", "text.wasm"], 2, "component_invalid"),
        (&["tool", "call", "writer.wasm", "run"], 3, "policy_denied"),
        (
            &["tool", "call", "writer.wasm", "run", "--workspace", "."],
            3,
            "policy_denied",
        ),
        (
            &[
                "tool",
                "call",
                "writer.wasm",
                "run",
                "--workspace",
                ".",
                "--writable",
            ],
            0,
            "",
        ),
    ] {
        let ended = place.run(args).with_code(code);
        if code != 0 {
            assert!(
                ended.stderr.contains(&format!("({word})\n")),
                "{args:?}: {ended:?}"
            );
            assert!(
                ended
                    .stderr
                    .ends_with(&format!("see docs/errors/{word}.md\n"))
            );
            let body = place
                .run(&[args, &["--json"]].concat())
                .with_code(code)
                .json();
            assert_eq!(body["error"]["code"], word, "{args:?}");
        }
    }
}

#[test]
fn a_preview_tells_changes_or_says_why_it_can_t() {
    let place = Place::new();
    place.guest(
        "writer.wasm",
        &Guest::well_behaved().declaring(&["workspace"]),
    );
    let call = ["tool", "call", "writer.wasm", "run", "--workspace", "."];
    let refused = place
        .run(&[&call[..], &["--writable", "--preview"]].concat())
        .with_code(2);
    assert!(
        refused.stderr.contains("`writes: overlay`"),
        "the workspace is written directly: {refused:?}"
    );
    place.guest("guest.wasm", &Guest::well_behaved());
    let call = ["tool", "call", "guest.wasm"];
    let told = place.run(&[&call[..], &["--preview"]].concat());
    let told = told.with_code(0);
    assert!(told.stderr.contains("no file changed\n"), "{told:?}");
    let digest = format!("sha256:{}", "0".repeat(64));
    let other = place.run(&[&call[..], &["--if-changes", &digest]].concat());
    let other = other.with_code(2);
    assert!(other.stderr.contains("(precondition_failed)"), "{other:?}");
    assert!(other.stderr.contains("  changes sha256:"), "{other:?}");
}

#[test]
fn a_denial_says_what_would_allow_it() {
    let place = Place::new();
    place.guest(
        "writer.wasm",
        &Guest::well_behaved().declaring(&["workspace"]),
    );
    let ended = place.run(&["tool", "call", "writer.wasm"]).with_code(3);
    assert!(
        ended.stderr.contains("\n  denied: workspace, "),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("\n    allowed by: "), "{ended:?}");
}

#[test]
fn an_unknown_tool_is_answered_with_those_there_are() {
    let place = Place::new();
    place.guest("guest.wasm", &Guest::well_behaved());
    let ended = place
        .run(&["tool", "call", "guest.wasm", "walk"])
        .with_code(2);
    assert!(
        ended
            .stderr
            .starts_with("error: the component has no tool `walk`; it has `guest-run`"),
        "{ended:?}"
    );
}

#[test]
fn a_component_is_shown_before_it_is_trusted() {
    let place = Place::new();
    place.guest(
        "writer.wasm",
        &Guest::well_behaved().declaring(&["workspace", "clocks"]),
    );
    let ended = place.run(&["tool", "inspect", "writer.wasm"]).with_code(0);
    for part in [
        "component guest 1.0.0\n",
        "digest    sha256:",
        "\nguest-run 1.0.0\n  Does what a hostile guest does.\n",
        "  needs: workspace (read_write), clocks\n",
        "  takes: nothing\n  gives: any\n",
    ] {
        assert!(ended.stdout.contains(part), "{part}: {ended:?}");
    }
}
