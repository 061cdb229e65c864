//! What the tests of several modules need.

use std::path::Path;

use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::{Capability, SafetyFlags, ToolSpec};
use cofferdam_types::{Payload, Version};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::{Format, Policy, PolicyError, Source};

/// A tool of version 1.0.0.
pub(crate) fn spec(name: &str, capabilities: Vec<Capability>) -> ToolSpec {
    ToolSpec {
        name: name.parse().expect("kebab case"),
        function: "tool".to_owned(),
        version: Version::new(1, 0, 0),
        description: "A tool.".to_owned(),
        args_schema: Payload::empty_object(),
        returns_schema: Payload::empty_object(),
        capabilities,
        safety: SafetyFlags::default(),
        tags: Vec::new(),
        examples: Vec::new(),
        limits: LimitRequest::default(),
    }
}

/// The policy of a text in YAML, as if it stood in `p.yaml`.
pub(crate) fn parse(text: &str) -> Result<Policy, PolicyError> {
    read(text.as_bytes(), Format::Yaml)
}

/// The policy of a text, as if it stood in `p.yaml`.
pub(crate) fn read(text: &[u8], format: Format) -> Result<Policy, PolicyError> {
    let source = Source {
        file: Some(Path::new("p.yaml")),
        format,
        workspaces: Path::new("/data/workspaces"),
        reserved: &[],
    };
    Policy::parse(text, &source)
}

/// The policy of a text that is one.
pub(crate) fn policy(text: &str) -> Policy {
    parse(text).expect("a policy")
}

/// Cases of a property test: 10,000, or `PROPTEST_CASES` when that is more. At full size they are a
/// million, a hundred times as many:
/// `PROPTEST_CASES=1000000 cargo test --release -p cofferdam-policy --lib`.
pub(crate) fn cases() -> u32 {
    proptest::test_runner::Config::default().cases.max(10_000)
}

/// The first of 10,000 cases about which `agrees` says no, if there is one. The same cases in every
/// run: a bug that was planted is found in each or in none.
pub(crate) fn disagreement<S: Strategy>(
    cases: &S,
    agrees: impl Fn(&S::Value) -> bool,
) -> Option<S::Value> {
    let mut runner = TestRunner::deterministic();
    let case = |_| cases.new_tree(&mut runner).expect("a case").current();
    (0..10_000).map(case).find(|case| !agrees(case))
}

/// What a call comes to: the words it is granted, or `capability:operation:code` of each denial.
pub(crate) fn decide(
    policy: &Policy,
    subject: &crate::Subject<'_>,
    request: &crate::Request<'_>,
) -> Result<Vec<String>, Vec<String>> {
    let shown = |denial: &cofferdam_types::call::Denial| {
        let code = serde_json::to_value(denial.code).expect("a word");
        let code = code.as_str().unwrap_or_default().to_owned();
        format!("{}:{}:{code}", denial.capability, denial.operation)
    };
    policy
        .decide(subject, request)
        .map(|grant| grant.words())
        .map_err(|denials| denials.iter().map(shown).collect())
}
