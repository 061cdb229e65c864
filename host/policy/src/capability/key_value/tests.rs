use proptest::prelude::*;

use super::*;

fn allow(yaml: &str) -> KeyValue {
    KeyValue::allow(serde_saphyr::from_str(yaml).expect(yaml)).expect(yaml)
}

fn deny(yaml: &str) -> KeyValue {
    KeyValue::deny(serde_saphyr::from_str(yaml).expect(yaml)).expect(yaml)
}

fn ask(scope: Scope, right: Right, key: &str) -> KeyUse {
    KeyUse {
        scope,
        right,
        key: key.to_owned(),
    }
}

#[test]
fn an_entry_covers_what_it_says() {
    let check = |yaml: &str, scope, right, key: &str, expected: bool| {
        assert_eq!(
            allow(yaml).covers(&ask(scope, right, key)),
            expected,
            "{yaml} {scope:?} {right:?} {key}"
        );
    };
    let (tool, agent) = (Scope::Tool, Scope::Agent);
    check("{}", tool, Right::Write, "any/thing", true);
    check("{}", agent, Right::Read, "a", false);
    check("{scope: agent}", agent, Right::Read, "a", true);
    check("{scope: agent}", tool, Right::Read, "a", false);
    check("{rights: []}", tool, Right::Read, "a", false);
    check("{rights: [read]}", tool, Right::Read, "a", true);
    check("{rights: [read]}", tool, Right::Delete, "a", false);
    check("{keys: []}", tool, Right::Read, "a", false);
    check("{keys: ['c/*']}", tool, Right::Read, "c/a", true);
    check("{keys: ['c/*']}", tool, Right::Read, "c/a/b", false);
    check("{keys: ['c/*']}", tool, Right::List, "c/", true);
    check("{keys: ['c/*']}", tool, Right::List, "", false);
    check("{keys: ['C']}", tool, Right::Read, "c", false);
}

#[test]
fn a_deny_without_words_is_about_everything() {
    for scope in [Scope::Tool, Scope::Agent] {
        for right in Right::ALL {
            assert!(deny("{}").covers(&ask(scope, right, "x/y")));
        }
    }
    assert!(!deny("{keys: [x]}").covers(&ask(Scope::Tool, Right::Read, "y")));
}

#[test]
fn faults_name_their_place() {
    let fault = |yaml: &str, allowed: bool| {
        let entry: Entry = serde_saphyr::from_str(yaml).expect(yaml);
        let read = if allowed {
            KeyValue::allow(entry)
        } else {
            KeyValue::deny(entry)
        };
        read.expect_err(yaml).pointer
    };
    assert_eq!(fault("{keys: [a, '[']}", true), "/keys/1");
    assert_eq!(fault("{quota: {entries: 1}}", false), "/quota");
    for unknown in ["{key: [a]}", "{quota: {size: 1}}", "{rights: [all]}"] {
        assert!(
            serde_saphyr::from_str::<Entry>(unknown).is_err(),
            "{unknown}"
        );
    }
}

#[test]
fn quotas_are_those_written_and_else_the_default() {
    let caps = allow("{quota: {entries: 3, value_bytes: 2KiB}}").caps();
    assert_eq!(
        caps,
        Quota {
            entries: 3,
            bytes: Quota::DEFAULT.bytes,
            value_bytes: 2_048
        }
    );
    assert_eq!(allow("{}").caps(), Quota::DEFAULT);
}

#[test]
fn all_keys_of_an_agent_are_a_danger() {
    assert_eq!(allow("{scope: agent}").dangers().len(), 1);
    for fine in [
        "{}",
        "{scope: agent, rights: [read, list]}",
        "{scope: agent, keys: ['mine/*']}",
    ] {
        assert!(allow(fine).dangers().is_empty(), "{fine}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::testing::cases()))]

    /// Whatever stands in a key, what a denial proposes allows this use and none of another key.
    #[test]
    fn the_smallest_entry_allows_the_use_and_no_other(
        key in "\\PC{1,20}",
        other in "\\PC{1,20}",
        right in prop::sample::select(&Right::ALL[..3]),
    ) {
        let entry = allow(&KeyValue::smallest(&ask(Scope::Tool, right, &key)));
        prop_assert!(entry.covers(&ask(Scope::Tool, right, &key)));
        prop_assert!(!entry.covers(&ask(Scope::Agent, right, &key)));
        prop_assert_eq!(entry.covers(&ask(Scope::Tool, right, &other)), key == other);
        for different in Right::ALL {
            prop_assert_eq!(entry.covers(&ask(Scope::Tool, different, &key)), different == right);
        }
    }

    #[test]
    fn the_smallest_entry_of_a_listing_allows_it_and_what_it_names(
        prefix in "([a-z*?\\[]{1,3}/)?",
        rest in "[a-z]{1,3}",
    ) {
        let entry = allow(&KeyValue::smallest(&ask(Scope::Tool, Right::List, &prefix)));
        prop_assert!(entry.covers(&ask(Scope::Tool, Right::List, &prefix)));
        let named = format!("{prefix}{rest}");
        prop_assert!(entry.covers(&ask(Scope::Tool, Right::List, &named)));
    }
}
