//! Entries, rules and policies of every capability, at random.

use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value as Json, json};

use crate::testing::read;
use crate::{Delegation, Format, Policy};

/// An entry below `allow` or `deny`: its capability and itself.
pub(super) type Entry = (&'static str, Json);

/// Which tools a rule is about; all but one word may be about the tool of these tests.
pub(super) const TOOLS: [&str; 7] = [
    "*", "fetch", "fe*", "fetch@^1", "fetch@^2", "other", "acme/*",
];
const ROLES: [&str; 2] = ["user", "admin"];
pub(super) const NAMES: [&str; 3] = ["A", "B", "C"];

/// A map of those fields that have a value.
fn map<const N: usize>(fields: [(&str, Json); N]) -> Json {
    let said = fields.into_iter().filter(|(_, value)| !value.is_null());
    let said: serde_json::Map<String, Json> =
        said.map(|(key, value)| (key.to_owned(), value)).collect();
    said.into()
}

/// Some of these words, or no list at all.
fn some(words: &'static [&'static str]) -> impl Strategy<Value = Json> {
    of(subsequence(words, 0..words.len())).prop_map(|words| json!(words))
}

/// One of these values, or none.
fn perhaps<const N: usize>(values: [Json; N]) -> impl Strategy<Value = Json> {
    weighted(0.3, select(Vec::from(values))).prop_map(|value| json!(value))
}

fn one_of<const N: usize>(values: [Json; N]) -> impl Strategy<Value = Json> {
    select(Vec::from(values))
}

/// The same entry with what only an allow says.
fn with(
    entry: impl Strategy<Value = Json>,
    more: impl Strategy<Value = Json>,
) -> impl Strategy<Value = Json> {
    (entry, more).prop_map(|(mut entry, more)| {
        if let (Some(entry), Json::Object(more)) = (entry.as_object_mut(), more) {
            entry.extend(more);
        }
        entry
    })
}

/// The same entry without some of these keys: a deny without them is wider.
fn without(
    entry: impl Strategy<Value = Json>,
    keys: &'static [&'static str],
) -> impl Strategy<Value = Json> {
    (entry, subsequence(keys, 0..=keys.len())).prop_map(|(mut entry, left_out)| {
        if let Some(entry) = entry.as_object_mut() {
            entry.retain(|key, _| !left_out.contains(&key.as_str()));
        }
        entry
    })
}

fn files() -> impl Strategy<Value = Json> {
    (
        select(vec!["workspace", "scratch", "refs"]),
        some(&["a", "a/*", "a/**", "**/b", "."]),
        some(&["read", "write", "create", "delete", "list"]),
        perhaps([json!("args.dir")]),
    )
        .prop_map(|(mount, paths, rights, under)| {
            map([
                ("mount", json!(mount)),
                ("paths", paths),
                ("rights", rights),
                ("under", under),
            ])
        })
}

fn requests() -> impl Strategy<Value = Json> {
    let host = [
        "api.example.org",
        "*.example.org",
        "**.example.org",
        "**",
        "10.1.2.3",
    ];
    (
        select(host.to_vec()),
        perhaps([json!("http"), json!("https")]),
        perhaps([json!(443), json!(80), json!(8443)]),
        some(&["GET", "POST", "DELETE"]),
        some(&["/v1/*", "/v1/**", "/v1/items", "/"]),
        some(&["x-one", "x-two"]),
        some(&["10.0.0.0/8", "10.1.2.3/32"]),
    )
        .prop_map(|(host, scheme, port, methods, paths, headers, addresses)| {
            map([
                ("host", json!(host)),
                ("scheme", scheme),
                ("port", port),
                ("methods", methods),
                ("paths", paths),
                ("headers", headers),
                ("addresses", addresses),
            ])
        })
}

fn amounts_of_requests() -> impl Strategy<Value = Json> {
    (
        of(0..200_u64),
        of(0..=5_u32),
        perhaps([json!("10/s"), json!("600/min"), json!("10/s wait")]),
        perhaps([json!("10.1.2.3"), json!("10.1.2.3:8443")]),
        perhaps([json!("args.url")]),
    )
        .prop_map(|(requests, redirects, rate, at, within)| {
            map([
                ("requests", json!(requests)),
                ("redirects", json!(redirects)),
                ("rate", rate),
                ("at", at),
                ("within", within),
            ])
        })
}

