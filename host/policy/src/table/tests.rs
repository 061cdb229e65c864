use super::*;
use crate::testing;

fn table(text: &str) -> Table {
    Table::parse(text.as_bytes(), Format::Yaml, "t.yaml").expect("a table")
}

/// Runs the cases of a shipped policy.
fn check(policy: &str, format: Format, cases: &str) {
    let policy = testing::read(policy.as_bytes(), format).expect("a policy");
    let checked = table(cases).run(&policy);
    let wrong: Vec<_> = checked
        .iter()
        .filter(|case| !case.is_as_expected())
        .collect();
    assert!(wrong.is_empty(), "{}: {wrong:#?}", policy.name());
}

macro_rules! shipped {
    ($file:literal) => {
        include_str!(concat!("../../../../policies/", $file))
    };
}

#[test]
fn deny_all() {
    check(
        shipped!("deny-all.yaml"),
        Format::Yaml,
        shipped!("deny-all.test.yaml"),
    );
}

#[test]
fn default() {
    let cases = shipped!("default.test.yaml");
    check(shipped!("default.yaml"), Format::Yaml, cases);
    check(shipped!("default.json"), Format::Json, cases);
}

#[test]
fn both_forms_of_the_default_are_the_same() {
    let yaml = testing::read(shipped!("default.yaml").as_bytes(), Format::Yaml);
    let json = testing::read(shipped!("default.json").as_bytes(), Format::Json);
    let digest = |policy: Result<Policy, PolicyError>| *policy.expect("a policy").digest();
    assert_eq!(digest(yaml), digest(json));
}

#[test]
fn developer() {
    check(
        shipped!("developer.yaml"),
        Format::Yaml,
        shipped!("developer.test.yaml"),
    );
}

#[test]
fn research() {
    check(
        shipped!("research.yaml"),
        Format::Yaml,
        shipped!("research.test.yaml"),
    );
}

#[test]
fn build() {
    check(
        shipped!("build.yaml"),
        Format::Yaml,
        shipped!("build.test.yaml"),
    );
}

const POLICY: &str = "
version: 1
name: p
rules:
  - name: pages
    tools: [http-fetch]
    allow:
      network: [{host: a.org}]
      tool_call: [{tools: [files-read]}]
  - name: never
    tools: ['*']
    deny:
      network: [{host: a.org, paths: [/secret]}]
";

/// Whether one case is as expected.
fn passes(case: &str) -> bool {
    let table = table(&format!("version: 1\ncases: [{case}]"));
    let checked = table.run(&testing::policy(POLICY));
    checked.iter().all(Checked::is_as_expected)
}

#[test]
fn a_case_passes_for_the_reason_it_gives_alone() {
    let open = "tool: http-fetch, use: {network: 'GET https://a.org/'}";
    let secret = "tool: http-fetch, use: {network: 'GET https://a.org/secret'}";
    let other = "tool: other-fetch, use: {network: 'GET https://a.org/'}";
    for (case, expected) in [
        (format!("{{{open}, expect: allow}}"), true),
        (format!("{{{open}, expect: allow, rule: pages}}"), true),
        (format!("{{{open}, expect: allow, rule: other}}"), false),
        (format!("{{{open}, expect: deny}}"), false),
        (format!("{{{secret}, expect: deny}}"), true),
        (
            format!("{{{secret}, expect: deny, code: denied, rule: never}}"),
            true,
        ),
        (
            format!("{{{secret}, expect: deny, code: not_granted}}"),
            false,
        ),
        (format!("{{{secret}, expect: deny, rule: pages}}"), false),
        (format!("{{{secret}, expect: allow}}"), false),
        (
            format!("{{{other}, expect: deny, code: not_granted}}"),
            true,
        ),
        (format!("{{{other}, expect: allow}}"), false),
    ] {
        assert_eq!(passes(&case), expected, "{case}");
    }
}

#[test]
fn what_agent_task_and_caller_carry_narrows() {
    let case = "tool: http-fetch, use: {network: 'GET https://a.org/x'}";
    for (carries, code) in [
        ("agent: {network: [{host: a.org}]}", None),
        ("agent: {network: [{host: b.org}]}", Some("not_delegated")),
        ("task: {}", Some("not_delegated")),
    ] {
        let expect = code.map_or("allow".to_owned(), |code| format!("deny, code: {code}"));
        let case = format!("{{{case}, carries: {{{carries}}}, expect: {expect}}}");
        assert!(passes(&case), "{case}");
    }
}

