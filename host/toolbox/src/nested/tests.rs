use cofferdam_types::limits::LimitRequest;
use futures::FutureExt;

use super::*;
use crate::testing::{entry, grant, id, policy};

/// A policy in which `a-caller` may do this, and `a-called` keep all keys.
fn rules(caller: &str) -> String {
    format!(
        "version: 1\nrules:\n  - tools: [a-caller]\n    allow: {caller}\n  \
         - tools: [a-called]\n    allow: {{key_value: [{{}}]}}\n"
    )
}

/// Whether anything is left to `a-called` when its caller's policy became another meanwhile.
fn is_left(newer: &str) -> bool {
    let of = |name, capabilities: &[&str]| {
        let entry = entry(name, capabilities);
        entry.now_or_never().expect("no waiting")
    };
    let caller = of("a-caller", &["key_value", "tool_call"]);
    let below = of("a-called", &["key_value"]);
    let older = policy(&rules(
        "{key_value: [{}], tool_call: [{tools: [a-called]}]}",
    ));
    let above = Above {
        parent: Parent {
            call_id: id(1),
            root_id: id(1),
            depth: 1,
        },
        depth: Depth::ROOT,
        grant: Arc::new(grant(&older, &caller)),
    };
    let newer = policy(&rules(newer));
    let caller = newer.decide(
        &subject(&caller),
        &cofferdam_policy::Request::bare(&Caller::local(), &LimitRequest::default()),
    );
    let left = caller.unwrap_or_else(|_| newer.nothing(&subject(&below)));
    above.grant.revision().narrow_to(Arc::new(left));
    above.short_of(grant(&newer, &below), &below).is_ok()
}

#[test]
fn what_is_taken_back_from_a_caller_is_taken_from_what_it_called() {
    let may_call = "tool_call: [{tools: [a-called]}]";
    assert!(is_left(&format!("{{key_value: [{{}}], {may_call}}}")));
    assert!(!is_left(&format!("{{{may_call}}}")), "the state");
    assert!(!is_left("{key_value: [{}]}"), "the call itself");
    assert!(!is_left("{}"), "all");
}
