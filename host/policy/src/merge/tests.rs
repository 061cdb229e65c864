use cofferdam_types::Digest;
use cofferdam_types::call::DenialCode;
use cofferdam_types::caller::{Caller, Role};
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::{Capability, SafetyFlags, ToolSpec};
use cofferdam_types::{Payload, Timestamp};
use serde_json::json;

use crate::testing::{decide, parse, policy, spec};
use crate::{Kind, Policy, Request, Subject, Use, patch_of};

fn caller(role: Role) -> Caller {
    Caller {
        role,
        ..Caller::local()
    }
}

fn call(
    policy: &Policy,
    spec: &ToolSpec,
    change: impl FnOnce(&mut Request<'_>),
) -> Result<Vec<String>, Vec<String>> {
    let (caller, limits) = (caller(Role::User), LimitRequest::default());
    let mut request = Request::bare(&caller, &limits);
    change(&mut request);
    decide(policy, &Subject::declared(Digest::of(b""), spec), &request)
}

/// Whether rules let a tool named `fetch` that needs the network run.
fn fetch(rules: &str) -> Result<Vec<String>, Vec<String>> {
    let policy = policy(&format!("version: 1\nrules:\n{rules}"));
    call(&policy, &spec("fetch", vec![Capability::Network]), |_| {})
}

type Decided = Result<Vec<String>, Vec<String>>;

fn granted() -> Decided {
    decided(Ok(&["network"]))
}

fn denied(words: &[&str]) -> Decided {
    decided(Err(words))
}

fn decided(words: Result<&[&str], &[&str]>) -> Decided {
    let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    words.map(owned).map_err(owned)
}

/// PO-05: a deny wins, however wide the allow and wherever it stands.
#[test]
fn a_deny_of_the_call_wins_in_every_order() {
    let rules = [
        "  - {name: a, tools: ['*'], allow: {network: [{host: a.org}]}}\n",
        "  - {name: b, tools: [fetch], allow: {network: [{host: a.org}]}}\n",
        "  - {name: c, tools: ['fe*'], deny: {call: true}}\n",
    ];
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let text: String = order.iter().map(|&at| rules[at]).collect();
        assert_eq!(fetch(&text), denied(&["tool:call:denied"]));
    }
}

/// PO-06: what nobody mentions is denied, and so is everything under a policy of nothing.
#[test]
fn what_nobody_mentions_is_denied() {
    let nothing = denied(&["tool:call:not_granted", "network:use:not_granted"]);
    let spec = spec("fetch", vec![Capability::Network]);
    for text in [
        "version: 1",
        "{version: 1, rules: []}",
        "{version: 1, rules: [{tools: ['*']}]}",
        "{version: 1, rules: [{tools: [], allow: {network: [{host: a.org}]}}]}",
        "{version: 1, rules: [{tools: [other], allow: {network: [{host: a.org}]}}]}",
        "{version: 1, rules: [{tools: [fetch], callers: {agents: []}, allow: {network: [{host: a.org}]}}]}",
        "{version: 1, rules: [{tools: [fetch], callers: {roles: [admin]}, allow: {network: [{host: a.org}]}}]}",
    ] {
        let decided = call(&policy(text), &spec, |_| {});
        assert!(
            decided == nothing || decided == denied(&["tool:call:not_granted"]),
            "{text} {decided:?}"
        );
    }
    assert_eq!(
        fetch("  - {tools: [fetch], allow: {}}\n"),
        denied(&["network:use:not_granted"])
    );
    assert_eq!(
        fetch("  - {tools: [fetch], allow: {network: []}}\n"),
        denied(&["network:use:not_granted"])
    );
    for text in ["", "null", "~", "---", "[]", "{}", "rules: []"] {
        assert!(parse(text).is_err(), "{text:?}");
    }
}

