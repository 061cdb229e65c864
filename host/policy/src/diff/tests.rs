use super::diff;
use crate::testing::policy;

fn differences(old: &str, new: &str) -> Vec<String> {
    let shown = |side: Option<(String, _)>| side.map_or("-".to_owned(), |(value, _)| value);
    diff(&policy(old), &policy(new))
        .into_iter()
        .map(|it| {
            format!(
                "{}: {}: {} -> {}",
                it.about,
                it.what,
                shown(it.old),
                shown(it.new)
            )
        })
        .collect()
}

#[test]
fn another_order_is_no_difference() {
    let old = "version: 1
rules:
  - {name: a, tools: [x, y], callers: {roles: [user, admin]}, allow: {network: [{host: a.org, port: 1}, {host: b.org}]}}
  - {name: b, tools: [z], deny: {call: true}}
";
    let new = "version: 1
rules:
  - {name: one, tools: [z], deny: {call: true}}
  - {name: two, tools: [y], callers: {roles: [admin, user]}, allow: {network: [{host: b.org}, {port: 1, host: a.org}]}}
  - {name: three, tools: [x], callers: {roles: [user, admin]}, allow: {network: [{host: b.org}, {host: a.org, port: 1}]}}
";
    assert_eq!(differences(old, new), Vec::<String>::new());
}

#[test]
fn what_one_says_and_the_other_does_not() {
    let old = "version: 1
rules:
  - {tools: [x], allow: {network: [{host: a.org}]}, limits: {memory: 1MiB}}
";
    let new = "version: 1
limits: {handles: 7}
rules:
  - {tools: [x], allow: {network: [{host: b.org}]}, limits: {memory: 2MiB}, approval: ask}
";
    assert_eq!(
        differences(old, new),
        [
            "policy: limits handles: 1000 -> 7",
            "x: allow network {\"host\":\"a.org\"}:  -> -",
            "x: allow network {\"host\":\"b.org\"}: - -> ",
            "x: approval ask: - -> ",
            "x: limits memory: 1048576 -> 2097152",
        ]
    );
}