fn connections() -> impl Strategy<Value = Json> {
    let whom = [
        json!({"host": "db.example.org"}),
        json!({"host": "*.example.org", "addresses": ["10.0.0.0/8"]}),
        json!({"host": "**"}),
        json!({"host": "10.0.0.0/8"}),
        json!({"host": "10.1.2.3"}),
    ];
    let how = [
        json!({}),
        json!({"protocol": "tcp"}),
        json!({"protocol": "udp"}),
        json!({"tls": "required"}),
        json!({"protocol": "tcp", "tls": "starttls-smtp"}),
    ];
    let port = [json!(25), json!(5432), json!("20-6000")].map(|port| json!({"port": port}));
    with(with(one_of(whom), one_of(how)), one_of(port))
}

fn starts() -> impl Strategy<Value = Json> {
    (
        select(vec!["git", "cc"]),
        perhaps([
            json!({"positions": [{"exact": "log"}]}),
            json!({"flags": {"-n": {"joined": {"integer": {"min": 1, "max": 9}}}}, "rest": "any"}),
            json!({"positions": [{"path": {"mount": "workspace", "under": "a"}}]}),
            json!({"rest": {"one_of": ["log", "status"]}}),
        ]),
        perhaps([json!({"bytes": 8}), json!({"bytes": "1KiB"})]),
        perhaps([
            json!({"mount": "workspace", "under": "a"}),
            json!({"mount": "refs"}),
        ]),
        perhaps([
            json!({"workspace": "read"}),
            json!({"workspace": "write", "refs": "read"}),
        ]),
        of(1..64_u64),
    )
        .prop_map(|(program, arguments, stdin, cwd, mounts, processes)| {
            map([
                ("program", json!(program)),
                ("arguments", arguments),
                ("stdin", stdin),
                ("cwd", cwd),
                ("mounts", mounts),
                ("limits", map([("processes", json!(processes))])),
            ])
        })
}

fn variables() -> impl Strategy<Value = Json> {
    let source = [
        json!({"value": "v"}),
        json!({"value": "w"}),
        json!({"from": "host"}),
    ];
    with(
        select(&NAMES[..]).prop_map(|name| json!({"name": name})),
        one_of(source),
    )
}

fn secrets() -> impl Strategy<Value = Json> {
    let ways = [
        json!({}),
        json!({"expose": true}),
        json!({"inject": {"hosts": ["api.example.org"], "header": "authorization"}}),
        json!({"inject": {"hosts": ["api.example.org"], "query": "key"}}),
        json!({"inject": {"program": "git", "stdin": true}}),
    ];
    let name = select(vec!["token", "other"]).prop_map(|name| json!({"name": name}));
    with(name, one_of(ways))
}

fn keys() -> impl Strategy<Value = Json> {
    (
        perhaps([json!("tool"), json!("agent")]),
        some(&["a", "a/*", "a/**", "{a,b}"]),
        some(&["read", "write", "delete", "list"]),
    )
        .prop_map(|(scope, keys, rights)| {
            map([("scope", scope), ("keys", keys), ("rights", rights)])
        })
}

fn tools() -> impl Strategy<Value = Json> {
    some(&["x", "y*", "**", "x@^1"]).prop_map(|tools| map([("tools", tools)]))
}

fn amounts_of_calls() -> impl Strategy<Value = Json> {
    (
        of(1..=8_u8),
        of(0..32_u32),
        perhaps([json!("50%"), json!(1_000_000)]),
        some(&["filesystem", "network", "clocks"]),
        of(any::<bool>()),
    )
        .prop_map(|(depth, calls, fuel, delegate, own)| {
            map([
                ("depth", json!(depth)),
                ("calls", json!(calls)),
                ("fuel", fuel),
                ("delegate", delegate),
                ("own", json!(own)),
            ])
        })
}

fn quota(key: &'static str) -> impl Strategy<Value = Json> {
    weighted(0.3, 0..50_u64).prop_map(move |amount| match amount {
        Some(amount) => json!({"quota": {key: amount}}),
        None => json!({}),
    })
}

