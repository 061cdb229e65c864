use cofferdam_types::Digest;
use cofferdam_types::call::DenialCode;
use cofferdam_types::caller::Caller;
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::Capability as Declared;

use crate::capability::environment::{Environment, Source, Variable};
use crate::testing::{policy, spec};
use crate::{LimitOrigin, Miss, Party, Request, Subject};

const TEXT: &str = "version: 1
limits: {memory: 128MiB}
rules:
  - name: speak
    tools: ['speak@^1']
    allow: {environment: [{name: LANG, value: C}]}
    limits: {deadline: 5s}
  - name: others
    tools: ['other']
    allow: {}
  - name: admins
    tools: ['*']
    callers: {roles: [viewer]}
    allow: {}
  - name: gone
    tools: ['*']
    until: 1971-01-01T00:00:00Z
    allow: {}
";

#[test]
fn says_which_rules_have_a_say_and_why_the_others_have_none() {
    let spec = spec("speak", vec![Declared::Environment]);
    let (caller, limits) = (
        Caller::local(),
        LimitRequest {
            memory_bytes: Some(1 << 20),
            ..LimitRequest::default()
        },
    );
    let request = Request {
        now: "2026-01-01T00:00:00Z".parse().expect("a time"),
        ..Request::bare(&caller, &limits)
    };
    let policy = policy(TEXT);
    let subject = Subject::declared(Digest::of(b""), &spec);
    let explained = policy.explain(&subject, &request);
    let rules: Vec<_> = explained
        .rules
        .iter()
        .map(|(origin, miss)| (origin.to_string(), *miss))
        .collect();
    let until = "1971-01-01T00:00:00Z".parse().expect("a time");
    assert_eq!(
        rules,
        [
            ("p.yaml:4 (speak)".to_owned(), None),
            ("p.yaml:8 (others)".to_owned(), Some(Miss::Tool)),
            ("p.yaml:11 (admins)".to_owned(), Some(Miss::Caller("roles"))),
            ("p.yaml:15 (gone)".to_owned(), Some(Miss::Expired(until))),
        ]
    );
    assert_eq!(explained.decision, Ok(vec!["environment".to_owned()]));
    let limit = |word: &str| {
        let found = explained.limits.iter().find(|limit| limit.limit == word);
        found.map(|limit| (limit.value, limit.source.to_string()))
    };
    assert_eq!(
        limit("deadline"),
        Some((5_000, "p.yaml:7 (speak)".to_owned()))
    );
    assert_eq!(
        limit("memory"),
        Some((1 << 20, LimitOrigin::Caller.to_string()))
    );
    assert_eq!(
        limit("result"),
        Some((1 << 20, LimitOrigin::Tool.to_string()))
    );
    assert_eq!(policy.timeout_ms(&subject, &request), 5_000);
    assert!(policy.is_capability_allowed(&subject, &request, "environment"));
    assert!(policy.is_capability_allowed(&subject, &request, "tool"));
    assert!(!policy.is_capability_allowed(&subject, &request, "network"));
}

#[test]
fn says_by_which_entry_a_use_is_allowed() {
    let spec = spec("speak", vec![Declared::Environment]);
    let (caller, limits) = (Caller::local(), LimitRequest::default());
    let request = Request::bare(&caller, &limits);
    let subject = Subject::declared(Digest::of(b""), &spec);
    let grant = policy(TEXT).decide(&subject, &request).expect("granted");
    let ask = |name: &str| Variable {
        name: name.parse().expect("a name"),
        source: Source::Value("C".into()),
    };
    let known = grant.explain::<Environment>(&ask("LANG"));
    assert!(known.decision.is_ok());
    assert_eq!(known.layers.len(), 1);
    let (party, by) = &known.layers[0];
    assert_eq!(*party, Party::Policy);
    assert_eq!(
        by.as_ref().map(ToString::to_string),
        Some("p.yaml:6 (speak)".to_owned())
    );
    let unknown = grant.explain::<Environment>(&ask("HOME"));
    assert!(unknown.decision.is_err());
    assert_eq!(unknown.layers[0].1, None);
}

#[test]
fn says_whether_the_stated_effects_are_taken() {
    let (caller, limits) = (Caller::local(), LimitRequest::default());
    let request = Request::bare(&caller, &limits);
    let codes = |verdict: &str, destructive: bool| {
        let text = format!(
            "version: 1\nrules: [{{tools: [erase], safety: {{destructive: {verdict}}}}}, \
             {{tools: [other], safety: {{destructive: deny}}}}]"
        );
        let mut spec = spec("erase", vec![]);
        spec.safety.destructive = destructive;
        let subject = Subject::declared(Digest::of(b""), &spec);
        let judged = policy(&text).validate_safety_flags(&subject, &request);
        judged.map_err(|denials| {
            let codes = denials.into_iter().map(|denial| denial.code);
            codes.collect::<Vec<_>>()
        })
    };
    assert_eq!(codes("allow", true), Ok(()));
    assert_eq!(codes("ask", true), Err(vec![DenialCode::NeedsApproval]));
    assert_eq!(codes("deny", true), Err(vec![DenialCode::Denied]));
    for verdict in ["allow", "ask", "deny"] {
        assert_eq!(codes(verdict, false), Ok(()), "{verdict}");
    }
}
