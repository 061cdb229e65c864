//! What those are told of a denial who may not read policy: that there was one, and in which word.
//! Rules, hosts and paths that the policy names are none of their business. The audit keeps them.

use cofferdam_types::call::{Denial, Origin, Outcome, ToolCall};
use cofferdam_types::caller::Role;
use cofferdam_types::{Code, Failure};
use serde_json::json;

/// Whether whoever gets the outcome of a call may read policy: an administrator who makes it
/// directly. A run's log is read by everybody who may see the run.
pub(crate) fn reads_policy(call: &ToolCall) -> bool {
    let is_logged = match call.origin {
        Origin::Run { .. } => true,
        Origin::Http | Origin::Mcp | Origin::Cli => false,
    };
    call.caller.role >= Role::Admin && !is_logged
}

/// The outcome with its denials in words only.
pub(crate) fn coarse(outcome: Outcome) -> Outcome {
    Outcome {
        result: outcome.result.map_err(told),
        denials: outcome.denials.into_iter().map(Denial::coarse).collect(),
        ..outcome
    }
}

fn told(mut failure: Failure) -> Failure {
    let denials = match failure.details.get_mut("denials") {
        // A tool's own error is its own: the tool was told no more itself.
        Some(denials) if failure.code == Code::PolicyDenied => denials,
        _ => return failure,
    };
    // It was written from denials, here or in the sandbox.
    let full: Vec<Denial> = serde_json::from_value(denials.take()).unwrap_or_default();
    let coarse: Vec<Denial> = full.into_iter().map(Denial::coarse).collect();
    *denials = json!(coarse);
    let mut words: Vec<_> = coarse
        .iter()
        .map(|denial| denial.capability.as_str())
        .collect();
    words.dedup();
    failure.message = format!(
        "the policy refuses this call `{}`; an administrator can see why in the audit",
        words.join("`, `")
    );
    failure
}

#[cfg(test)]
mod tests {
    use cofferdam_types::call::{CallLog, DenialCode, Usage};
    use cofferdam_types::caller::Caller;
    use cofferdam_types::limits::LimitRequest;
    use cofferdam_types::{CallId, Payload};

    use super::*;

    const SECRETS: [&str; 4] = [
        "internal.example.org",
        "the-rule",
        "mine.yaml",
        "the reason",
    ];

    fn denial() -> Denial {
        let [resource, rule, file, reason] = SECRETS.map(str::to_owned);
        Denial {
            capability: "network".to_owned(),
            operation: "GET".to_owned(),
            smallest_grant: format!("rules: {resource}"),
            resource,
            code: DenialCode::Denied,
            rule,
            file: Some(file),
            line: Some(3),
            reason,
        }
    }

    fn call_id() -> CallId {
        "call_0192f7a4-7c5e-7d2a-8f00-0123456789ab"
            .parse()
            .expect("an id")
    }

    fn outcome(result: Result<Payload, Failure>) -> Outcome {
        Outcome {
            call_id: call_id(),
            tool: None,
            result,
            usage: Usage::default(),
            log: CallLog::default(),
            uses: Vec::new(),
            denials: vec![denial()],
            changes: None,
        }
    }

    #[test]
    fn nothing_of_the_policy_is_left() {
        let failure = Failure::new(Code::PolicyDenied, SECRETS.join(" "));
        let failure = failure.with("denials", json!([denial()]));
        for result in [Ok(Payload::null()), Err(failure)] {
            let coarse = coarse(outcome(result));
            let text = format!("{coarse:?}");
            for secret in SECRETS {
                assert!(!text.contains(secret), "{secret}: {text}");
            }
            let [left] = &coarse.denials[..] else {
                panic!("one denial: {text}");
            };
            assert_eq!(
                (left.capability.as_str(), left.code),
                ("network", DenialCode::Denied)
            );
            assert!(coarse.result.is_ok() || text.contains("refuses this call `network`"));
        }
    }

    #[test]
    fn a_tools_own_message_stays() {
        let own = Failure::new(Code::ToolError, "not today").with("denials", json!("mine"));
        let coarse = coarse(outcome(Err(own.clone())));
        assert_eq!(coarse.result, Err(own));
    }

    #[test]
    fn only_an_administrators_own_call_tells_all() {
        let call = |role, origin| ToolCall {
            id: call_id(),
            caller: Caller {
                role,
                ..Caller::local()
            },
            origin,
            tool: "a-b".parse().expect("a name"),
            arguments: Payload::empty_object(),
            workspace: None,
            limits: LimitRequest::default(),
            authority: cofferdam_types::authority::Authority::default(),
            commit: cofferdam_types::change::Commit::Apply,
        };
        let run = Origin::Run {
            run_id: "run_0192f7a4-7c5e-7d2a-8f00-0123456789ab"
                .parse()
                .expect("an id"),
            step: "first".parse().expect("a name"),
        };
        for (role, origin, tells) in [
            (Role::Admin, Origin::Http, true),
            (Role::Admin, Origin::Mcp, true),
            (Role::Admin, Origin::Cli, true),
            (Role::Admin, run, false),
            (Role::Author, Origin::Http, false),
            (Role::User, Origin::Cli, false),
        ] {
            assert_eq!(reads_policy(&call(role, origin)), tells, "{role:?}");
        }
    }
}
