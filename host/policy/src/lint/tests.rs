use super::lint;
use crate::testing::policy;

#[track_caller]
fn check(text: &str, expected: &[(u32, &str)]) {
    let now = "2026-11-21T00:00:00Z".parse().expect("a time");
    let warnings = lint(&policy(text), now);
    let fits = warnings.len() == expected.len()
        && warnings
            .iter()
            .zip(expected)
            .all(|(warning, (line, part))| {
                warning.origin.line == *line && warning.text.contains(part)
            });
    assert!(fits, "{text}\nexpected {expected:?}\nfound {warnings:#?}");
}

#[test]
fn says_nothing_about_a_careful_policy() {
    check(
        "version: 1
mounts: {docs: {path: /srv/docs}}
profiles: {quick: {limits: {deadline: 1s}}}
rules:
  - tools: ['http-fetch@^1']
    use: [quick]
    allow: {network: [{host: api.example.org}], filesystem: [{mount: docs}]}
",
        &[],
    );
}

/// PO-07: wildcards that cover more than they seem to.
#[test]
fn points_at_grants_that_reach_further_than_they_look() {
    check(
        "version: 1
rules:
  - tools: ['*']
    allow: {network: [{host: api.example.org}]}
  - tools: ['fetch']
    allow: {network: [{host: api.example.org}]}
  - tools: ['fetch-*@^1']
    allow: {network: [{host: '**'}]}
  - tools: ['*']
    allow: {clocks: [real]}
",
        &[
            (3, "to every tool"),
            (5, "every version"),
            (7, "called like"),
            (8, "every host"),
        ],
    );
}

#[test]
fn points_at_what_is_of_no_use() {
    check(
        "version: 1
mounts: {docs: {path: /srv/docs}}
profiles: {quick: {limits: {deadline: 1s}}}
rules:
  - tools: []
    allow: {}
  - tools: ['a@^1']
    callers: {agents: []}
    allow: {}
  - tools: ['a@^1']
",
        &[
            (1, "the mount `docs`"),
            (1, "the profile `quick`"),
            (5, "about no tool"),
            (7, "nobody's calls"),
            (10, "says nothing"),
        ],
    );
}

/// FS-07: who can change a directory can put a link where another mount begins.
#[test]
fn points_at_mounts_that_lie_in_each_other() {
    check(
        "version: 1
mounts: {all: {path: /srv/data}, part: {path: /srv/data/part}, other: {path: /srv/database}}
rules:
  - tools: ['a@^1']
    allow: {filesystem: [{mount: all}, {mount: part}, {mount: other}]}
",
        &[(1, "`part` lies in `all`")],
    );
}

#[test]
fn points_at_allows_that_are_denied_wherever_they_hold() {
    check(
        "version: 1
rules:
  - tools: ['a@^1']
    allow:
      network: [{host: api.example.org}]
      clocks: [real]
  - tools: ['*']
    deny: {network: [{}]}
  - tools: ['b@^1']
    allow: {}
  - tools: ['b']
    deny: {call: true}
",
        &[(5, "denies all of network"), (9, "denies every call")],
    );
}

#[test]
fn points_at_rules_that_are_over() {
    check(
        "version: 1
rules:
  - {name: over, tools: ['a@^1'], until: 2020-01-01T00:00:00Z, allow: {}}
  - {name: just over, tools: ['c@^1'], until: 2026-11-21T00:00:00Z, deny: {call: true}}
  - {name: not yet, tools: ['b@^1'], until: 2026-11-21T00:00:01Z, allow: {}}
",
        &[
            (3, "it held until 2020-01-01T00:00:00.000Z"),
            (4, "it held until 2026-11-21"),
        ],
    );
}

#[test]
fn says_everything_once() {
    let text = "version: 1
rules:
  - tools: ['a@^1']
    allow:
      network: [{host: 127.0.0.1}]
      sockets: [{host: 127.0.0.1, port: 25}]
  - tools: ['a@^1']
    allow: {network: [{host: 10.0.0.1, scheme: http}], sockets: [{host: 10.0.0.1, port: 25}]}
";
    let mut warnings = lint(
        &policy(text),
        "2026-11-21T00:00:00Z".parse().expect("a time"),
    );
    let all = warnings.len();
    warnings.dedup();
    assert!(all > 1, "{warnings:#?}");
    assert_eq!(warnings.len(), all, "{warnings:#?}");
}
