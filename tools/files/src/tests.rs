//! The tools through the door that the host uses: JSON in, JSON out, in a real directory.

use std::fs;
use std::path::Path;

use cofferdam_sdk::ToolError;
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{TOOLS, mount};

/// A small workspace: what the examples speak of, and things that are hard to read.
fn workspace() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let files: [(&str, &[u8]); 6] = [
        (
            "src/lib.rs",
            b"pub fn one() -> u8 {\n    1 // TODO: two\n}\n",
        ),
        ("docs/guide.md", b"# Guide\n\nFirst, look around.\nThen"),
        ("logo.png", b"\x89PNG\r\n\x1a\n\0\0\0\x0d"),
        ("latin1.txt", b"caf\xe9\n"),
        ("empty", b""),
        (".git/config", b"[core] TODO\n"),
    ];
    for (path, contents) in files {
        put(dir.path(), path, contents);
    }
    mount(dir.path());
    dir
}

fn put(root: &Path, path: &str, contents: &[u8]) {
    let full = root.join(path);
    fs::create_dir_all(full.parent().expect("below the root")).expect("directories");
    fs::write(full, contents).expect("a file");
}

fn call(tool: &str, arguments: &Value) -> Result<Value, ToolError> {
    let result = TOOLS.call(tool, &arguments.to_string())?;
    Ok(serde_json::from_str(&result).expect("a result is JSON"))
}

fn ok(tool: &str, arguments: &Value) -> Value {
    call(tool, arguments).unwrap_or_else(|error| panic!("{tool} {arguments}: {error}"))
}

fn code(tool: &str, arguments: &Value) -> String {
    match call(tool, arguments) {
        Ok(result) => panic!("{tool} {arguments} gave {result}"),
        Err(error) => error.code,
    }
}

fn names(listing: &Value) -> Vec<&str> {
    let entries = listing["entries"].as_array().expect("entries");
    entries
        .iter()
        .map(|entry| entry["path"].as_str().expect("a path"))
        .collect()
}

#[test]
fn every_example_gives_what_it_states() {
    let manifest: Value = serde_json::from_str(&TOOLS.describe()).expect("a manifest");
    for tool in manifest["tools"].as_array().expect("tools") {
        let name = tool["function"].as_str().expect("a name");
        let examples = tool["examples"].as_array().expect("examples");
        assert!(!examples.is_empty(), "{name} has no example");
        for example in examples {
            let _dir = workspace();
            let result = ok(name, &example["arguments"]);
            if let Some(stated) = example.get("result") {
                assert_eq!(&result, stated, "{name}: {}", example["title"]);
            }
        }
    }
}

#[test]
fn every_argument_is_described() {
    let manifest: Value = serde_json::from_str(&TOOLS.describe()).expect("a manifest");
    assert_eq!(manifest["name"], "files");
    for tool in manifest["tools"].as_array().expect("tools") {
        assert!(
            tool["description"]
                .as_str()
                .is_some_and(|text| text.len() > 80),
            "{tool}"
        );
        for (name, schema) in tool["args_schema"]["properties"]
            .as_object()
            .expect("properties")
        {
            assert!(
                schema["description"].is_string(),
                "{}: {name}",
                tool["function"]
            );
        }
    }
}

