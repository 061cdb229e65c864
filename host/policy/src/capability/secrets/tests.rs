use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::capability::network::Target;
use crate::origin::{self, Located};
use crate::slice::{Layer, Party};

fn allow(entry: serde_json::Value) -> Result<Secret, Fault> {
    Secret::allow(serde_json::from_value(entry).expect("the form of an entry"))
}

fn deny(entry: serde_json::Value) -> Result<Secret, Fault> {
    Secret::deny(serde_json::from_value(entry).expect("the form of an entry"))
}

fn located(entries: Vec<Secret>) -> Arc<[Located<Secret>]> {
    let origin = origin::Origin::builtin("test");
    let place = |value| Located {
        value,
        origin: origin.clone(),
    };
    entries.into_iter().map(place).collect()
}

fn slice(allows: Vec<Secret>, denies: Vec<Secret>) -> Slice<Secret> {
    let layer = Layer {
        party: Party::Policy,
        allows: located(allows),
    };
    Slice::new(layer, located(denies))
}

fn site(url: &str) -> Origin {
    Target::parse(url).expect("a URL").origin
}

/// `hold a`, `see a`, `header https://… name a`, `query https://… name a`, `stdin program a`.
fn ask(text: &str) -> Use {
    let words: Vec<&str> = text.split(' ').collect();
    let (way, secret) = match words[..] {
        ["hold", secret] => (Way::Hold, secret),
        ["see", secret] => (Way::Expose, secret),
        ["stdin", program, secret] => {
            let program = program.to_owned();
            (Way::Stdin { program }, secret)
        }
        ["header", url, name, secret] => {
            let (site, name) = (site(url), name.to_owned());
            (Way::Header { site, name }, secret)
        }
        ["query", url, name, secret] => {
            let (site, name) = (site(url), name.to_owned());
            (Way::Query { site, name }, secret)
        }
        _ => panic!("no use: {text}"),
    };
    Use {
        name: secret.to_owned(),
        way,
    }
}

const USES: [&str; 11] = [
    "hold a",
    "see a",
    "header https://x.org/ auth a",
    "header https://x.org:8443/ auth a",
    "header http://x.org/ auth a",
    "header https://y.org/ auth a",
    "header https://x.org/ other a",
    "query https://x.org/ auth a",
    "stdin git a",
    "stdin gcc a",
    "hold b",
];

/// Checks which of the uses above an entry covers, by their numbers.
#[track_caller]
fn check(entry: Result<Secret, Fault>, covered: &[usize]) {
    let entry = entry.expect("a good entry");
    let covers: Vec<usize> = (0..USES.len())
        .filter(|at| entry.covers(&ask(USES[*at])))
        .collect();
    assert_eq!(covers, covered, "{entry:?}");
}

#[test]
fn an_allow_covers_what_it_says_and_nothing_else() {
    check(allow(json!({"name": "a"})), &[0]);
    check(allow(json!({"name": "a", "expose": true})), &[0, 1]);
    check(
        allow(json!({"name": "a", "inject": {"hosts": ["X.org"], "header": "Auth"}})),
        &[0, 2],
    );
    check(
        allow(json!({"name": "a", "inject": {"hosts": ["x.org:8443", "y.org"], "header": "auth"}})),
        &[0, 3, 5],
    );
    check(
        allow(
            json!({"name": "a", "inject": {"scheme": "http", "hosts": ["x.org"], "header": "auth"}}),
        ),
        &[0, 4],
    );
    check(
        allow(json!({"name": "a", "inject": {"hosts": ["x.org"], "query": "auth"}})),
        &[0, 7],
    );
    check(
        allow(json!({"name": "a", "inject": {"hosts": [], "query": "auth"}})),
        &[0],
    );
    check(
        allow(json!({"name": "a", "inject": {"program": "git", "stdin": true}})),
        &[0, 8],
    );
    check(
        allow(json!({"name": "a", "expose": true, "inject": {"program": "git", "stdin": true}})),
        &[0, 1, 8],
    );
}

