//! What holds whatever the rules are.

use cofferdam_types::Digest;
use cofferdam_types::caller::{Caller, Role};
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::{Capability as Declared, ToolSpec};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use serde_json::{Value as Json, json};

use crate::capability::environment::{Environment, Source, Variable};
use crate::capability::tool_call::{ToolCall, ToolUse};
use crate::testing::{cases, read, spec};
use crate::{Carried, Delegation, Format, Grant, Narrowing, Party, Policy, Request, Subject};

const TOOLS: [&str; 7] = [
    "*", "fetch", "fe*", "fetch@^1", "fetch@^2", "other", "acme/*",
];
const ROLES: [&str; 2] = ["user", "admin"];
const NAMES: [&str; 3] = ["A", "B", "C"];
const CALLED: [&str; 4] = ["x", "y*", "**", "x@^1"];

/// An entry below `allow` or `deny`: its capability and itself.
fn entry() -> impl Strategy<Value = (&'static str, Json)> {
    prop_oneof![
        select(&NAMES[..]).prop_map(|name| ("environment", json!({"name": name, "value": "v"}))),
        select(&CALLED[..]).prop_map(|tool| ("tool_call", json!({"tools": [tool]}))),
    ]
}

fn side(entries: &[(&str, Json)]) -> Json {
    let mut all = json!({});
    for (word, entry) in entries {
        if all.get(word).is_none() {
            all[word] = json!([]);
        }
        if let Some(list) = all[word].as_array_mut() {
            list.push(entry.clone());
        }
    }
    all
}

prop_compose! {
    fn rule()(
        tools in subsequence(&TOOLS[..], 0..3),
        roles in prop::option::weighted(0.3, subsequence(&ROLES[..], 0..=2)),
        allow in prop::option::weighted(0.8, prop::collection::vec(entry(), 0..3)),
        deny in prop::collection::vec(entry(), 0..2),
        no_call in prop::bool::weighted(0.1),
        memory in prop::option::weighted(0.3, 1_u64..1_000),
    ) -> Json {
        let mut rule = json!({"tools": tools});
        if let Some(roles) = roles {
            rule["callers"] = json!({"roles": roles});
        }
        if let Some(allow) = allow {
            rule["allow"] = side(&allow);
        }
        let mut denies = side(&deny);
        if no_call {
            denies["call"] = json!(true);
        }
        if denies != json!({}) {
            rule["deny"] = denies;
        }
        if let Some(memory) = memory {
            rule["limits"] = json!({"memory": memory});
        }
        rule
    }
}

fn rules() -> impl Strategy<Value = Vec<Json>> {
    prop::collection::vec(rule(), 0..5)
}

fn policy(rules: &[Json]) -> Policy {
    let text = json!({"version": 1, "rules": rules}).to_string();
    read(text.as_bytes(), Format::Json).expect("a policy")
}

fn tool() -> ToolSpec {
    let workspace = Declared::Workspace {
        access: cofferdam_types::workspace::Access::ReadOnly,
        optional: true,
    };
    let mut spec = spec("fetch", vec![workspace]);
    spec.tags = vec!["net".to_owned()];
    spec
}

/// Everything that can be asked in these tests, and whether it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reach {
    may_run: bool,
    uses: Vec<bool>,
    memory: u64,
}

impl Reach {
    fn is_within(&self, other: &Self) -> bool {
        let uses = self.uses.iter().zip(&other.uses);
        (!self.may_run || other.may_run)
            && uses.fold(true, |all, (own, other)| all && (!own || *other))
    }
}

fn uses(grant: &Grant) -> Vec<bool> {
    let variable = |name: &&str| Variable {
        name: name.parse().expect("a name"),
        source: Source::Value("v".into()),
    };
    let called = ["x", "y", "yz", "z"].map(|tool| ToolUse {
        tool: tool.parse().expect("a name"),
        version: Some("1.0.0".parse().expect("a version")),
    });
    let variables = NAMES.iter().map(variable);
    variables
        .map(|ask| grant.decide::<Environment>(&ask).is_ok())
        .chain(
            called
                .iter()
                .map(|ask| grant.decide::<ToolCall>(ask).is_ok()),
        )
        .collect()
}

