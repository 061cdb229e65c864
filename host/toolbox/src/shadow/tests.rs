use std::path::Path;
use std::sync::Arc;

use cofferdam_policy::{Format, Policy, Source};
use cofferdam_registry::Entry;
use cofferdam_types::audit::{Act, AuditRecord, CallAct};
use cofferdam_types::call::{Denial, DenialCode, Origin, Usage, Use};
use cofferdam_types::tool::Identity;
use cofferdam_types::{CallId, Code, Digest, Tenant, Timestamp};

use super::{Replay, Shadow};
use crate::testing::entry;

const IN_FORCE: &str = "version: 1
rules:
  - tools: [fetch]
    allow: {network: [{host: '*.org', methods: [GET]}], environment: [{name: LANG, value: C}]}
  - tools: [build]
    allow: {subprocess: [{program: git, arguments: {positions: [{exact: status}]}}]}
programs: {git: {path: /usr/bin/git}}
";

/// A policy in which `fetch` may do this.
fn fetch(allow: &str) -> String {
    format!("version: 1\nrules:\n  - tools: [fetch]\n    allow: {allow}\n")
}

fn policy(text: &str) -> Policy {
    let source = Source {
        file: Some(Path::new("p.yaml")),
        format: Format::Yaml,
        workspaces: Path::new("/nonexistent"),
        reserved: &[],
    };
    Policy::parse(text.as_bytes(), &source).unwrap_or_else(|error| panic!("{error}"))
}

/// The tools `fetch` and `build`.
async fn entries() -> Vec<Arc<Entry>> {
    vec![
        entry("fetch", &["network"]).await,
        entry("build", &["subprocess"]).await,
    ]
}

/// The id of the call with this number.
fn id(number: u32) -> CallId {
    let text = format!("call_0192f7a4-7c5e-7d2a-8f00-{number:012}");
    text.parse().expect("an id")
}

/// A call that was allowed.
fn call(number: u32, tool: &str) -> CallAct {
    CallAct {
        call_id: id(number),
        parent: None,
        origin: Origin::Http,
        agent: None,
        asked: tool.to_owned(),
        tool: Some(Identity {
            name: tool.parse().expect("a name"),
            version: "1.0.0".parse().expect("a version"),
            digest: Digest::of(tool.as_bytes()),
        }),
        arguments_digest: Digest::of(b"{}"),
        result_digest: None,
        policy: "p".to_owned(),
        policy_digest: None,
        policy_generation: 1,
        granted: vec!["network".to_owned()],
        uses: Vec::new(),
        uses_dropped: 0,
        code: None,
        denials: Vec::new(),
        denials_dropped: 0,
        changes: None,
        preview: false,
        usage: Usage {
            fuel: 1,
            ..Usage::default()
        },
    }
}

/// One that was denied, for this reason.
fn denied(number: u32, tool: &str, code: DenialCode) -> CallAct {
    CallAct {
        granted: Vec::new(),
        code: Some(Code::PolicyDenied),
        denials: vec![denial("tool", "call", tool, code).into()],
        usage: Usage::default(),
        ..call(number, tool)
    }
}

fn denial(capability: &str, operation: &str, resource: &str, code: DenialCode) -> Denial {
    Denial {
        capability: capability.to_owned(),
        operation: operation.to_owned(),
        resource: resource.to_owned(),
        code,
        rule: "p/default".to_owned(),
        file: None,
        line: None,
        reason: String::new(),
        smallest_grant: String::new(),
    }
}

fn used(capability: &str, operation: &str, resource: &str, count: u64) -> Use {
    Use {
        capability: capability.to_owned(),
        operation: operation.to_owned(),
        resource: resource.to_owned(),
        count,
        bytes: 0,
    }
}

async fn replay(candidate: &str, acts: Vec<Act>) -> Shadow {
    let entries = entries().await;
    let (candidate, in_force) = (policy(candidate), policy(IN_FORCE));
    let mut replay = Replay::new(&candidate, &in_force, &entries);
    for act in acts {
        let at = Timestamp::from_millis(0);
        replay.record(&AuditRecord::new(Tenant::default(), at, "key:1", act));
    }
    replay.tally.finish()
}

fn acts(calls: impl IntoIterator<Item = CallAct>) -> Vec<Act> {
    calls
        .into_iter()
        .map(|call| Act::Call(Box::new(call)))
        .collect()
}

/// What was newly denied, what newly allowed, as `count capability operation resource`.
fn shifts(shadow: &Shadow) -> [Vec<String>; 2] {
    [&shadow.newly_denied, &shadow.newly_allowed].map(|shifts| {
        let shown = shifts.iter().map(|shift| {
            format!(
                "{} {} {} {}",
                shift.count, shift.capability, shift.operation, shift.resource
            )
        });
        shown.collect()
    })
}

#[tokio::test]
async fn the_policy_in_force_changes_nothing() {
    let digest = Some(*policy(IN_FORCE).digest());
    let get = used("network", "GET", "https://a.org/", 2);
    let refused = denial("network", "POST", "https://a.org/", DenialCode::NotGranted);
    let calls = [
        CallAct {
            uses: vec![get],
            denials: vec![refused.into()],
            policy_digest: digest,
            ..call(1, "fetch")
        },
        CallAct {
            tool: None,
            ..call(2, "gone")
        },
    ];
    let shadow = replay(IN_FORCE, acts(calls)).await;
    assert_eq!(shifts(&shadow), [vec![], Vec::<String>::new()]);
    assert_eq!((shadow.calls, shadow.undecidable), (1, 0));
}

