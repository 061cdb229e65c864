use proptest::prelude::*;

use super::*;

fn allow(yaml: &str) -> ToolCall {
    ToolCall::allow(serde_saphyr::from_str(yaml).expect(yaml)).expect(yaml)
}

fn ask(tool: &str, version: Option<&str>) -> ToolUse {
    ToolUse {
        tool: tool.parse().expect("a name"),
        version: version.map(|version| version.parse().expect("a version")),
    }
}

#[test]
fn an_entry_covers_the_tools_it_names() {
    let check = |yaml: &str, tool: &str, version, expected: bool| {
        let covers = allow(yaml).covers(&ask(tool, version));
        assert_eq!(covers, expected, "{yaml} {tool} {version:?}");
    };
    let one = Some("1.2.0");
    check("{}", "files-read", one, false);
    check("{tools: []}", "files-read", one, false);
    check("{tools: [files-read]}", "files-read", one, true);
    check("{tools: [files-read]}", "files-reads", one, false);
    check("{tools: ['files-*']}", "files-read", one, true);
    check("{tools: ['*']}", "acme/files-read", one, false);
    check("{tools: ['**']}", "acme/files-read", one, true);
    check("{tools: ['files-*@^1']}", "files-read", one, true);
    check(
        "{tools: ['files-*@^1']}",
        "files-read",
        Some("2.0.0"),
        false,
    );
    check(
        "{tools: ['files-*@1.2.0']}",
        "files-read",
        Some("1.2.1"),
        false,
    );
    check("{tools: ['files-*@^1']}", "files-read", None, true);
}

#[test]
fn a_deny_without_tools_is_about_all() {
    let deny = |yaml: &str| ToolCall::deny(serde_saphyr::from_str(yaml).expect(yaml));
    assert!(deny("{}").expect("a deny").covers(&ask("a/b-c", None)));
    let fault = deny("{tools: [a], depth: 2}").expect_err("no depth");
    assert_eq!(fault.pointer, "/depth");
}

#[test]
fn faults_name_their_place() {
    let fault = |yaml: &str| {
        let entry: Entry = serde_saphyr::from_str(yaml).expect(yaml);
        ToolCall::allow(entry).expect_err(yaml).pointer
    };
    assert_eq!(fault("{tools: [a, 'b@latest']}"), "/tools/1");
    assert_eq!(fault("{tools: ['[']}"), "/tools/0");
    assert_eq!(fault("{tools: [a], depth: 0}"), "/depth");
    assert_eq!(fault("{tools: [a], depth: 9}"), "/depth");
    for unreadable in [
        "{fuel: 0}",
        "{fuel: 0%}",
        "{fuel: 101%}",
        "{fuel: +5%}",
        "{fuel: 1.5}",
        "{delegate: [everything]}",
        "{tool: a}",
    ] {
        assert!(
            serde_saphyr::from_str::<Entry>(unreadable).is_err(),
            "{unreadable}"
        );
    }
}

#[test]
fn what_is_left_out_is_little() {
    let caps = allow("{tools: [a]}").caps();
    assert_eq!(
        caps,
        CallCaps {
            depth: 1,
            calls: 16,
            fuel: FuelShare::ALL,
            delegate: Words::ALL,
            own: false,
        }
    );
    let caps = allow("{tools: [a], delegate: [network]}").caps();
    assert!(caps.delegate.contains(Word::Network) && !caps.delegate.contains(Word::Filesystem));
}

#[test]
fn dangers() {
    let count = |yaml: &str| allow(yaml).dangers().len();
    assert_eq!(count("{tools: ['files-*']}"), 0);
    assert_eq!(count("{tools: ['*']}"), 1);
    assert_eq!(count("{tools: ['**'], own: true}"), 2);
}

proptest! {
    #[test]
    fn a_share_is_never_more_than_what_is_left(
        percent in 1_u8..=100,
        units in 1_u64..,
        left in any::<u64>(),
    ) {
        let entry = allow(&format!("{{tools: [a], fuel: {percent}%}}"));
        let other = allow(&format!("{{tools: [a], fuel: {units}}}"));
        prop_assert!(entry.caps().fuel.of(left) <= left);
        prop_assert_eq!(other.caps().fuel.of(left), left.min(units));
        let both = entry.caps().narrowest(other.caps());
        let least = entry.caps().fuel.of(left).min(other.caps().fuel.of(left));
        prop_assert_eq!(both.fuel.of(left), least);
        prop_assert!(entry.caps().widest(other.caps()).fuel.of(left) >= least);
    }

    #[test]
    fn the_smallest_entry_allows_the_use_and_no_other(
        tool in "[a-z]{1,4}-[a-z]{1,4}",
        other in "[a-z]{1,4}-[a-z]{1,4}",
        minor in 0_u64..3,
        other_minor in 0_u64..3,
    ) {
        let one = ToolUse { tool: tool.parse().expect("kebab"), version: Some(Version::new(1, minor, 0)) };
        let two = ToolUse { tool: other.parse().expect("kebab"), version: Some(Version::new(1, other_minor, 0)) };
        let entry = allow(&ToolCall::smallest(&one));
        prop_assert!(entry.covers(&one));
        prop_assert_eq!(entry.covers(&two), one == two);
    }
}