#[test]
fn list_picks_and_orders() {
    let dir = workspace();
    put(dir.path(), "src/deep/mod.rs", b"one\ntwo");
    put(dir.path(), "src.txt", b"");
    #[cfg(unix)]
    std::os::unix::fs::symlink(dir.path(), dir.path().join("loop")).expect("a link");
    for (arguments, expected) in [
        (
            json!({"exclude": []}),
            vec![
                ".git",
                "docs",
                "empty",
                "latin1.txt",
                "logo.png",
                "loop",
                "src",
                "src.txt",
            ],
        ),
        (json!({"glob": "*.txt"}), vec!["latin1.txt", "src.txt"]),
        (json!({"kind": "directory"}), vec!["docs", "src"]),
        (json!({"kind": "symlink"}), vec!["loop"]),
        (
            json!({"path": "src", "recursive": true}),
            vec!["src/deep", "src/deep/mod.rs", "src/lib.rs"],
        ),
        (
            json!({"path": "./src/", "glob": "*/*.rs"}),
            vec!["src/deep/mod.rs"],
        ),
        (
            json!({"glob": "**/*.rs"}),
            vec!["src/deep/mod.rs", "src/lib.rs"],
        ),
        (
            json!({"glob": "**/*.rs", "exclude": ["deep"]}),
            vec!["src/lib.rs"],
        ),
        (
            json!({"recursive": true, "kind": "file", "offset": 3, "limit": 2}),
            vec!["logo.png", "src/deep/mod.rs"],
        ),
        (json!({"offset": 99}), vec![]),
    ] {
        assert_eq!(names(&ok("list", &arguments)), expected, "{arguments}");
    }
    for (arguments, expected) in [
        (json!({"path": "none"}), "file_not_found"),
        (json!({"path": "empty"}), "not_a_directory"),
        (json!({"path": "../x"}), "invalid_path"),
        (json!({"glob": "[a"}), "invalid_glob"),
    ] {
        assert_eq!(code("list", &arguments), expected, "{arguments}");
    }
}

#[test]
fn list_counts_lines_as_wc_does_and_the_open_last_one() {
    let dir = workspace();
    for (path, contents, lines) in [
        ("n/0", &b""[..], json!(0)),
        ("n/1", b"x", json!(1)),
        ("n/2", b"x\n", json!(1)),
        ("n/3", b"\n\n", json!(2)),
        ("n/4", b"a\nb", json!(2)),
        ("n/5", b"a\0b\n", Value::Null),
    ] {
        put(dir.path(), path, contents);
        let listing = ok(
            "list",
            &json!({"path": "n", "glob": path[2..], "count_lines": true}),
        );
        assert_eq!(listing["entries"][0]["lines"], lines, "{path}");
    }
    let long = vec![b'\n'; 200_001];
    put(dir.path(), "long", &long);
    let listing = ok("list", &json!({"glob": "long", "count_lines": true}));
    assert_eq!(listing["entries"][0]["lines"], 200_001);
}

#[test]
fn list_pages_cover_everything_once() {
    let dir = workspace();
    let name = "x".repeat(200);
    for number in 0..4_000 {
        put(dir.path(), &format!("many/{number:04}{name}"), b"");
    }
    let (mut offset, mut seen) = (json!(0), Vec::new());
    loop {
        let page = ok(
            "list",
            &json!({"path": "many", "offset": offset, "limit": 100_000}),
        );
        assert!(page.to_string().len() < 1024 * 1024);
        seen.extend(names(&page).into_iter().map(str::to_owned));
        assert_eq!(page["truncated"], page["next_offset"].is_u64());
        if page["truncated"] == false {
            break;
        }
        offset = page["next_offset"].clone();
    }
    assert_eq!(seen.len(), 4_000);
    assert!(seen.is_sorted());
}

#[test]
fn read_pages_by_lines() {
    let dir = workspace();
    put(dir.path(), "crlf", b"a\r\nb\r\n");
    for (arguments, text, first, total, next) in [
        (
            json!({"path": "docs/guide.md"}),
            "# Guide\n\nFirst, look around.\nThen",
            1,
            4,
            None,
        ),
        (
            json!({"path": "docs/guide.md", "limit": 2}),
            "# Guide\n\n",
            1,
            4,
            Some(2),
        ),
        (
            json!({"path": "docs/guide.md", "offset": 3}),
            "Then",
            4,
            4,
            None,
        ),
        (
            json!({"path": "docs/guide.md", "offset": 4}),
            "",
            5,
            4,
            None,
        ),
        (
            json!({"path": "docs/guide.md", "limit": 0}),
            "",
            1,
            4,
            Some(0),
        ),
        (json!({"path": "empty"}), "", 1, 0, None),
        (json!({"path": "crlf", "limit": 1}), "a\r\n", 1, 2, Some(1)),
    ] {
        let page = ok("read", &arguments);
        assert_eq!(page["text"], text, "{arguments}");
        assert_eq!(page["first_line"], first, "{arguments}");
        assert_eq!(page["total_lines"], total, "{arguments}");
        assert_eq!(
            page.get("next_offset").and_then(Value::as_u64),
            next,
            "{arguments}"
        );
        assert_eq!(page["bytes"], text.len(), "{arguments}");
    }
}