fn reach(policy: &Policy, layers: &[Carried<'_>]) -> Reach {
    let caller = Caller {
        role: Role::User,
        ..Caller::local()
    };
    let limits = LimitRequest::default();
    let mut spec = tool();
    // Kinds that are optional, so that the grant shows what there is of each.
    spec.capabilities.clear();
    let imports = ["wasi:cli/environment@0.2.6".to_owned()];
    let subject = Subject {
        imports: &imports,
        kind: crate::Kind::Plain,
        ..Subject::declared(Digest::of(b""), &spec)
    };
    let mut declaring = spec.clone();
    declaring.capabilities = vec![Declared::ToolCall, Declared::Environment];
    let subject = Subject {
        spec: &declaring,
        ..subject
    };
    let request = Request {
        layers,
        ..Request::bare(&caller, &limits)
    };
    match policy.decide(&subject, &request) {
        Ok(grant) => Reach {
            may_run: true,
            uses: uses(&grant),
            memory: grant.limits().memory_bytes,
        },
        Err(_) => Reach {
            may_run: false,
            uses: vec![false; NAMES.len() + 4],
            memory: 0,
        },
    }
}

fn delegation(entries: &[(&str, Json)]) -> Delegation {
    let text = side(entries).to_string();
    Delegation::parse(text.as_bytes(), Format::Json, "agent a").expect("a delegation")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    /// PO-13: an allow more, an allow less.
    #[test]
    fn one_more_allow_never_denies_and_one_less_never_allows(
        rules in rules(),
        more in prop::collection::vec(entry(), 0..3),
        tools in subsequence(&TOOLS[..], 0..3),
        at in any::<Index>(),
    ) {
        let fewer = reach(&policy(&rules), &[]);
        let mut longer = rules.clone();
        let rule = json!({"tools": tools, "allow": side(&more)});
        longer.insert(at.index(rules.len() + 1), rule);
        let longer = reach(&policy(&longer), &[]);
        prop_assert!(fewer.is_within(&longer));
        prop_assert!(!fewer.may_run || fewer.memory == longer.memory);
    }

    /// PO-13: a deny more.
    #[test]
    fn one_more_deny_or_limit_never_allows(
        rules in rules(),
        more in prop::collection::vec(entry(), 0..3),
        no_call in any::<bool>(),
        tools in subsequence(&TOOLS[..], 0..3),
        at in any::<Index>(),
    ) {
        let before = reach(&policy(&rules), &[]);
        let mut deny = side(&more);
        if no_call {
            deny["call"] = json!(true);
        }
        let rule = json!({"tools": tools, "deny": deny, "limits": {"memory": 7}});
        let mut stricter = rules.clone();
        stricter.insert(at.index(rules.len() + 1), rule);
        let stricter = reach(&policy(&stricter), &[]);
        prop_assert!(stricter.is_within(&before));
        prop_assert!(stricter.memory <= before.memory);
    }

    /// PO-05, PO-13: a deny of every width.
    #[test]
    fn what_is_denied_is_denied_whatever_allows_it(rules in rules(), denied in entry()) {
        let (word, entry) = denied;
        let mut rules = rules;
        rules.push(json!({"tools": ["*"], "allow": {word: [entry.clone()]}}));
        rules.push(json!({"tools": ["fetch"], "deny": {word: [entry.clone()]}}));
        let without = policy(&[
            json!({"tools": ["*"], "allow": {"environment": [{"name": "A", "value": "v"}, {"name": "B", "value": "v"}, {"name": "C", "value": "v"}], "tool_call": [{"tools": ["**"]}]}}),
            json!({"tools": ["fetch"], "deny": {word: [entry]}}),
        ]);
        prop_assert!(reach(&policy(&rules), &[]).is_within(&reach(&without, &[])));
    }

    /// PO-05, PO-13: every order.
    #[test]
    fn order_never_matters(rules in rules(), turn in any::<Index>()) {
        let before = reach(&policy(&rules), &[]);
        let mut other = rules.clone();
        if !other.is_empty() {
            let by = turn.index(other.len());
            other.rotate_left(by);
            other.reverse();
        }
        for rule in &mut other {
            let lists = ["allow", "deny"].into_iter().filter_map(|side| rule.get(side).cloned().map(|it| (side, it)));
            for (side, mut entries) in lists.collect::<Vec<_>>() {
                for list in entries.as_object_mut().into_iter().flat_map(|it| it.values_mut()) {
                    if let Some(list) = list.as_array_mut() {
                        list.reverse();
                    }
                }
                rule[side] = entries;
            }
        }
        prop_assert_eq!(reach(&policy(&other), &[]), before);
    }

    #[test]
    fn a_delegation_never_widens(
        rules in rules(),
        carried in prop::collection::vec(entry(), 0..4),
        more in prop::collection::vec(entry(), 0..3),
    ) {
        let policy = policy(&rules);
        let alone = reach(&policy, &[]);
        let (agent, task) = (delegation(&carried), delegation(&more));
        let agent = Carried { party: Party::Agent, delegation: &agent };
        let task = Carried { party: Party::Task, delegation: &task };
        let one = reach(&policy, &[agent]);
        let two = reach(&policy, &[agent, task]);
        prop_assert!(one.is_within(&alone));
        prop_assert!(two.is_within(&one));
        prop_assert_eq!(two, reach(&policy, &[task, agent]));
    }

    #[test]
    fn the_environment_never_widens(
        rules in rules(),
        network in any::<bool>(),
        callables in prop::option::of(subsequence(&TOOLS[..], 0..3)),
        timeout in 1_u64..10_000,
    ) {
        let policy = policy(&rules);
        let mut variables = vec![
            ("TTA_ALLOW_NETWORK_TOOLS".to_owned(), network.to_string()),
            ("COFFERDAM_TOOL_TIMEOUT_MS".to_owned(), timeout.to_string()),
        ];
        if let Some(tools) = callables {
            variables.push(("TTA_ALLOWED_CALLABLES".to_owned(), tools.join(",")));
        }
        let narrowing = Narrowing::from_environment(variables).expect("read");
        let narrowed = reach(&policy.narrowed(narrowing), &[]);
        prop_assert!(narrowed.is_within(&reach(&policy, &[])));
    }

    #[test]
    fn one_policy_in_three_formats_is_one_policy(rules in rules()) {
        let document = json!({"version": 1, "name": "p", "limits": {"memory": "64MiB"}, "rules": rules});
        let json = read(document.to_string().as_bytes(), Format::Json).expect("JSON");
        let yaml = serde_saphyr::to_string(&document).expect("printed");
        let yaml = read(yaml.as_bytes(), Format::Yaml).expect("YAML");
        let toml = toml::to_string(&document).expect("printed");
        let toml = read(toml.as_bytes(), Format::Toml).expect("TOML");
        let again = read(json.to_json().to_string().as_bytes(), Format::Json).expect("its own print");
        for other in [&yaml, &toml, &again] {
            prop_assert_eq!(other.digest(), json.digest());
            prop_assert_eq!(other.to_json(), json.to_json());
        }
    }

    #[test]
    fn the_index_finds_every_rule_that_matches(rules in rules()) {
        let policy = policy(&rules);
        let caller = Caller { role: Role::User, ..Caller::local() };
        let limits = LimitRequest::default();
        let spec = tool();
        let subject = Subject::declared(Digest::of(b""), &spec);
        let request = Request::bare(&caller, &limits);
        let found: Vec<_> = policy.matching(&subject, &request).iter().map(|rule| rule.origin.clone()).collect();
        let all: Vec<_> = policy.explain(&subject, &request).rules;
        let expected: Vec<_> = all.into_iter().filter(|(_, miss)| miss.is_none()).map(|(origin, _)| origin).collect();
        prop_assert_eq!(found, expected);
    }
}
