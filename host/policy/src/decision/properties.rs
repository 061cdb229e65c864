//! What holds whatever the rules are, of every capability.

mod asks;
mod entries;
mod reach;

use std::collections::BTreeMap;

use cofferdam_types::Digest;
use cofferdam_types::call::DenialCode;
use cofferdam_types::caller::{Caller, Role};
use cofferdam_types::limits::LimitRequest;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value as Json, json};

use self::entries::{TOOLS, allow, delegation, deny, document, everything, policy, rules, side};
use self::reach::{Reach, tool};
use crate::permissions::CAPABILITIES;
use crate::testing::{cases, read};
use crate::{Carried, Format, Narrowing, Party, Policy, Request, Subject};

fn reach(policy: &Policy) -> Reach {
    Reach::of(policy, &[])
}

/// These rules and one more, somewhere among them.
fn and(rules: &[Json], rule: Json, at: Index) -> Policy {
    let mut more = rules.to_vec();
    more.insert(at.index(rules.len() + 1), rule);
    policy(&more)
}

/// A rule by which everything that is asked may be.
fn open() -> Json {
    json!({"tools": ["*"], "allow": everything()})
}

#[test]
fn everything_may_be_when_everything_is_allowed() {
    for (word, refused) in reach(&policy(&[open()])).outcomes() {
        assert_eq!(refused, None, "{word}");
    }
}

/// The tests below would say nothing of a capability that the random rules never allow, never leave
/// out or never deny.
#[test]
fn random_rules_decide_every_capability_in_every_way() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for _ in 0..2_000 {
        let rules = rules().new_tree(&mut runner).expect("a case").current();
        for (word, refused) in reach(&policy(&rules)).outcomes() {
            let how = match refused {
                None => "allowed",
                Some(DenialCode::Denied) => "denied",
                Some(_) => "left out",
            };
            *seen.entry((word, how)).or_default() += 1;
        }
    }
    for word in CAPABILITIES {
        for how in ["allowed", "denied", "left out"] {
            let count = seen.get(&(word, how)).copied().unwrap_or_default();
            assert!(count >= 20, "{word} {how}: {count} times");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    /// PO-13: an allow more, an allow less.
    #[test]
    fn one_more_allow_never_denies_and_one_less_never_allows(
        rules in rules(),
        more in prop::collection::vec(allow(), 0..4),
        tools in subsequence(&TOOLS[..], 0..3),
        at in any::<Index>(),
    ) {
        let fewer = reach(&policy(&rules));
        let longer = reach(&and(&rules, json!({"tools": tools, "allow": side(&more)}), at));
        prop_assert!(fewer.is_within(&longer));
        prop_assert!(!fewer.may_run() || fewer.memory() == longer.memory());
    }

    /// PO-13: a deny more.
    #[test]
    fn one_more_deny_or_limit_never_allows(
        rules in rules(),
        more in prop::collection::vec(deny(), 0..3),
        no_call in any::<bool>(),
        tools in subsequence(&TOOLS[..], 0..3),
        at in any::<Index>(),
    ) {
        let before = reach(&policy(&rules));
        let mut deny = side(&more);
        if no_call {
            deny["call"] = json!(true);
        }
        let rule = json!({"tools": tools, "deny": deny, "limits": {"memory": 7}});
        let stricter = reach(&and(&rules, rule, at));
        prop_assert!(stricter.is_within(&before));
        prop_assert!(stricter.memory() <= before.memory());
    }

    /// PO-05, PO-13: a deny of every width.
    #[test]
    fn what_is_denied_is_denied_whatever_allows_it(
        rules in rules(),
        denied in deny(),
        at in any::<Index>(),
    ) {
        let denial = json!({"tools": ["fetch"], "deny": side(&[denied])});
        let alone = reach(&policy(&[open(), denial.clone()]));
        let mut allowed = rules;
        allowed.push(open());
        let among = reach(&and(&allowed, denial, at));
        let found = among.outcomes().into_iter().zip(alone.outcomes());
        for ((word, among_all), (_, by_itself)) in found {
            if by_itself.is_some() {
                prop_assert_eq!(by_itself, Some(DenialCode::Denied), "{}", word);
                prop_assert!(among_all.is_some(), "{}", word);
                prop_assert!(!among.may_run() || among_all == by_itself, "{}", word);
            }
        }
    }

    /// PO-05, PO-13: every order.
    #[test]
    fn order_never_matters(rules in rules(), turn in any::<Index>()) {
        let before = reach(&policy(&rules));
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
        prop_assert!(reach(&policy(&other)).is_same(&before));
    }

    #[test]
    fn a_delegation_never_widens(
        rules in rules(),
        carried in prop::collection::vec(allow(), 0..6),
        more in prop::collection::vec(allow(), 0..6),
    ) {
        let policy = policy(&rules);
        let alone = reach(&policy);
        let (agent, task) = (delegation(&carried), delegation(&more));
        let agent = Carried { party: Party::Agent, delegation: &agent };
        let task = Carried { party: Party::Task, delegation: &task };
        let one = Reach::of(&policy, &[agent]);
        let two = Reach::of(&policy, &[agent, task]);
        prop_assert!(one.is_within(&alone));
        prop_assert!(two.is_within(&one));
        prop_assert!(two.is_same(&Reach::of(&policy, &[task, agent])));
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
        let narrowed = reach(&policy.narrowed(narrowing));
        prop_assert!(narrowed.is_within(&reach(&policy)));
    }

    #[test]
    fn one_policy_in_three_formats_is_one_policy(rules in rules()) {
        let document = document(&rules);
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