#[test]
fn read_refuses_what_it_cannot_give() {
    let dir = workspace();
    let wide = "y".repeat(900 * 1024);
    put(dir.path(), "wide", format!("x\n{wide}\nz\n").as_bytes());
    for (arguments, expected) in [
        (json!({"path": "none"}), "file_not_found"),
        (json!({"path": "src"}), "not_a_file"),
        (json!({"path": ""}), "not_a_file"),
        (json!({"path": "empty/x"}), "not_a_directory"),
        (json!({"path": "/etc/passwd"}), "invalid_path"),
        (json!({"path": "latin1.txt"}), "not_text"),
        (json!({"path": "logo.png", "unit": "bytes"}), "not_text"),
        (json!({"path": "wide", "offset": 1}), "too_large"),
        (
            json!({"path": "wide", "unit": "lines", "encoding": "base64"}),
            "invalid_argument",
        ),
        (
            json!({"path": "wide", "encoding": "latin1"}),
            "invalid_arguments",
        ),
        (json!({"path": "wide", "lines": 3}), "invalid_arguments"),
    ] {
        assert_eq!(code("read", &arguments), expected, "{arguments}");
    }
    let page = ok("read", &json!({"path": "wide"}));
    assert_eq!(
        (&page["text"], &page["next_offset"]),
        (&json!("x\n"), &json!(1))
    );
    assert_eq!(
        ok("read", &json!({"path": "wide", "offset": 2}))["text"],
        "z\n"
    );
    assert_eq!(
        ok("read", &json!({"path": "latin1.txt", "encoding": "base64"}))["text"],
        "Y2Fm6Qo="
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However a file is paged, the pages joined are the file.
    #[test]
    fn pages_join_to_the_file(
        text in "([a-zé€😀\"\\\\]{0,9}\r?\n?){0,30}",
        limit in 1_u64..40,
        by_lines: bool,
    ) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        put(dir.path(), "f", text.as_bytes());
        mount(dir.path());
        // A page of bytes holds at least one whole character.
        let (unit, limit) = if by_lines { ("lines", limit) } else { ("bytes", limit + 3) };
        let (mut offset, mut joined) = (json!(0), String::new());
        loop {
            let page = ok(
                "read",
                &json!({"path": "f", "unit": unit, "offset": offset, "limit": limit}),
            );
            joined.push_str(page["text"].as_str().expect("text"));
            match page.get("next_offset") {
                Some(next) => offset = next.clone(),
                None => break,
            }
        }
        prop_assert_eq!(joined, text);
    }
}

#[test]
fn large_pages_stay_below_the_result_limit() {
    let dir = workspace();
    put(
        dir.path(),
        "quotes",
        "\"\"\"\"\n".repeat(400_000).as_bytes(),
    );
    put(dir.path(), "control", &vec![1; 400_000]);
    for arguments in [
        json!({"path": "quotes", "limit": 1_000_000}),
        json!({"path": "quotes", "unit": "bytes", "limit": 100_000_000}),
        json!({"path": "control", "unit": "bytes", "limit": 100_000_000}),
        json!({"path": "quotes", "encoding": "base64", "limit": 100_000_000}),
    ] {
        let page = ok("read", &arguments);
        let length = page.to_string().len();
        assert!(
            (700_000..1_048_576).contains(&length),
            "{arguments}: {length}"
        );
        assert_eq!(page["truncated"], true, "{arguments}");
    }
}

