use cofferdam_types::Digest;
use cofferdam_types::caller::Caller;
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::Capability;

use super::Narrowing;
use crate::testing::{self, policy, spec};
use crate::{Request, Subject};

const OPEN: &str = "version: 1
rules:
  - {tools: ['*'], allow: {network: [{host: a.org}], clocks: [real]}}
";

/// What a tool that needs the network comes to under these variables.
fn decided(variables: &[(&str, &str)]) -> Result<Vec<String>, Vec<String>> {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let narrowing = Narrowing::from_environment(variables).expect("read");
    let spec = spec("fetch", vec![Capability::Network]);
    let (caller, limits) = (Caller::local(), LimitRequest::default());
    testing::decide(
        &policy(OPEN).narrowed(narrowing),
        &Subject::declared(Digest::of(b""), &spec),
        &Request::bare(&caller, &limits),
    )
}

#[test]
fn variables_take_and_never_give() {
    let granted = Ok(vec!["network".to_owned()]);
    let denied = |word: &str| Err(vec![word.to_owned()]);
    assert_eq!(decided(&[]), granted);
    assert_eq!(
        decided(&[("COFFERDAM_ALLOW_NETWORK_TOOLS", "true")]),
        granted
    );
    assert_eq!(decided(&[("TTA_ALLOW_FILESYSTEM_TOOLS", "0")]), granted);
    for name in ["COFFERDAM_ALLOW_NETWORK_TOOLS", "TTA_ALLOW_NETWORK_TOOLS"] {
        let taken = decided(&[(name, "false")]).expect_err("taken");
        assert!(
            taken.contains(&"network:use:denied".to_owned()),
            "{taken:?}"
        );
    }
    assert_eq!(
        decided(&[("TTA_ALLOWED_CALLABLES", "other, fetch@^1")]),
        granted
    );
    for list in ["", "other", "fetch@^2"] {
        assert_eq!(
            decided(&[("TTA_ALLOWED_CALLABLES", list)]),
            denied("tool:call:denied")
        );
    }
}

/// A program's network and its time are in its entry, not in what a call has.
#[test]
fn programs_lose_network_and_time_too() {
    const PROGRAMS: &str = "version: 1
programs:
  git: {path: /usr/bin/git, network: true}
rules:
  - {tools: ['*'], allow: {subprocess: [{program: git}]}}
";
    let program = |variables: &[(&str, &str)]| {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let narrowing = Narrowing::from_environment(variables).expect("read");
        let spec = spec("fetch", vec![Capability::Subprocess]);
        let (caller, limits) = (Caller::local(), LimitRequest::default());
        let grant = policy(PROGRAMS)
            .narrowed(narrowing)
            .decide(
                &Subject::declared(Digest::of(b""), &spec),
                &Request::bare(&caller, &limits),
            )
            .expect("a grant");
        grant.program("git").expect("a program").clone()
    };
    assert!(program(&[]).network());
    assert!(program(&[("TTA_ALLOW_NETWORK_TOOLS", "true")]).network());
    assert!(!program(&[("TTA_ALLOW_NETWORK_TOOLS", "false")]).network());
    let time = |variable, seconds| program(&[(variable, seconds)]).limits().time_ms;
    for variable in ["COMMAND_TIMEOUT", "COFFERDAM_COMMAND_TIMEOUT"] {
        assert_eq!(time(variable, "60"), 60_000);
        assert_eq!(time(variable, "1000"), 300_000, "it never gives");
    }
}

#[test]
fn what_cannot_be_read_is_an_error_and_never_a_guess() {
    for (name, value) in [
        ("TTA_ALLOW_NETWORK_TOOLS", "yes"),
        ("TTA_ALLOW_NETWORK_TOOLS", ""),
        ("TTA_ALLOW_NETWORK_TOOLS", "False"),
        ("TTA_TOOL_TIMEOUT_MS", "0"),
        ("TTA_TOOL_TIMEOUT_MS", "-1"),
        ("TTA_TOOL_TIMEOUT_MS", "30s"),
        ("COMMAND_TIMEOUT", "0"),
        ("TTA_ALLOW_NETWORK_TOOL", "false"),
        ("COFFERDAM_ALLOWED_CALLABLE", ""),
        ("COMMAND_TIMEOUT", "5m"),
        ("TTA_ALLOWED_CALLABLES", "Files"),
        ("TTA_TOOL_POLICY_CONFIG", ""),
    ] {
        let variables = [(name.to_owned(), value.to_owned())];
        let errors = Narrowing::from_environment(variables).expect_err(value);
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].variable, name);
    }
    let disagree = [
        ("COFFERDAM_TOOL_TIMEOUT_MS".to_owned(), "1".to_owned()),
        ("TTA_TOOL_TIMEOUT_MS".to_owned(), "2".to_owned()),
    ];
    assert!(Narrowing::from_environment(disagree).is_err());
}