/// PO-08: names that only look alike are other names, and most are no names at all.
#[test]
fn only_the_exact_name_matches() {
    let allow = |tool: &str| {
        fetch(&format!(
            "  - {{tools: ['{tool}'], allow: {{network: [{{host: a.org}}]}}}}\n"
        ))
    };
    assert_eq!(allow("fetch"), granted());
    assert!(allow("fetc").is_err());
    for word in [
        "Fetch",
        "FETCH",
        "fet\u{0441}h",
        "fetch ",
        "fetch\u{200b}",
        "fe_tch",
        "ｆetch",
    ] {
        let text = format!("version: 1\nrules: [{{tools: ['{word}'], allow: {{}}}}]");
        assert!(parse(&text).is_err(), "{word:?}");
    }
    for word in [
        "Network",
        "NETWORK",
        "net-work",
        "n\u{0435}twork",
        "network ",
    ] {
        let text = format!("version: 1\nrules: [{{tools: [fetch], allow: {{'{word}': []}}}}]");
        assert!(parse(&text).is_err(), "{word:?}");
    }
}

/// PO-10: a grant for a version is none for the next, and one for bytes is for those bytes.
#[test]
fn a_grant_for_one_version_is_none_for_the_next() {
    let text = |tool: &str| {
        format!("version: 1\nrules: [{{tools: ['{tool}'], allow: {{network: [{{host: a.org}}]}}}}]")
    };
    let decided = |tool: &str, version: &str, bytes: &[u8]| {
        let mut spec = spec("http-fetch", vec![Capability::Network]);
        spec.version = version.parse().expect("a version");
        let (caller, limits) = (caller(Role::User), LimitRequest::default());
        let subject = Subject::declared(Digest::of(bytes), &spec);
        decide(
            &policy(&text(tool)),
            &subject,
            &Request::bare(&caller, &limits),
        )
        .is_ok()
    };
    assert!(decided("http-fetch@^1", "1.9.0", b"a"));
    assert!(!decided("http-fetch@^1", "2.0.0", b"a"));
    assert!(!decided("http-fetch@^1", "2.0.0-rc.1", b"a"));
    let pinned = Digest::of(b"a").to_string();
    assert!(decided(&pinned, "1.0.0", b"a"));
    assert!(!decided(&pinned, "1.0.0", b"b"));
}

/// PO-12: a rule that is over gives nothing, whichever way the clock goes.
#[test]
fn a_rule_that_is_over_gives_nothing() {
    let text = "version: 1\nrules: [{tools: [fetch], until: 2026-06-01T00:00:00Z, allow: {network: [{host: a.org}]}}]";
    let policy = policy(text);
    let spec = spec("fetch", vec![Capability::Network]);
    let at = |now: &str| {
        let now: Timestamp = now.parse().expect("a time");
        call(&policy, &spec, |request| request.now = now).is_ok()
    };
    for (now, holds) in [
        ("2026-05-31T23:59:59Z", true),
        ("2026-06-01T00:00:00Z", false),
        ("2027-06-01T00:00:00Z", false),
        ("2025-06-01T00:00:00Z", true),
        ("2026-06-01T00:00:00Z", false),
    ] {
        assert_eq!(at(now), holds, "{now}");
    }
}

#[test]
fn a_person_has_to_agree_where_a_rule_says_so() {
    let allow = "  - {name: a, tools: [fetch], allow: {network: [{host: a.org}]}}\n";
    let ask = "  - {name: b, tools: ['*'], approval: ask}\n";
    assert_eq!(
        fetch(&format!("{allow}{ask}")),
        denied(&["tool:call:needs_approval"])
    );
    assert_eq!(fetch(allow), granted());
}

/// Every combination of what a tool says about itself and what a rule demands.
#[test]
fn safety_flags_against_demands() {
    let mut seen = 0;
    for bits in 0..8_u8 {
        let (read_only, destructive, idempotent) = (bits & 1 > 0, bits & 2 > 0, bits & 4 > 0);
        let mut spec = spec("fetch", vec![]);
        spec.safety = SafetyFlags {
            read_only,
            destructive,
            idempotent,
        };
        for verdict in ["allow", "ask", "deny"] {
            for needs_read_only in ["any", "required"] {
                for needs_idempotent in ["any", "required"] {
                    seen += 1;
                    let safety = format!(
                        "{{destructive: {verdict}, read_only: {needs_read_only}, idempotent: {needs_idempotent}}}"
                    );
                    let text = format!(
                        "version: 1\nrules: [{{tools: ['*'], safety: {safety}, allow: {{}}}}]"
                    );
                    let lies = read_only && destructive;
                    let lacks = needs_read_only == "required" && !read_only
                        || needs_idempotent == "required" && !idempotent;
                    let expected = match verdict {
                        _ if lies || lacks => denied(&["tool:call:denied"]),
                        "deny" if destructive => denied(&["tool:call:denied"]),
                        "ask" if destructive => denied(&["tool:call:needs_approval"]),
                        _ => Ok(vec![]),
                    };
                    let decided = call(&policy(&text), &spec, |_| {});
                    assert_eq!(decided, expected, "{:?} under {safety}", spec.safety);
                }
            }
        }
    }
    assert_eq!(seen, 96);
}