#[test]
fn write_creates_replaces_and_appends() {
    let dir = workspace();
    let seen = |path: &str| fs::read_to_string(dir.path().join(path)).expect(path);
    let mut before = Vec::new();
    for (arguments, created, contents) in [
        (json!({"path": "w", "text": "a"}), true, "a"),
        (
            json!({"path": "w", "text": "b", "mode": "append"}),
            false,
            "ab",
        ),
        (
            json!({"path": "w", "text": "ü", "mode": "overwrite"}),
            false,
            "ü",
        ),
        (
            json!({"path": "v", "text": "x", "mode": "append"}),
            true,
            "x",
        ),
        (
            json!({"path": "u", "text": "", "mode": "overwrite"}),
            true,
            "",
        ),
        (
            json!({"path": "a/b/c", "text": "d", "create_dirs": true}),
            true,
            "d",
        ),
    ] {
        let written = ok("write", &arguments);
        assert_eq!(written["created"], created, "{arguments}");
        assert_eq!(
            seen(arguments["path"].as_str().expect("path")),
            contents,
            "{arguments}"
        );
        before.push(arguments);
    }
    let left: Vec<_> = fs::read_dir(dir.path())
        .expect("the workspace")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name.contains(".partial"))
        .collect();
    assert!(left.is_empty(), "temporary files are left: {left:?}");
}

#[test]
fn write_refuses_and_leaves_things_alone() {
    let dir = workspace();
    let large = "x".repeat(4 * 1024 * 1024 + 1);
    for (arguments, expected) in [
        (json!({"path": "src/lib.rs", "text": "x"}), "already_exists"),
        (json!({"path": "src", "text": "x"}), "not_a_file"),
        (
            json!({"path": "src", "text": "x", "mode": "overwrite"}),
            "not_a_file",
        ),
        (
            json!({"path": "src", "text": "x", "mode": "append"}),
            "not_a_file",
        ),
        (json!({"path": ".", "text": "x"}), "not_a_file"),
        (json!({"path": "no/dir", "text": "x"}), "file_not_found"),
        (json!({"path": "empty/x", "text": "x"}), "file_not_found"),
        (
            json!({"path": "empty/x", "text": "x", "create_dirs": true}),
            "not_a_directory",
        ),
        (json!({"path": "../x", "text": "x"}), "invalid_path"),
        (json!({"path": "large", "text": large}), "too_large"),
    ] {
        assert_eq!(code("write", &arguments), expected, "{}", arguments["path"]);
    }
    assert!(!dir.path().join("large").exists());
    assert!(
        fs::read_to_string(dir.path().join("src/lib.rs"))
            .expect("kept")
            .contains("TODO")
    );
}

#[test]
fn overwriting_never_takes_a_taken_name() {
    let dir = workspace();
    put(dir.path(), ".w.0.partial", b"somebody else's");
    put(dir.path(), "w", b"old");
    ok(
        "write",
        &json!({"path": "w", "text": "new", "mode": "overwrite"}),
    );
    let read = |name: &str| fs::read(dir.path().join(name)).expect(name);
    assert_eq!(
        (read("w"), read(".w.0.partial")),
        (b"new".to_vec(), b"somebody else's".to_vec())
    );
}

#[test]
fn search_finds_lines() {
    let dir = workspace();
    put(
        dir.path(),
        "t/a.txt",
        "eins\nZWEI zwei\r\ndrei (a+b)\nüber Größe\n".as_bytes(),
    );
    for (arguments, expected) in [
        (
            json!({"pattern": "ei"}),
            vec![(1, 1, "eins"), (2, 8, "ZWEI zwei"), (3, 3, "drei (a+b)")],
        ),
        (
            json!({"pattern": "zwei", "ignore_case": true}),
            vec![(2, 1, "ZWEI zwei")],
        ),
        (
            json!({"pattern": "GRÖSSE|GRÖßE", "ignore_case": true}),
            vec![(4, 6, "über Größe")],
        ),
        (
            json!({"pattern": "(a+b)", "literal": true}),
            vec![(3, 6, "drei (a+b)")],
        ),
        (json!({"pattern": "(a+b)"}), vec![]),
        (json!({"pattern": "^.{4}$"}), vec![(1, 1, "eins")]),
        (
            json!({"pattern": r"^\w+ \w+$"}),
            vec![(2, 1, "ZWEI zwei"), (4, 1, "über Größe")],
        ),
        (json!({"pattern": "nowhere"}), vec![]),
    ] {
        let mut arguments = arguments;
        arguments["path"] = json!("t");
        let found = ok("search", &arguments);
        let found: Vec<_> = found["matches"]
            .as_array()
            .expect("matches")
            .iter()
            .map(|one| {
                let number = |name: &str| one[name].as_u64().expect("a number");
                (
                    number("line"),
                    number("column"),
                    one["text"].as_str().expect("text"),
                )
            })
            .collect();
        assert_eq!(found, expected, "{arguments}");
    }
}

