use crate::Narrowing;
use crate::testing::policy;

#[test]
fn shows_where_everything_comes_from_and_no_value_that_may_be_secret() {
    let text = "version: 1
limits: {memory: 1MiB}
admission: [{per: tenant, concurrency: 20}]
programs: {git: {path: /usr/bin/git, environment: {TOKEN: canary-1}}}
rules:
  - name: speak
    tools: ['speak']
    callers: {roles: [user]}
    allow:
      environment: [{name: TOKEN, value: canary-2}, {name: TZ, from: host}]
      subprocess: [{program: git}]
";
    let variables = [("TTA_TOOL_TIMEOUT_MS".to_owned(), "1000".to_owned())];
    let narrowing = Narrowing::from_environment(variables).expect("read");
    let snapshot = policy(text).narrowed(narrowing).snapshot();
    let shown = snapshot.to_string();
    assert!(!shown.contains("canary"), "{shown}");
    let at = |pointer: &str| snapshot.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(at("/limits/memory/value"), 1 << 20);
    assert_eq!(at("/limits/memory/source"), "p.yaml:2 (limits)");
    assert_eq!(at("/limits/deadline/value"), 1_000);
    assert_eq!(
        at("/limits/deadline/source"),
        "built-in (TTA_TOOL_TIMEOUT_MS)"
    );
    assert_eq!(at("/admission/0/per"), "tenant");
    assert_eq!(at("/admission/0/concurrency"), 20);
    assert_eq!(at("/environment/TTA_TOOL_TIMEOUT_MS"), 1_000);
    assert_eq!(at("/rules/0/source"), "p.yaml:6 (speak)");
    assert_eq!(at("/rules/0/allow/environment/1/entry/from"), "host");
    assert_eq!(
        at("/rules/0/allow/environment/0/source"),
        "p.yaml:10 (speak)"
    );
    assert_eq!(at("/rules/0/allow/environment/0/entry/value"), "[redacted]");
}