#[test]
fn what_a_deny_leaves_out_is_everything() {
    check(deny(json!({})), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    check(deny(json!({"name": "a"})), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    check(deny(json!({"name": "a", "expose": true})), &[1]);
    check(deny(json!({"inject": {}})), &[2, 3, 4, 5, 6, 7, 8, 9]);
    check(
        deny(json!({"inject": {"hosts": ["x.org"]}})),
        &[2, 3, 4, 6, 7],
    );
    check(
        deny(json!({"inject": {"hosts": ["x.org:443"]}})),
        &[2, 6, 7],
    );
    check(
        deny(json!({"inject": {"hosts": ["x.org"], "scheme": "http"}})),
        &[4],
    );
    check(deny(json!({"inject": {"header": "auth"}})), &[2, 3, 4, 5]);
    check(deny(json!({"inject": {"stdin": true}})), &[8, 9]);
    check(deny(json!({"inject": {"program": "gcc"}})), &[9]);
    check(deny(json!({"inject": {"hosts": []}})), &[]);
}

#[test]
fn faults_say_where() {
    let inject = |inject: serde_json::Value| json!({"name": "a", "inject": inject});
    let host = |host: &str| inject(json!({"hosts": [host], "header": "x"}));
    let header = |header: &str| inject(json!({"hosts": ["x.org"], "header": header}));
    let format =
        |format: &str| inject(json!({"hosts": ["x.org"], "header": "x", "format": format}));
    let cases = [
        (json!({"expose": true}), ""),
        (json!({"name": "a/../b"}), "/name"),
        (json!({"name": "A"}), "/name"),
        (json!({"name": "a*"}), "/name"),
        (inject(json!({})), "/inject"),
        (inject(json!({"hosts": ["x.org"]})), "/inject"),
        (inject(json!({"header": "x"})), "/inject"),
        (inject(json!({"program": "git"})), "/inject/stdin"),
        (
            inject(json!({"program": "git", "stdin": false})),
            "/inject/stdin",
        ),
        (inject(json!({"stdin": true})), "/inject"),
        (
            inject(json!({"program": "", "stdin": true})),
            "/inject/program",
        ),
        (inject(json!({"stdin": true, "header": "x"})), "/inject"),
        (
            inject(json!({"hosts": ["x.org"], "header": "x", "query": "y"})),
            "/inject/query",
        ),
        (
            inject(json!({"hosts": ["x.org"], "query": "y", "format": "{}"})),
            "/inject/format",
        ),
        (
            inject(json!({"scheme": "http", "header": "x"})),
            "/inject/scheme",
        ),
        (host(""), "/inject/hosts/0"),
        (host("*.x.org"), "/inject/hosts/0"),
        (host("x.org."), "/inject/hosts/0"),
        (host("x.org/path"), "/inject/hosts/0"),
        (host("u@x.org"), "/inject/hosts/0"),
        (host("x.org:"), "/inject/hosts/0"),
        (host("x.org:99999"), "/inject/hosts/0"),
        (host("https://x.org"), "/inject/hosts/0"),
        (host("x.org "), "/inject/hosts/0"),
        (header(""), "/inject/header"),
        (header("a b"), "/inject/header"),
        (header("Host"), "/inject/header"),
        (header("Transfer-Encoding"), "/inject/header"),
        (format("Bearer"), "/inject/format"),
        (format("{}{}"), "/inject/format"),
        (format("a\r\nb: {}"), "/inject/format"),
    ];
    for (entry, pointer) in cases {
        let fault = allow(entry.clone()).expect_err(&entry.to_string());
        assert_eq!(fault.pointer, pointer, "{entry}");
    }
    for unknown in [json!({"name": "a", "also": 1}), inject(json!({"also": 1}))] {
        assert!(serde_json::from_value::<Entry>(unknown).is_err());
    }
}

#[test]
fn a_site_is_the_same_however_it_is_written() {
    let entry =
        allow(json!({"name": "a", "inject": {"hosts": ["München.example"], "header": "x"}}));
    let entry = entry.expect("a good entry");
    for (url, covered) in [
        ("https://münchen.example/", true),
        ("https://xn--mnchen-3ya.EXAMPLE:443/path", true),
        ("https://a.xn--mnchen-3ya.example/", false),
    ] {
        let ask = ask(&format!("header {url} x a"));
        assert_eq!(entry.covers(&ask), covered, "{url}");
    }
    let loopback = allow(json!({"name": "a", "inject": {"hosts": ["[::1]:80"], "header": "x"}}));
    let loopback = loopback.expect("a good entry");
    assert!(loopback.covers(&ask("header https://[0:0::1]:80/ x a")));
}

#[test]
fn dangers() {
    let cases = [
        (json!({"name": "a"}), 1),
        (json!({"name": "a", "expose": true}), 1),
        (
            json!({"name": "a", "inject": {"hosts": ["x.org"], "header": "x"}}),
            0,
        ),
        (
            json!({"name": "a", "inject": {"hosts": ["x.org"], "query": "x"}}),
            1,
        ),
        (
            json!({"name": "a", "inject": {"scheme": "http", "hosts": ["x.org"], "query": "x"}}),
            2,
        ),
        (
            json!({"name": "a", "inject": {"program": "git", "stdin": true}}),
            0,
        ),
    ];
    for (entry, dangers) in cases {
        let secret = allow(entry.clone()).expect("a good entry");
        assert_eq!(secret.dangers().len(), dangers, "{entry}");
    }
}

#[test]
fn one_value_for_each_place() {
    let entry = |name: &str, inject: serde_json::Value| {
        allow(json!({"name": name, "inject": inject})).expect("a good entry")
    };
    let bearer = json!({"hosts": ["x.org"], "header": "authorization", "format": "Bearer {}"});
    let query = json!({"hosts": ["x.org"], "query": "key"});
    let mut allows = vec![
        entry("b", bearer.clone()),
        entry("a", bearer.clone()),
        entry("a", query),
    ];
    let at = |allows: &[Secret], denies: Vec<Secret>, url: &str| -> Vec<String> {
        injections(&slice(allows.to_vec(), denies), &site(url))
            .iter()
            .map(|injection| Secret::resource(&injection.ask(&site(url))))
            .collect()
    };
    let both = [
        "a as header authorization at https://x.org",
        "a as parameter key at https://x.org",
    ];
    assert_eq!(at(&allows, vec![], "https://x.org/"), both);
    allows.reverse();
    assert_eq!(at(&allows, vec![], "https://x.org/"), both);
    for elsewhere in ["https://y.org/", "http://x.org/", "https://x.org:444/"] {
        assert!(at(&allows, vec![], elsewhere).is_empty(), "{elsewhere}");
    }
    let deny = deny(json!({"name": "a"})).expect("a good entry");
    assert_eq!(
        at(&allows, vec![deny], "https://x.org/"),
        ["b as header authorization at https://x.org"]
    );
    let held: Vec<_> = names(&slice(allows, vec![]));
    assert_eq!(format!("{held:?}"), "[a, b]");
}

#[test]
fn the_smallest_entry_allows_the_use() {
    for text in USES.into_iter().chain(["hold true", "stdin a'\"{b a"]) {
        let ask = ask(text);
        let entry: Entry = serde_saphyr::from_str(&Secret::smallest(&ask)).expect("YAML");
        let entry = Secret::allow(entry).expect("a good entry");
        assert!(entry.covers(&ask), "{text}");
        let others = USES.into_iter().filter(|other| *other != text);
        for other in others.filter(|other| !other.starts_with("hold")) {
            assert!(!entry.covers(&self::ask(other)), "{text}: {other}");
        }
    }
}

fn entries() -> impl Strategy<Value = Vec<serde_json::Value>> {
    let entry = prop::sample::select(vec![
        json!({"name": "a"}),
        json!({"name": "b", "expose": true}),
        json!({"name": "a", "expose": true}),
        json!({"name": "a", "inject": {"hosts": ["x.org"], "header": "auth"}}),
        json!({"name": "a", "inject": {"hosts": ["x.org:8443", "y.org"], "header": "auth"}}),
        json!({"name": "a", "inject": {"scheme": "http", "hosts": ["x.org"], "header": "auth"}}),
        json!({"name": "a", "inject": {"hosts": ["x.org"], "query": "auth"}}),
        json!({"name": "a", "inject": {"program": "git", "stdin": true}}),
    ]);
    prop::collection::vec(entry, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::testing::cases()))]

    #[test]
    fn any_text_is_asked_for_without_a_panic_and_never_by_accident(text in "\\PC{0,100}") {
        prop_assume!(text != "a");
        let all = slice(vec![allow(json!({"name": "a", "expose": true})).expect("good")], vec![]);
        let ask = Use { name: text, way: Way::Hold };
        prop_assert!(all.decide(&ask).is_err());
        let shown = Secret::resource(&ask);
        prop_assert!(!shown.contains('\n'));
        let entry: Entry = serde_saphyr::from_str(&Secret::smallest(&ask)).expect("YAML");
        prop_assert!(Secret::allow(entry).is_ok() == ask.name.parse::<SecretName>().is_ok());
    }

    #[test]
    fn an_entry_as_a_deny_takes_away_at_least_what_it_allows(
        allows in entries(), one in entries(),
    ) {
        let parsed = |entries: &[serde_json::Value]| -> Vec<Secret> {
            entries.iter().map(|entry| allow(entry.clone()).expect("good")).collect()
        };
        for entry in &one {
            let denies = vec![deny(entry.clone()).expect("good")];
            let left = slice(parsed(&allows), denies);
            for text in USES.into_iter().filter(|text| !text.starts_with("hold")) {
                let covered = allow(entry.clone()).expect("good").covers(&ask(text));
                prop_assert!(!covered || left.decide(&ask(text)).is_err(), "{text}");
            }
        }
    }
}
