use cofferdam_types::{Digest, Version};
use proptest::prelude::*;

use super::{Glob, Selector};
use crate::testing::{cases, spec};
use crate::{Kind, Subject};

fn matches(selector: &str, name: &str, version: &str) -> bool {
    let mut spec = spec(name, vec![]);
    spec.version = version.parse::<Version>().expect("a version");
    spec.tags = vec!["net".to_owned()];
    let imports = ["wasi:http/outgoing-handler@0.2.6".to_owned()];
    let subject = Subject {
        digest: Digest::of(b"a"),
        spec: &spec,
        owner: Some("acme"),
        imports: &imports,
        kind: Kind::Declared,
    };
    selector
        .parse::<Selector>()
        .expect(selector)
        .matches(&subject)
}

#[test]
fn a_selector_matches_exactly_what_it_says() {
    let digest = Digest::of(b"a").to_string();
    for (selector, name, version) in [
        ("*", "acme/files-read", "1.0.0"),
        ("files-*", "files-read", "1.0.0"),
        ("files-*", "files-read-all", "1.0.0"),
        ("*-read", "files-read", "1.0.0"),
        ("acme/*", "acme/files-read", "1.0.0"),
        ("tool:files-read", "files-read", "9.0.0"),
        ("files-read@^1", "files-read", "1.9.3"),
        ("files-read@1.2.0", "files-read", "1.2.0"),
        ("files-*@>=1, <3", "files-read", "2.0.0"),
        (digest.as_str(), "files-read", "1.0.0"),
        ("owner:acme", "files-read", "1.0.0"),
        ("tag:net", "files-read", "1.0.0"),
        ("import:wasi:http/*", "files-read", "1.0.0"),
    ] {
        assert!(
            matches(selector, name, version),
            "{selector} is about {name}@{version}"
        );
    }
    let other = Digest::of(b"b").to_string();
    for (selector, name, version) in [
        ("files-*", "file-read", "1.0.0"),
        ("files-*", "acme/files-read", "1.0.0"),
        ("acme/*", "files-read", "1.0.0"),
        ("files-read@^1", "files-read", "2.0.0"),
        ("files-read@^1", "files-read", "1.0.0-alpha"),
        ("files-read@1.2.0", "files-read", "1.2.1"),
        (other.as_str(), "files-read", "1.0.0"),
        ("owner:acm", "files-read", "1.0.0"),
        ("owner:Acme", "files-read", "1.0.0"),
        ("tag:Net", "files-read", "1.0.0"),
        ("import:wasi:sockets/*", "files-read", "1.0.0"),
        ("import:wasi:http", "files-read", "1.0.0"),
    ] {
        assert!(
            !matches(selector, name, version),
            "{selector} is not about {name}@{version}"
        );
    }
}

#[test]
fn what_no_tool_can_be_called_is_refused() {
    for bad in [
        "",
        " ",
        "Files-*",
        "files_read",
        "files-rеad",
        "files--read",
        "-files",
        "files-",
        "a/b/c",
        "/a",
        "a/",
        "files-?",
        "[ab]",
        "files read",
        "files-read@",
        "files-read@latest",
        "@^1",
        "sha256:abc",
        "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        "owner:",
        "owner:a b",
        "Tag:net",
        "kind:x",
        "tag:n\u{e9}t",
        &"a".repeat(300),
    ] {
        assert!(bad.parse::<Selector>().is_err(), "{bad:?}");
    }
}

#[test]
fn prints_what_it_reads() {
    for text in [
        "*",
        "files-*",
        "http-fetch@^1",
        "owner:acme",
        "tag:net",
        "import:wasi:http/*",
    ] {
        assert_eq!(text.parse::<Selector>().expect(text).to_string(), text);
    }
}

/// By trying every way to share the text among the stars.
fn model(glob: &[u8], text: &[u8]) -> bool {
    match (glob.split_first(), text.split_first()) {
        (None, rest) => rest.is_none(),
        (Some((b'*', after)), rest) => {
            model(after, text)
                || rest.is_some_and(|(first, rest)| *first != b'/' && model(glob, rest))
        }
        (Some((first, after)), Some((other, rest))) => first == other && model(after, rest),
        (Some(_), None) => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn globs_agree_with_their_definition(glob in "[ab/*]{0,8}", text in "[ab/]{0,10}") {
        let expected = model(glob.as_bytes(), text.as_bytes());
        prop_assert_eq!(Glob(glob).matches(&text), expected);
    }
}