#[tokio::test]
async fn calls_and_uses_that_go_another_way_are_counted_by_kind() {
    let uses = |path: &str, count| vec![used("network", "GET", &format!("https://{path}"), count)];
    let posted = denial("network", "POST", "https://a.org/", DenialCode::NotGranted);
    let calls = [
        CallAct {
            uses: uses("a.org/", 2),
            ..call(1, "fetch")
        },
        CallAct {
            uses: [uses("a.org/", 1), uses("b.org/", 3)].concat(),
            denials: vec![posted.into()],
            ..call(2, "fetch")
        },
        CallAct {
            granted: vec!["subprocess".to_owned()],
            ..call(3, "build")
        },
    ];
    let candidate = fetch("{network: [{host: a.org, methods: [POST]}, {host: b.org}]}");
    let shadow = replay(&candidate, acts(calls)).await;
    assert_eq!(
        shifts(&shadow),
        [
            vec![
                "3 network GET https://a.org/".to_owned(),
                "1 tool call build@1.0.0".to_owned(),
            ],
            vec!["1 network POST https://a.org/".to_owned()],
        ]
    );
    assert_eq!((shadow.calls, shadow.undecidable), (3, 0));
    assert_eq!(shadow.newly_denied[0].call, id(1));
    assert_eq!(shadow.newly_denied[0].tool, "fetch@1.0.0");
}

#[tokio::test]
async fn a_denied_call_is_allowed_when_only_the_policy_stood_in_its_way() {
    let calls = [
        denied(1, "fetch", DenialCode::NotGranted),
        denied(2, "fetch", DenialCode::NotDelegated),
        denied(3, "build", DenialCode::NotGranted),
    ];
    let shadow = replay(&fetch("{network: [{host: a.org}]}"), acts(calls)).await;
    assert_eq!(
        shifts(&shadow),
        [vec![], vec!["1 tool call fetch@1.0.0".to_owned()]]
    );
    assert_eq!((shadow.calls, shadow.undecidable), (3, 1));
}

/// The same call, of a component with the same name and other bytes.
fn of_another(call: CallAct) -> CallAct {
    let tool = call.tool.map(|tool| Identity {
        digest: Digest::of(b"another"),
        ..tool
    });
    CallAct { tool, ..call }
}

#[tokio::test]
async fn nothing_is_claimed_of_what_the_audit_does_not_keep() {
    let open = "{network: [{host: '*.org'}], environment: [{name: LANG, value: C}]}";
    let get = |number| CallAct {
        uses: vec![used("network", "GET", "https://a.org/", 1)],
        ..call(number, "fetch")
    };
    for (why, candidate, call) in [
        (
            "the role decides",
            fetch(open) + "    callers: {roles: [admin]}\n",
            get(1),
        ),
        (
            "the arguments decide",
            fetch("{network: [{host: '*.org', within: args.url}]}"),
            get(1),
        ),
        (
            "a profile has a say",
            fetch(open) + "    environments: [wide]\nprofiles: {wide: {}}\n",
            get(1),
        ),
        (
            "the variable's value decides",
            fetch(open),
            CallAct {
                uses: vec![used("environment", "read", "LANG", 1)],
                ..get(1)
            },
        ),
        (
            "the program's arguments decide",
            IN_FORCE.to_owned(),
            CallAct {
                uses: vec![used("subprocess", "start", "git", 1)],
                granted: vec!["subprocess".to_owned()],
                ..self::call(1, "build")
            },
        ),
        (
            "uses are missing",
            fetch(open),
            CallAct {
                uses_dropped: 1,
                ..get(1)
            },
        ),
        ("the tool is another", fetch(open), of_another(get(1))),
        (
            "the same policy would have denied it",
            fetch("{network: [{host: b.org}]}"),
            CallAct {
                uses: vec![used("network", "PUT", "https://a.org/", 1)],
                policy_digest: Some(*policy(IN_FORCE).digest()),
                ..get(1)
            },
        ),
    ] {
        let shadow = replay(&candidate, acts([call])).await;
        assert_eq!(shifts(&shadow), [vec![], Vec::<String>::new()], "{why}");
        assert_eq!((shadow.calls, shadow.undecidable), (1, 1), "{why}");
    }
}

#[tokio::test]
async fn uses_in_records_of_their_own_belong_to_their_call() {
    let many = (0..64).map(|n| used("network", "GET", &format!("https://a.org/{n}"), 1));
    let whole = CallAct {
        uses: many.collect(),
        ..call(1, "fetch")
    };
    let mut acts = acts([whole]);
    for number in [1, 2] {
        acts.push(Act::Uses {
            call_id: id(number),
            root_id: id(number),
            uses: vec![used("network", "GET", "https://b.org/", 5)],
        });
    }
    let shadow = replay(&fetch("{network: [{host: a.org}]}"), acts).await;
    assert_eq!(
        shifts(&shadow),
        [vec!["5 network GET https://b.org/".to_owned()], vec![]]
    );
    assert_eq!((shadow.calls, shadow.undecidable), (1, 0));
}
