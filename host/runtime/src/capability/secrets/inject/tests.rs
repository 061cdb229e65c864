use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use cofferdam_policy::capability::network::Target;
use cofferdam_policy::{Format, Kind, Policy, Source, Subject};
use cofferdam_types::caller::Caller;
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::{Capability, SafetyFlags, ToolSpec};
use cofferdam_types::{Digest, Limits, Payload, SecretName, Version};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::HeaderMap;

use super::*;
use crate::capability::secrets::{Secrets, SecretsUnreachable};
use crate::meter::Meter;
use crate::warrant::Warrant;

const RULES: &str = r#"
version: 1
name: test
rules:
  - name: secrets
    tools: ["*"]
    allow:
      secrets:
        - {name: token, inject: {hosts: [api.example.org], header: authorization, format: "Bearer {}"}}
        - {name: key, inject: {hosts: [api.example.org], query: key}}
        - {name: other, inject: {hosts: [other.example.org], header: x-key}}
        - {name: gone, inject: {hosts: [gone.example.org], header: x-key}}
        - {name: lines, inject: {hosts: [lines.example.org], header: x-key}}
        - {name: open, expose: true}
        - {name: pass, inject: {program: git, stdin: true}}
"#;

/// Has the secrets of the rules, but `gone`, and counts how often they are read.
#[derive(Default)]
struct Keeper {
    made: Mutex<u8>,
    reads: AtomicUsize,
}

impl Secrets for Keeper {
    fn get<'a>(
        &'a self,
        name: &'a SecretName,
    ) -> BoxFuture<'a, Result<Option<SecretValue>, SecretsUnreachable>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let value = match name.as_str() {
            "gone" => None,
            "lines" => Some("two lines\r\nx: y".to_owned()),
            name => Some(format!("value of {name}/&=")),
        };
        let value = value.map(|text| SecretValue::new(text).expect("long enough"));
        async move { Ok(value) }.boxed()
    }

    fn fresh(&self) -> [u8; 16] {
        let mut next = self.made.lock().expect("no panic");
        *next += 1;
        [*next; 16]
    }
}

fn held() -> Held {
    held_by(Arc::default())
}

fn held_by(keeper: Arc<Keeper>) -> Held {
    let source = Source {
        file: None,
        format: Format::Yaml,
        workspaces: Path::new("/data/workspaces"),
        reserved: &[],
    };
    let policy = Policy::parse(RULES.as_bytes(), &source).expect("a policy");
    let spec = ToolSpec {
        name: "demo-tool".parse().expect("kebab case"),
        function: "tool".to_owned(),
        version: Version::new(1, 0, 0),
        description: "A tool.".to_owned(),
        args_schema: Payload::empty_object(),
        returns_schema: Payload::empty_object(),
        capabilities: vec![Capability::Secret],
        safety: SafetyFlags::default(),
        tags: Vec::new(),
        examples: Vec::new(),
        limits: LimitRequest::default(),
    };
    let subject = Subject {
        digest: Digest::of(b""),
        spec: &spec,
        owner: None,
        imports: &[],
        kind: Kind::Declared,
    };
    let (caller, limits) = (Caller::local(), LimitRequest::default());
    let request = cofferdam_policy::Request::bare(&caller, &limits);
    let grant = Arc::new(policy.decide(&subject, &request).expect("a grant"));
    let meter = Arc::new(Meter::new(
        &Limits::DEFAULT,
        crate::ledger::Ledger::default(),
    ));
    Held::new(Some(keeper), Warrant::new(grant, meter))
}

fn placeholder(held: &Held, name: &str) -> String {
    let given = held.give(name).now_or_never().expect("at once");
    given.expect("granted")
}