#[test]
fn profiles_bundle_and_environments_are_offered() {
    let text = "version: 1
profiles:
  web: {allow: {network: [{host: a.org}]}, limits: {deadline: 1s}}
  closed: {deny: {call: true}}
rules:
  - {name: uses, tools: [fetch], use: [web]}
  - {name: offers, tools: [get], allow: {}, environments: [web, closed]}
  - {name: plain, tools: [add], use: [isolated]}
";
    let policy = policy(text);
    let spec = |name: &str, needs: &[Capability]| spec(name, needs.to_vec());
    let within = |tool: &ToolSpec, name: Option<&'static str>| {
        call(&policy, tool, |request| request.environment = name)
    };
    let (fetch, get) = (
        spec("fetch", &[Capability::Network]),
        spec("get", &[Capability::Network]),
    );
    assert_eq!(within(&fetch, None), granted());
    assert_eq!(within(&get, None), denied(&["network:use:not_granted"]));
    assert_eq!(
        within(&get, Some("isolated")),
        denied(&["network:use:not_granted"])
    );
    assert_eq!(within(&get, Some("web")), granted());
    assert_eq!(within(&get, Some("closed")), denied(&["tool:call:denied"]));
    assert_eq!(
        within(&get, Some("nowhere")),
        denied(&["profile:use:unknown_profile"])
    );
    assert_eq!(
        within(&get, Some("Web")),
        denied(&["profile:use:unknown_profile"])
    );
    assert_eq!(
        within(&fetch, Some("web")),
        denied(&["profile:use:not_granted"])
    );
    assert_eq!(within(&spec("add", &[]), None), Ok(vec![]));
}

#[test]
fn a_plain_component_gets_what_there_is_of_what_it_imports() {
    let spec = spec("plain-run", vec![]);
    let imports = [
        "wasi:http/outgoing-handler@0.2.6".to_owned(),
        "wasi:clocks/wall-clock@0.2.6".to_owned(),
    ];
    let subject = Subject {
        imports: &imports,
        kind: Kind::Plain,
        ..Subject::declared(Digest::of(b""), &spec)
    };
    let (caller, limits) = (caller(Role::User), LimitRequest::default());
    let request = Request::bare(&caller, &limits);
    let decided = |allow: &str| {
        decide(
            &policy(&format!(
                "version: 1\nrules: [{{tools: ['*'], allow: {allow}}}]"
            )),
            &subject,
            &request,
        )
    };
    assert_eq!(decided("{}"), Ok(vec![]));
    assert_eq!(
        decided("{network: [{host: a.org}], environment: [{name: A, value: b}]}"),
        granted()
    );
    assert_eq!(
        decided("{clocks: [real], random: [real]}"),
        Ok(vec!["clocks".to_owned()])
    );
}

/// A rule can't help a tool that doesn't declare what it uses, so the denial speaks of the tool.
#[test]
fn a_use_that_is_not_declared_is_denied_as_such() {
    let policy = policy(
        "version: 1\nrules: [{tools: ['*'], allow: {network: [{host: a.org}], clocks: [real]}, \
         deny: {network: [{host: b.org}]}}]",
    );
    let (caller, limits) = (caller(Role::User), LimitRequest::default());
    let request = Request::bare(&caller, &limits);
    let denied = |capability: Capability, page: &str| {
        let spec = spec("fetch", vec![capability]);
        let subject = Subject::declared(Digest::of(b""), &spec);
        let grant = policy.decide(&subject, &request).expect("granted");
        let page: Use = format!("network: GET https://{page}/")
            .parse()
            .expect("a use");
        let decision = page.explain(&grant).decision;
        decision.map_err(|denial| (denial.code, denial.reason, denial.smallest_grant))
    };
    for page in ["a.org", "b.org", "c.org"] {
        let (code, reason, smallest_grant) =
            denied(Capability::Clocks, page).expect_err("not declared");
        assert_eq!(code, DenialCode::NotDeclared, "{page}");
        assert_eq!(reason, "the tool does not declare `network`");
        assert_eq!(smallest_grant, "the tool declares the capability");
    }
    let code = |page: &str| denied(Capability::Network, page).map_err(|(code, ..)| code);
    assert_eq!(code("a.org"), Ok(()));
    assert_eq!(code("b.org"), Err(DenialCode::Denied));
    assert_eq!(code("c.org"), Err(DenialCode::NotGranted));
}