#[test]
fn every_capability_can_be_asked_about() {
    for asked in [
        "network: {request: 'GET https://b.org/', headers: [X-Key, Accept], address: 10.0.0.1}",
        "network: 'GET https://a.org/%2f'",
        "sockets: 'udp [2001:db8::1]:53'",
        "sockets: {connect: 'tcp 192.0.2.1:25', names: [mail.b.org], tls: starttls-smtp}",
        "sockets: lookup b.org",
        "filesystem: 'delete workspace:a/**'",
        "filesystem: 'list workspace:.'",
        "subprocess: [git, status]",
        "subprocess: {start: [git], cwd: 'workspace:src', stdin_bytes: 10}",
        "environment: HOME",
        "environment: {name: LANG, value: C}",
        "secrets: token",
        "secrets: {name: token, expose: true}",
        "secrets: {name: token, header: Authorization, to: 'https://a.org'}",
        "secrets: {name: token, query: key, to: 'https://a.org'}",
        "secrets: {name: token, stdin: git}",
        "key_value: 'write agent:a/b'",
        "tool_call: files-write@1.2.0",
        "clocks: real",
        "random: real",
    ] {
        let case = format!("{{tool: any-tool, use: {{{asked}}}, expect: deny}}");
        assert!(passes(&case), "{case}");
    }
    assert!(passes(
        "{tool: http-fetch, use: {tool_call: files-read}, expect: allow, rule: pages}"
    ));
}

#[test]
fn mistakes_have_a_place() {
    for (text, place, part) in [
        (
            "version: 2\ncases: [{tool: a-b, expect: deny}]",
            "1:10",
            "version 1",
        ),
        ("version: 1\ncases: []", "2:8", "test nothing"),
        ("version: 1\ncases: [{tool: a-b}]", "2:9", "expect"),
        (
            "version: 1\ncases: [{tool: a-b, expect: deny, other: 1}]",
            "2:35",
            "other",
        ),
        (
            "version: 1\ncases: [{tool: a-b, expect: allow, code: denied}]",
            "2:42",
            "denial",
        ),
        (
            "version: 1\ncases: [{tool: a-b, expect: allow, rule: r}]",
            "2:42",
            "uses",
        ),
        (
            "version: 1\ncases: [{tool: a-b, use: {nothing: x}, expect: deny}]",
            "2:27",
            "no capability",
        ),
        (
            "version: 1\ncases: [{tool: a-b, use: {network: x}, expect: deny}]",
            "2:36",
            "expected `GET",
        ),
        (
            "version: 1\ncases: [{tool: a-b, use: {filesystem: read a}, expect: deny}]",
            "2:39",
            "colon",
        ),
        (
            "version: 1\ncases: [{tool: a-b, use: {clocks: real, random: real}, expect: deny}]",
            "2:26",
            "one use",
        ),
        (
            "version: 1\ntools: {a-b: {capabilities: [wings]}}\ncases: [{tool: a-b, expect: deny}]",
            "2:30",
            "wings",
        ),
        (
            "version: 1\ncases: [{tool: a-b, carries: {friend: {}}, expect: deny}]",
            "2:31",
            "who carries",
        ),
    ] {
        let error = Table::parse(text.as_bytes(), Format::Yaml, "t.yaml").expect_err(text);
        let shown = error.to_string();
        assert!(shown.starts_with(&format!("t.yaml:{place}: ")), "{shown}");
        assert!(shown.contains(part), "{shown}");
    }
}

#[test]
fn a_use_says_what_would_allow_it() {
    for (text, entry) in [
        (
            "network: GET https://a.org/x",
            "network: [{host: a.org, methods: [GET], paths: [/x]}]",
        ),
        ("clocks: real", "clocks: [real]"),
        (
            "filesystem: read workspace:a.txt",
            "filesystem: [{mount: workspace, paths: [a.txt], rights: [read]}]",
        ),
    ] {
        let asked: Use = text.parse().expect(text);
        let again: Use = asked.to_json().to_string().parse().expect("JSON is YAML");
        assert_eq!(again.to_string(), asked.to_string());
        let patch = asked.patch("any-tool@1.0.0");
        let policy = testing::policy(&format!("version: 1\n{patch}"));
        let expected = format!(
            "version: 1\nname: p\nrules: [{{tools: ['any-tool@1.0.0'], allow: {{{entry}}}}}]"
        );
        assert_eq!(
            policy.digest(),
            testing::policy(&expected).digest(),
            "{patch}"
        );
        let case =
            format!("version: 1\ncases: [{{tool: any-tool, use: {{{text}}}, expect: allow}}]");
        let checked = table(&case).run(&policy);
        assert!(checked.iter().all(Checked::is_as_expected), "{checked:?}");
    }
    let never: Use = "network: GET https://a.org/%2f".parse().expect("a use");
    assert_eq!(never.patch("any-tool@1.0.0"), "");
    let mistake = "network: a"
        .parse::<Use>()
        .expect_err("no method")
        .to_string();
    assert!(mistake.starts_with("use:1:10: expected `GET"), "{mistake}");
}