/// What goes out for a request: the query and the headers in order, or the code of the refusal.
fn sent(held: &Held, url: &str, headers: &[(&'static str, &str)]) -> Result<Vec<String>, String> {
    let target = Target::parse(url).expect("a URL");
    let mut all = HeaderMap::new();
    for (name, value) in headers {
        all.append(*name, HeaderValue::from_str(value).expect("a value"));
    }
    let mut query = target.query().map(str::to_owned);
    let mut request = Outgoing {
        target: &target,
        headers: &mut all,
        query: &mut query,
    };
    let done = held.inject(&mut request).now_or_never().expect("at once");
    done.map_err(|denial| format!("{}: {}", denial.operation, denial.resource))?;
    let headers = all.iter().map(|(name, value)| {
        let hidden = if value.is_sensitive() {
            " (hidden)"
        } else {
            ""
        };
        format!("{name}: {}{hidden}", value.to_str().expect("text"))
    });
    Ok(query.into_iter().chain(headers).collect())
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "compared with what may be refused"
)]
fn lines(lines: &[&str]) -> Result<Vec<String>, String> {
    Ok(lines.iter().map(|line| (*line).to_owned()).collect())
}

#[test]
fn what_is_bound_to_a_server_goes_there_and_nowhere_else() {
    let held = held();
    let own = lines(&[
        "key=value%20of%20key%2F%26%3D",
        "authorization: Bearer value of token/&= (hidden)",
    ]);
    assert_eq!(sent(&held, "https://api.example.org/a", &[]), own);
    let mine = [("authorization", "mine"), ("authorization", "mine too")];
    let url = "https://API.example.org:443/a?key=mine&k%65y=mine&key";
    assert_eq!(sent(&held, url, &mine), own);
    for elsewhere in [
        "http://api.example.org/a",
        "https://api.example.org:444/a",
        "https://a.api.example.org/a",
        "https://example.org/a",
    ] {
        let left = sent(&held, elsewhere, &[("authorization", "mine")]);
        assert_eq!(left, lines(&["authorization: mine"]), "{elsewhere}");
    }
}

#[test]
fn a_placeholder_stands_for_its_secret_where_that_may_go() {
    let held = held();
    let (token, key) = (placeholder(&held, "token"), placeholder(&held, "key"));
    assert_ne!(token, key);
    assert_eq!(placeholder(&held, "token"), token, "one for each name");
    let url = format!("https://api.example.org/a?b=1&key=a-{key}.{key}&c");
    assert_eq!(
        sent(
            &held,
            &url,
            &[("authorization", &format!("Basic {token}!"))]
        ),
        lines(&[
            "b=1&key=a-value%20of%20key%2F%26%3D.value%20of%20key%2F%26%3D&c",
            "authorization: Basic value of token/&=! (hidden)",
        ])
    );
    // In the body or broken in two it is only a text, and leaks nothing.
    let half = &token[..token.len() - 1];
    let left = sent(&held, "https://example.org/", &[("x-a", half)]);
    assert_eq!(left, lines(&[&format!("x-a: {half}")]));
}

#[test]
fn a_placeholder_anywhere_else_is_refused() {
    let held = held();
    let (token, key) = (placeholder(&held, "token"), placeholder(&held, "key"));
    let refused = |url: &str, headers: &[(&'static str, &str)]| {
        sent(&held, url, headers).expect_err("refused")
    };
    let auth = [("authorization", token.as_str())];
    assert_eq!(
        refused("https://evil.example.org/", &auth),
        "inject: token as header authorization at https://evil.example.org"
    );
    refused("http://api.example.org/", &auth);
    refused("https://other.example.org/", &[("x-key", &token)]);
    refused("https://api.example.org/", &[("x-other", &token)]);
    refused("https://api.example.org/", &[("authorization", &key)]);
    refused(&format!("https://api.example.org/?key={token}"), &[]);
    refused(&format!("https://api.example.org/?other={key}"), &[]);
    refused(&format!("https://api.example.org/?{key}=1"), &[]);
    refused(&format!("https://api.example.org/?{key}"), &[]);
    refused(&format!("https://api.example.org/{key}"), &[]);
    refused(&format!("https://evil.example.org/a/{key}/b"), &[]);
    // Another call knows nothing of this one's placeholders.
    let other = self::held();
    let left = sent(&other, "https://evil.example.org/", &auth);
    assert_eq!(left, lines(&[&format!("authorization: {token}")]));
}

#[test]
fn a_program_gets_a_secret_by_its_input_alone() {
    let held = held();
    let (pass, token) = (placeholder(&held, "pass"), placeholder(&held, "token"));
    let fill = |program: &str, stdin: Vec<u8>| {
        let filled = held.fill_stdin(program, stdin).now_or_never();
        filled.expect("at once").map_err(|denial| denial.resource)
    };
    let around = |middle: &[u8]| [b"\xff\0 ", middle, b"\ncofferdam_secret_"].concat();
    let filled = fill("git", around(pass.as_bytes()));
    assert_eq!(filled, Ok(around(b"value of pass/&=")));
    let twice = [pass.as_bytes(), pass.as_bytes()].concat();
    assert_eq!(
        fill("git", twice),
        Ok(b"value of pass/&=value of pass/&=".to_vec())
    );
    let plain = around(&pass.as_bytes()[1..]);
    assert_eq!(fill("gcc", plain.clone()), Ok(plain), "no placeholder");
    let refused = fill("gcc", pass.clone().into_bytes());
    assert_eq!(refused, Err("pass as input of gcc".to_owned()));
    let refused = fill("git", token.into_bytes());
    assert_eq!(refused, Err("token as input of git".to_owned()));
    assert!(held.is_in(&format!("--password={pass}")) && !held.is_in("--password"));
}

#[test]
fn placeholders_in_one_place_are_few_and_read_once() {
    let keeper = Arc::new(Keeper::default());
    let held = held_by(keeper.clone());
    let (token, pass) = (placeholder(&held, "token"), placeholder(&held, "pass"));
    let reads = |of: &dyn Fn() -> bool| {
        let before = keeper.reads.load(Ordering::Relaxed);
        let is_done = of();
        (is_done, keeper.reads.load(Ordering::Relaxed) - before)
    };
    let header = |count: usize| {
        let value = token.repeat(count);
        let auth = [("authorization", value.as_str())];
        sent(&held, "https://api.example.org/", &auth).is_ok()
    };
    let stdin = |count: usize| {
        let filled = held.fill_stdin("git", pass.repeat(count).into_bytes());
        filled.now_or_never().expect("at once").is_ok()
    };
    // `key` goes to that server without a placeholder.
    assert_eq!(reads(&|| header(64)), (true, 2));
    assert_eq!(reads(&|| header(65)), (false, 1));
    assert_eq!(reads(&|| stdin(64)), (true, 1));
    assert_eq!(reads(&|| stdin(65)), (false, 1));
}

#[test]
fn a_secret_that_cannot_arrive_stops_the_request() {
    let held = held();
    for host in ["gone", "lines"] {
        let refused = sent(&held, &format!("https://{host}.example.org/"), &[]);
        let refused = refused.expect_err(host);
        assert!(refused.starts_with("inject: "), "{refused}");
        assert!(!refused.contains("two lines"), "{refused}");
    }
}

#[test]
fn a_name_that_is_not_granted_is_as_one_that_does_not_exist() {
    let held = held();
    for name in ["gone", "nobody", "a/../b", "TOKEN", "tok*", "", "token\0"] {
        let given = held.give(name).now_or_never().expect("at once");
        let Err(Refusal::Denied(denial)) = given else {
            panic!("{name} was given");
        };
        assert_eq!(denial.code, DenialCode::NotGranted, "{name}");
    }
    assert_eq!(placeholder(&held, "open"), "value of open/&=");
}

#[test]
fn names_are_read_as_servers_read_them() {
    for (text, read) in [
        ("a", "a"),
        ("%61", "a"),
        ("a+b", "a b"),
        ("%", "%"),
        ("%6", "%6"),
        ("%zz", "%zz"),
    ] {
        assert_eq!(decoded(text), read);
    }
}