#[test]
fn search_shows_context_counts_files_and_stops() {
    let dir = workspace();
    put(dir.path(), "t/a", b"1\n2\nx\n3\nx\n");
    put(dir.path(), "t/z", b"x\n");
    let found = ok(
        "search",
        &json!({"pattern": "x", "path": "t", "context": 2, "limit": 2}),
    );
    let first = &found["matches"][0];
    assert_eq!(
        (&first["before"], &first["after"]),
        (&json!(["1", "2"]), &json!(["3", "x"]))
    );
    let second = &found["matches"][1];
    assert_eq!(second["before"], json!(["x", "3"]));
    assert!(second.get("after").is_none());
    assert_eq!(found["truncated"], true);

    let all = ok("search", &json!({"pattern": "TODO"}));
    // Two more than in the examples; latin1.txt and logo.png are not text, .git is left out.
    assert_eq!(
        (&all["files_searched"], &all["files_skipped"]),
        (&json!(5), &json!(2))
    );
    assert_eq!(all["matches"].as_array().expect("matches").len(), 1);
    let file = ok("search", &json!({"pattern": "TODO", "path": "src/lib.rs"}));
    assert_eq!(file["matches"], all["matches"]);

    put(
        dir.path(),
        "t/wide",
        format!("x{}\n", "é".repeat(5_000)).repeat(600).as_bytes(),
    );
    let wide = ok(
        "search",
        &json!({"pattern": "x", "glob": "wide", "limit": 9_999, "context": 9}),
    );
    assert!(wide.to_string().len() < 1024 * 1024 && wide["truncated"] == true);
    assert_eq!(
        wide["matches"][0]["text"]
            .as_str()
            .expect("text")
            .chars()
            .count(),
        501
    );
}

#[test]
fn search_refuses_bad_patterns() {
    let _dir = workspace();
    for (pattern, expected) in [
        ("", "invalid_pattern"),
        ("(", "invalid_pattern"),
        ("(?=x)", "invalid_pattern"),
        (r"(x)\1", "invalid_pattern"),
        (r"(\w{1000}){1000}", "invalid_pattern"),
        (&"(".repeat(200), "invalid_pattern"),
        (&"x".repeat(5_000), "invalid_pattern"),
    ] {
        assert_eq!(
            code("search", &json!({"pattern": pattern})),
            expected,
            "{pattern}"
        );
    }
    assert_eq!(
        code("search", &json!({"pattern": "x", "path": "none"})),
        "file_not_found"
    );
}

#[test]
fn stat_tells_kinds_and_times() {
    let dir = workspace();
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", dir.path().join("dangling")).expect("a link");
    for (path, kind, bytes) in [
        (".", "directory", 0),
        ("src/", "directory", 0),
        ("./src//lib.rs", "file", 42),
        ("dangling", "symlink", 0),
    ] {
        let facts = ok("stat", &json!({"path": path}));
        assert_eq!(
            (&facts["kind"], &facts["bytes"]),
            (&json!(kind), &json!(bytes)),
            "{path}"
        );
        assert!(
            facts["modified"]
                .as_str()
                .is_some_and(|time| time.ends_with('Z')),
            "{path}"
        );
    }
    assert_eq!(
        ok("stat", &json!({"path": "./src//lib.rs"}))["path"],
        "src/lib.rs"
    );
    assert_eq!(code("stat", &json!({"path": "none"})), "file_not_found");
}

#[test]
fn without_a_workspace_every_tool_says_so() {
    for (tool, arguments) in [
        ("list", json!({})),
        ("read", json!({"path": "x"})),
        ("write", json!({"path": "x", "text": ""})),
        ("search", json!({"pattern": "x"})),
        ("stat", json!({"path": "x"})),
    ] {
        assert_eq!(code(tool, &arguments), "no_workspace", "{tool}");
    }
}
