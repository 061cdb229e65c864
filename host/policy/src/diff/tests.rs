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

/// Whatever key of a document a value stands below, another value is a difference.
#[test]
fn another_value_of_any_key_is_a_difference() {
    let text = "version: 1
name: all-keys
limits: {handles: 10}
admission: [{per: tool, concurrency: 20}]
schemas: {depth: 30}
mounts: {docs: {path: /srv/docs}}
programs: {git: {path: /usr/bin/git}}
profiles: {used: {limits: {memory: 40MiB}}, offered: {limits: {deadline: 50s}}}
rules:
  - {tools: [x], use: [used], environments: [offered], safety: {destructive: ask}, allow: {network: [{host: a.org}]}}
";
    let document = crate::schema();
    let keys = document["properties"]
        .as_object()
        .expect("keys of a policy");
    let changes = [
        ("admission", "concurrency: 20", "concurrency: 21"),
        ("limits", "handles: 10", "handles: 11"),
        ("mounts", "/srv/docs", "/srv/others"),
        ("profiles", "memory: 40MiB", "memory: 41MiB"),
        ("profiles", "deadline: 50s", "deadline: 51s"),
        ("programs", "/usr/bin/git", "/usr/bin/hg"),
        ("rules", "destructive: ask", "destructive: deny"),
        ("rules", "a.org", "b.org"),
        ("schemas", "depth: 30", "depth: 31"),
    ];
    for (key, old, new) in changes {
        let other = text.replacen(old, new, 1);
        assert_ne!(
            differences(text, &other),
            Vec::<String>::new(),
            "{key}: {old}"
        );
    }
    let is_tried = |key: &str| changes.iter().any(|(tried, ..)| *tried == key);
    let rest: Vec<_> = keys.keys().filter(|key| !is_tried(key)).collect();
    // The language has one version, and a name allows nothing.
    assert_eq!(rest, ["name", "version"]);
}

#[test]
fn says_what_differs_in_the_words_of_a_policy() {
    let policy = |safety: &str, load: &str, deadline: &str| {
        format!(
            "version: 1
admission: [{load}]
profiles: {{p: {{limits: {{deadline: {deadline}}}}}}}
rules: [{{tools: [x], environments: [p], safety: {safety}, allow: {{}}}}]
"
        )
    };
    let old = policy("{destructive: ask}", "{per: tool, concurrency: 2}", "1s");
    let new = policy(
        "{idempotent: required}",
        "{per: tool, concurrency: 3}",
        "2s",
    );
    assert_eq!(
        differences(&old, &new),
        [
            r#"policy: admission {"concurrency":2,"per":"tool"}:  -> -"#,
            r#"policy: admission {"concurrency":3,"per":"tool"}: - -> "#,
            "x: environment p limits deadline: 1000 -> 2000",
            r#"x: safety {"destructive":"ask"}:  -> -"#,
            r#"x: safety {"idempotent":"required"}: - -> "#,
        ]
    );
}
