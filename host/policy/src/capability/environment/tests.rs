use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::origin::{Located, Origin};
use crate::slice::{Layer, Party};

fn allow(entry: serde_json::Value) -> Result<Environment, Fault> {
    Environment::allow(serde_json::from_value(entry).expect("the form of an entry"))
}

fn deny(entry: serde_json::Value) -> Environment {
    let entry = serde_json::from_value(entry).expect("the form of an entry");
    Environment::deny(entry).expect("a good entry")
}

fn located(entries: Vec<Environment>) -> Arc<[Located<Environment>]> {
    let origin = Origin::builtin("test");
    let place = |value| Located {
        value,
        origin: origin.clone(),
    };
    entries.into_iter().map(place).collect()
}

fn slice(allows: Vec<Environment>, denies: Vec<Environment>) -> Slice<Environment> {
    let layer = Layer {
        party: Party::Policy,
        allows: located(allows),
    };
    Slice::new(layer, located(denies))
}

/// What a guest sees, as `NAME=value`, on a host with `TZ=UTC` and a few of its own.
fn seen(slice: &Slice<Environment>) -> Vec<String> {
    let host = |name: &Name| match name.as_str() {
        "TZ" => Some("UTC".to_owned()),
        "BROKEN" => Some("a\0b".to_owned()),
        _ => None,
    };
    variables(slice, host)
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}

#[test]
fn entries_say_exactly_one_variable_and_its_value() {
    let good = [
        json!({"name": "LANG", "value": "C"}),
        json!({"name": "_x9", "value": ""}),
        json!({"name": "TZ", "from": "host"}),
    ];
    for entry in good {
        assert!(allow(entry.clone()).is_ok(), "{entry}");
    }
    let bad = [
        (json!({}), ""),
        (json!({"name": "LANG"}), ""),
        (json!({"value": "C"}), ""),
        (json!({"name": "", "value": "C"}), "/name"),
        (json!({"name": "L*", "value": "C"}), "/name"),
        (json!({"name": "A=B", "value": "C"}), "/name"),
        (json!({"name": "9A", "value": "C"}), "/name"),
        (json!({"name": "Ä", "value": "C"}), "/name"),
        (json!({"name": "A".repeat(129), "value": "C"}), "/name"),
        (json!({"name": "COFFERDAM_KEY", "from": "host"}), "/name"),
        (json!({"name": "A", "value": "a\0b"}), "/value"),
        (json!({"name": "A", "value": "a", "from": "host"}), "/from"),
    ];
    for (entry, pointer) in bad {
        let fault = allow(entry.clone()).expect_err(&entry.to_string());
        assert_eq!(fault.pointer, pointer, "{entry}");
    }
    let unknown = json!({"name": "A", "value": "a", "also": 1});
    assert!(serde_json::from_value::<Entry>(unknown).is_err());
    let elsewhere = json!({"name": "A", "from": "elsewhere"});
    assert!(serde_json::from_value::<Entry>(elsewhere).is_err());
}

#[test]
fn only_what_is_named_exists() {
    let good = |entry| allow(entry).expect("a good entry");
    let all = || {
        vec![
            good(json!({"name": "LANG", "value": "C"})),
            good(json!({"name": "TZ", "from": "host"})),
            good(json!({"name": "ABSENT", "from": "host"})),
            good(json!({"name": "BROKEN", "from": "host"})),
        ]
    };
    assert_eq!(seen(&Slice::nothing()), Vec::<String>::new());
    assert_eq!(seen(&slice(all(), vec![])), ["LANG=C", "TZ=UTC"]);
    let denied = |entry| seen(&slice(all(), vec![deny(entry)]));
    assert_eq!(denied(json!({"name": "TZ"})), ["LANG=C"]);
    assert_eq!(denied(json!({"from": "host"})), ["LANG=C"]);
    assert_eq!(
        denied(json!({"name": "LANG", "value": "D"})),
        ["LANG=C", "TZ=UTC"]
    );
    assert_eq!(denied(json!({})), Vec::<String>::new());
    let carried = Layer {
        party: Party::Agent,
        allows: located(vec![good(json!({"name": "TZ", "from": "host"}))]),
    };
    assert_eq!(seen(&slice(all(), vec![]).within(carried)), ["TZ=UTC"]);
}

#[test]
fn a_likely_secret_is_pointed_out() {
    let dangers = |name: &str| {
        let entry = json!({"name": name, "from": "host"});
        allow(entry).expect("a good entry").dangers().len()
    };
    assert_eq!((dangers("GITHUB_TOKEN"), dangers("TZ")), (1, 0));
}

#[test]
fn the_smallest_entry_is_one() {
    for source in [Source::Host, Source::Value("a \"b\": {c}".into())] {
        let ask = Variable {
            name: "TZ".parse().expect("a name"),
            source,
        };
        let entry: Entry =
            serde_saphyr::from_str(&Environment::smallest(&ask)).expect("an entry in YAML");
        assert!(
            Environment::allow(entry)
                .expect("a good entry")
                .covers(&ask)
        );
    }
}

fn entries() -> impl Strategy<Value = Vec<Environment>> {
    let value = prop_oneof![
        Just(Source::Host),
        Just(Source::Value("1".into())),
        Just(Source::Value("2".into()))
    ];
    let name = prop_oneof![Just("TZ"), Just("LANG"), Just("ABSENT")];
    let entry = (name, value).prop_map(|(name, source)| Environment {
        name: Some(name.parse().expect("a name")),
        source: Some(source),
    });
    prop::collection::vec(entry, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::testing::cases()))]

    #[test]
    fn order_never_matters_and_a_deny_only_takes(mut allows in entries(), denies in entries()) {
        let before = seen(&slice(allows.clone(), denies.clone()));
        let named = |allows: &[Environment]| {
            seen(&slice(allows.to_vec(), vec![])).len()
        };
        prop_assert!(before.len() <= named(&allows));
        allows.reverse();
        prop_assert_eq!(seen(&slice(allows, denies)), before);
    }
}