/// An entry below `allow`, of any capability.
pub(super) fn allow() -> impl Strategy<Value = Entry> {
    let named = |word: &'static str| move |entry: Json| (word, entry);
    let clocks = [json!("real"), json!({"frozen": "2026-01-01T00:00:00Z"})];
    let random = [json!("real"), json!({"seeded": 7}), json!({"seeded": 8})];
    let number = of(0..=256_u32).prop_map(|number| map([("connections", json!(number))]));
    prop_oneof![
        with(files(), quota("files")).prop_map(named("filesystem")),
        with(requests(), amounts_of_requests()).prop_map(named("network")),
        with(connections(), number).prop_map(named("sockets")),
        starts().prop_map(named("subprocess")),
        variables().prop_map(named("environment")),
        secrets().prop_map(named("secrets")),
        with(keys(), quota("entries")).prop_map(named("key_value")),
        with(tools(), amounts_of_calls()).prop_map(named("tool_call")),
        one_of(clocks).prop_map(named("clocks")),
        one_of(random).prop_map(named("random")),
    ]
}

/// An entry below `deny`, of any capability.
pub(super) fn deny() -> impl Strategy<Value = Entry> {
    let named = |word: &'static str| move |entry: Json| (word, entry);
    let starts = [
        json!({"program": "git"}),
        json!({"program": "git", "containing": [{"exact": "log"}]}),
        json!({"program": "cc", "containing": ["any"]}),
    ];
    prop_oneof![
        without(files(), &["mount", "paths"]).prop_map(named("filesystem")),
        without(
            requests(),
            &["host", "port", "paths", "headers", "addresses"]
        )
        .prop_map(named("network")),
        without(connections(), &["port", "tls", "addresses"]).prop_map(named("sockets")),
        one_of(starts).prop_map(named("subprocess")),
        without(variables(), &["value", "name"]).prop_map(named("environment")),
        without(secrets(), &["inject", "name"]).prop_map(named("secrets")),
        keys().prop_map(named("key_value")),
        tools().prop_map(named("tool_call")),
        Just(("clocks", json!("any"))),
        Just(("random", json!("any"))),
    ]
}

/// Entries by capability, as they stand below `allow` and `deny`.
pub(super) fn side(entries: &[Entry]) -> Json {
    let mut all = json!({});
    for (word, entry) in entries {
        if all.get(word).is_none() {
            all[word] = json!([]);
        }
        if let Some(list) = all[word].as_array_mut() {
            list.push(entry.clone());
        }
    }
    all
}

/// Entries that allow whatever is asked in these tests.
pub(super) fn everything() -> Json {
    serde_saphyr::from_str(include_str!("everything.yaml")).expect("YAML")
}

prop_compose! {
    fn rule()(
        tools in subsequence(&TOOLS[..], 0..5),
        roles in weighted(0.3, subsequence(&ROLES[..], 0..=2)),
        allow in weighted(0.8, prop::collection::vec(allow(), 0..5)),
        deny in prop::collection::vec(deny(), 0..3),
        no_call in prop::bool::weighted(0.1),
        memory in weighted(0.3, 1_u64..1_000),
    ) -> Json {
        let mut rule = json!({"tools": tools});
        if let Some(roles) = roles {
            rule["callers"] = json!({"roles": roles});
        }
        if let Some(allow) = allow {
            rule["allow"] = side(&allow);
        }
        let mut denies = side(&deny);
        if no_call {
            denies["call"] = json!(true);
        }
        if denies != json!({}) {
            rule["deny"] = denies;
        }
        if let Some(memory) = memory {
            rule["limits"] = json!({"memory": memory});
        }
        rule
    }
}

/// Rules about the tool of these tests and about others.
pub(super) fn rules() -> impl Strategy<Value = Vec<Json>> {
    prop::collection::vec(rule(), 0..4)
}

/// The document of a policy with these rules.
pub(super) fn document(rules: &[Json]) -> Json {
    json!({
        "version": 1,
        "name": "p",
        "limits": {"memory": "64MiB"},
        "mounts": {"refs": {"path": "/srv/refs"}},
        "programs": {"git": {"path": "/usr/bin/git"}, "cc": {"path": "/usr/bin/cc"}},
        "rules": rules,
    })
}

/// The policy with these rules.
pub(super) fn policy(rules: &[Json]) -> Policy {
    read(document(rules).to_string().as_bytes(), Format::Json).expect("a policy")
}

/// What a party carries that passes these on.
pub(super) fn delegation(entries: &[Entry]) -> Delegation {
    let text = side(entries).to_string();
    Delegation::parse(text.as_bytes(), Format::Json, "agent a").expect("a delegation")
}
