use std::path::Path;

use serde_json::json;

use crate::command::Place;

fn tree(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).expect("below the root");
                found.push(name.display().to_string());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_new_project_holds_a_tool_and_what_it_builds_with() {
    let place = Place::new();
    let ended = place.run(&["tool", "new", "word-count"]).with_code(0);
    assert!(
        ended
            .stdout
            .contains("cd word-count\n  cofferdam tool build\n"),
        "{ended:?}"
    );
    let root = place.path().join("word-count");
    let files = tree(&root);
    let own: Vec<_> = files
        .iter()
        .filter(|file| !file.starts_with("cofferdam/"))
        .collect();
    assert_eq!(
        own,
        [
            ".gitignore",
            "Cargo.toml",
            "README.md",
            "src/lib.rs",
            "tests.toml",
            "tests/sandbox.rs"
        ]
    );
    for file in [
        "cofferdam/guest-sdk/rust/Cargo.toml",
        "cofferdam/guest-sdk/rust/src/lib.rs",
        "cofferdam/guest-sdk/macros/Cargo.toml",
        "cofferdam/guest-sdk/macros/src/lib.rs",
        "cofferdam/guest-sdk/test/src/lib.rs",
        "cofferdam/wit/tool.wit",
        "cofferdam/wit/deps/cli.wit",
    ] {
        assert!(
            files.iter().any(|path| path == file),
            "{file} is missing: {files:?}"
        );
    }
    assert!(
        !files.iter().any(|file| file.contains("/tests/")),
        "{files:?}"
    );
    for file in own {
        let text = std::fs::read_to_string(root.join(file)).expect("text");
        assert!(
            !text.contains("{{"),
            "{file} has a place that is not filled"
        );
    }
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("text");
    assert!(manifest.contains("name = \"word-count\""), "{manifest}");
}

#[test]
fn a_project_can_lie_elsewhere() {
    let place = Place::new();
    let made = place.json(&["tool", "new", "hello", "--dir", "tools-of-mine"]);
    assert_eq!(
        made,
        json!({"component": "hello", "directory": "tools-of-mine"})
    );
    assert!(place.path().join("tools-of-mine/src/lib.rs").is_file());
}

#[test]
fn what_is_there_is_not_written_over() {
    let place = Place::new();
    place.write("hello", "mine");
    let ended = place.run(&["tool", "new", "hello"]).with_code(2);
    assert_eq!(
        ended.stderr,
        "error: hello is there already; choose another name, or another place with --dir \
         (conflict)\n  see docs/errors/conflict.md\n"
    );
    let text = std::fs::read_to_string(place.path().join("hello"));
    assert_eq!(text.expect("a file"), "mine");
}

#[test]
fn names_are_refused_with_their_grammar() {
    let place = Place::new();
    let ended = place.run(&["tool", "new", "Hello_World"]).with_code(2);
    assert_eq!(
        ended.stderr,
        "error: `Hello_World` is not a component name: expected lower-case words joined by single \
         hyphens, at most 64 characters, as in `word-count` (invalid_input)\n  \
         see docs/errors/invalid_input.md\n"
    );
}

#[test]
fn commands_of_a_project_say_when_there_is_none() {
    let place = Place::new();
    let says = |args: &[&str], part: &str| {
        let ended = place.run(args).with_code(2);
        assert!(ended.stderr.contains(part), "{args:?}: {ended:?}");
    };
    says(&["tool", "build"], "there is no Cargo.toml here");
    says(&["tool", "test"], "can't read tests.toml");
    place.write("Cargo.toml", "[package]\nname = \"hello\"\n");
    place.write("tests.toml", "[[case]]\nname = \"a\"\ntool = \"greet\"\n");
    says(
        &["tool", "test"],
        "there is no target/hello.wasm: build it with `cofferdam tool build`",
    );
}