#[test]
fn schemas_have_a_size() {
    let mut spec = spec("fetch", vec![]);
    spec.args_schema = Payload::from(
        json!({"type": "object", "properties": {"a": {}, "b": {"items": {"items": {}}}}}),
    );
    let decided = |schemas: &str| {
        call(
            &policy(&format!(
                "version: 1\nschemas: {schemas}\nrules: [{{tools: ['*'], allow: {{}}}}]"
            )),
            &spec,
            |_| {},
        )
    };
    assert_eq!(decided("{}"), Ok(vec![]));
    assert_eq!(decided("{parameters: 2, depth: 5}"), Ok(vec![]));
    assert_eq!(decided("{parameters: 1}"), denied(&["tool:call:malformed"]));
    assert_eq!(decided("{depth: 4}"), denied(&["tool:call:malformed"]));
}

#[test]
fn the_narrowest_limit_of_all_counts() {
    let text = "version: 1
limits: {memory: 1GiB, handles: 10}
profiles: {small: {limits: {memory: 2MiB}}}
rules:
  - {name: a, tools: ['*'], allow: {}, limits: {memory: 3MiB, deadline: 10s}}
  - {name: b, tools: ['fe*'], use: [small], limits: {deadline: 20s}}
  - {name: c, tools: [other], limits: {memory: 1MiB}}
";
    let (caller, limits) = (caller(Role::User), LimitRequest::default());
    let spec = spec("fetch", vec![]);
    let subject = Subject::declared(Digest::of(b""), &spec);
    let grant = policy(text)
        .decide(&subject, &Request::bare(&caller, &limits))
        .expect("granted");
    let limits = grant.limits();
    assert_eq!(
        (limits.memory_bytes, limits.deadline_ms, limits.handles),
        (2 << 20, 10_000, 10)
    );
}

/// Denials say where the rule stands.
#[test]
fn a_denial_names_its_rule_and_line() {
    let text = "version: 1\nrules:\n  - {name: all, tools: ['*'], allow: {}}\n  - name: no-fetch\n    tools: [fetch]\n    deny:\n      call: true\n";
    let (caller, limits) = (caller(Role::User), LimitRequest::default());
    let spec = spec("fetch", vec![]);
    let subject = Subject::declared(Digest::of(b""), &spec);
    let denials = policy(text)
        .decide(&subject, &Request::bare(&caller, &limits))
        .expect_err("denied");
    let shown: Vec<_> = denials
        .iter()
        .map(|it| (it.rule.as_str(), it.file.as_deref(), it.line))
        .collect();
    assert_eq!(shown, [("no-fetch", Some("p.yaml"), Some(7))]);
}

/// The patches that denials propose are enough.
#[test]
fn the_smallest_grants_of_a_denied_call_allow_it() {
    let (caller, limits) = (caller(Role::User), LimitRequest::default());
    let spec = spec("fetch", vec![Capability::Clocks, Capability::Random]);
    let subject = Subject::declared(Digest::of(b""), &spec);
    let request = Request::bare(&caller, &limits);
    let mut text = "version: 1\nrules:\n  - {name: none, tools: []}\n".to_owned();
    for _ in 0..2 {
        let denials = policy(&text)
            .decide(&subject, &request)
            .expect_err("denied");
        text += patch_of(&denials)
            .strip_prefix("rules:\n")
            .expect("a patch");
    }
    assert!(policy(&text).decide(&subject, &request).is_ok(), "{text}");
}
