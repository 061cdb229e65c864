//! Policies that change while calls are decided and run.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use cofferdam_policy::capability::environment::{Environment, Source as Given, Variable};
use cofferdam_policy::capability::key_value::{KeyUse, Right, Scope};
use cofferdam_policy::capability::network::{Ask, Target};
use cofferdam_policy::{Pattern, Slice, Source};
use cofferdam_registry::{Publication, Registry};
use cofferdam_types::authority::Authority;
use cofferdam_types::call::{DenialCode, Origin};
use cofferdam_types::caller::Caller;
use cofferdam_types::change::Commit;
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::{Capability, Manifest, SafetyFlags, ToolSpec};
use cofferdam_types::{Ambient, CallId, Digest, Tenant};

use super::*;

/// Policies that follow one another while calls are decided.
const RELOADS: u64 = 1_000;
const DECISIONS: u64 = 100_000;
const DECIDERS: usize = 4;
/// What the two policies grant; each grants nothing of the other's.
const SIDES: [&str; 2] = ["a", "b"];

/// Never the same twice, which is all that ids need here.
struct Counting(AtomicU64);

impl Ambient for Counting {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }

    fn fill(&self, bytes: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let start = bytes.len().saturating_sub(number.len());
        let tail = number.len() - (bytes.len() - start);
        bytes[start..].copy_from_slice(&number[tail..]);
    }
}

/// A policy that grants what belongs to these sides, in several capabilities and in amounts of
/// their own, and is called after them.
fn policy(sides: &[&str]) -> Policy {
    let each = |entry: fn(&str) -> String| -> String {
        let entries: Vec<String> = sides.iter().map(|side| entry(side)).collect();
        entries.join(", ")
    };
    let text = format!(
        "version: 1\nname: {name}\nrules:\n  - tools: [\"*\"]\n    limits: {{memory: {mib}MiB}}\n    \
         allow:\n      environment: [{variables}]\n      key_value: [{keys}]\n      \
         network: [{hosts}]\n",
        name = sides.concat(),
        mib = sides.iter().map(|side| amount(side)).sum::<u64>(),
        variables = each(|side| format!("{{name: {side}, value: v}}")),
        keys = each(|side| format!(
            "{{keys: [\"{side}/**\"], quota: {{entries: {}}}}}",
            amount(side)
        )),
        hosts = each(|side| format!("{{host: {side}.test, requests: {}}}", amount(side))),
    );
    let source = Source {
        file: None,
        format: Format::Yaml,
        workspaces: Path::new(""),
        reserved: &[],
    };
    Policy::parse(text.as_bytes(), &source).expect("a policy")
}

fn amount(side: &str) -> u64 {
    if side == "a" { 1 } else { 2 }
}

/// The side of the policy of this generation: they take turns.
fn side(generation: u64) -> &'static str {
    SIDES[usize::from(generation.is_multiple_of(2))]
}

fn variable(side: &str) -> Variable {
    Variable {
        name: side.parse().expect("a name"),
        source: Given::Value("v".into()),
    }
}

/// What was granted of each side when a call was decided, whatever came later.
#[derive(Debug, PartialEq, Eq)]
struct Granted {
    memory_bytes: u64,
    variables: [bool; 2],
    entries: [Option<u64>; 2],
    requests: [Option<u64>; 2],
}

impl Granted {
    fn by(grant: &Grant) -> Self {
        fn caps<P: Pattern>(slice: &Slice<P>, ask: &P::Ask) -> Option<P::Caps> {
            slice.decide(ask).ok().map(|allowed| allowed.caps)
        }
        let key = |side: &str| KeyUse {
            scope: Scope::Tool,
            right: Right::Read,
            key: format!("{side}/1"),
        };
        let request = |side: &str| Ask {
            target: Target::parse(&format!("https://{side}.test/")).expect("a target"),
            method: "GET".to_owned(),
            headers: Vec::new(),
            address: None,
        };
        Self {
            memory_bytes: grant.limits().memory_bytes,
            variables: SIDES.map(|side| caps(grant.environment(), &variable(side)).is_some()),
            entries: SIDES
                .map(|side| caps(grant.key_value(), &key(side)).map(|quota| quota.entries)),
            requests: SIDES
                .map(|side| caps(grant.network(), &request(side)).map(|caps| caps.requests)),
        }
    }

    /// What the policy of one side grants.
    fn of(side: &str) -> Self {
        let amounts = SIDES.map(|each| (each == side).then_some(amount(side)));
        Self {
            memory_bytes: amount(side) << 20,
            variables: SIDES.map(|each| each == side),
            entries: amounts,
            requests: amounts,
        }
    }
}

fn enforce(policies: &Policies, policy: &Policy) {
    let read = || Ok::<_, Infallible>(policy.clone());
    let enforced = policies.enforce(read, Timestamp::from_millis(0));
    enforced.unwrap_or_else(|never| match never {});
}

/// A tool, and calls of it.
struct World {
    entry: Arc<Entry>,
    ambient: Counting,
}

impl World {
    async fn new() -> Self {
        let registry = Registry::new(cofferdam_store_memory::open());
        let spec = ToolSpec {
            name: "demo-tool".parse().expect("a name"),
            function: "tool".to_owned(),
            version: "1.0.0".parse().expect("a version"),
            description: "A tool.".to_owned(),
            args_schema: Payload::empty_object(),
            returns_schema: Payload::empty_object(),
            capabilities: vec![
                Capability::Environment,
                Capability::KeyValue,
                Capability::Network,
            ],
            safety: SafetyFlags::default(),
            tags: Vec::new(),
            examples: Vec::new(),
            limits: LimitRequest::default(),
        };
        let publication = Publication {
            manifest: Manifest {
                component: "demo".parse().expect("a name"),
                version: spec.version.clone(),
                tools: vec![spec],
            },
            contract: Contract::Declared,
            imports: Vec::new(),
            digest: Digest::of(b""),
            bytes: b"",
            by: "somebody".to_owned(),
            at: Timestamp::from_millis(0),
        };
        let tenant: Tenant = Caller::local().tenant;
        registry
            .register(&tenant, publication)
            .await
            .expect("added");
        let tool = "demo-tool".parse().expect("a tool");
        Self {
            entry: registry.resolve(&tenant, &tool).await.expect("there"),
            ambient: Counting(AtomicU64::new(1)),
        }
    }

    fn call(&self) -> Arc<ToolCall> {
        Arc::new(ToolCall {
            id: CallId::generate(&self.ambient),
            caller: Caller::local(),
            origin: Origin::Http,
            tool: "demo-tool".parse().expect("a tool"),
            arguments: Payload::empty_object(),
            workspace: None,
            limits: LimitRequest::default(),
            authority: Authority::default(),
            commit: Commit::Apply,
        })
    }

    fn decide<'a>(&self, policies: &'a Policies) -> (Decided<'a>, Arc<Ruling>) {
        let mut under = None;
        let now = self.ambient.now();
        let decided = policies.decided(&self.entry, &self.call(), None, now, &mut under);
        let Ok(decided) = decided else {
            panic!("each policy grants something");
        };
        (decided, under.expect("a policy decided"))
    }

    /// Decides once; what is wrong with the answer, or the side of the policy that gave it.
    fn check(&self, policies: &Policies) -> Result<&'static str, String> {
        let (decided, under) = self.decide(policies);
        let own = side(under.generation);
        let granted = Granted::by(&decided.grant);
        if under.policy.name() != own || granted != Granted::of(own) {
            let (name, generation) = (under.policy.name(), under.generation);
            return Err(format!(
                "generation {generation}, policy {name}: {granted:?}"
            ));
        }
        // A policy that came since takes away and never adds.
        for each in SIDES {
            let may = decided.grant.decide::<Environment>(&variable(each));
            match may.map_err(|denial| denial.code) {
                Ok(()) | Err(DenialCode::Revoked) if each == own => {}
                Err(DenialCode::NotGranted) if each != own => {}
                other => return Err(format!("{each} under {own}: {other:?}")),
            }
        }
        Ok(own)
    }
}

/// PO-03: every decision is the old policy's or the new one's, and names which.
#[tokio::test]
async fn a_decision_is_of_one_policy() {
    let world = World::new().await;
    let rules = SIDES.map(|side| policy(&[side]));
    let policies = Policies::new(rules[0].clone());
    let (begun, faults) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let seen = [AtomicU64::new(0), AtomicU64::new(0)];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for reload in 0..RELOADS {
                // In step with the decisions, so that none of the reloads comes after them.
                while begun.load(Ordering::Relaxed) < reload * (DECISIONS / RELOADS) {
                    std::thread::yield_now();
                }
                let next = usize::from(reload.is_multiple_of(2));
                enforce(&policies, &rules[next]);
            }
        });
        for _ in 0..DECIDERS {
            scope.spawn(|| {
                while begun.fetch_add(1, Ordering::Relaxed) < DECISIONS {
                    match world.check(&policies) {
                        Ok(side) => {
                            seen[usize::from(side == "b")].fetch_add(1, Ordering::Relaxed);
                        }
                        Err(fault) => faults.lock().expect("no panic").push(fault),
                    }
                }
            });
        }
    });
    assert_eq!(faults.into_inner().expect("no panic"), Vec::<String>::new());
    assert_eq!(policies.ruling().generation, 1 + RELOADS);
    for (seen, side) in seen.iter().zip(SIDES) {
        let seen = seen.load(Ordering::Relaxed);
        assert!(seen > DECISIONS / 20, "{seen} decisions by policy {side}");
    }
}

/// PO-03: a call under way is left what the policy in force leaves it, however close two came.
#[tokio::test]
async fn of_two_policies_at_once_the_later_has_the_last_word() {
    let world = World::new().await;
    let [a, b] = SIDES.map(|side| policy(&[side]));
    let both = policy(&SIDES);
    for round in 0..RELOADS {
        let policies = Policies::new(both.clone());
        let (running, _) = world.decide(&policies);
        std::thread::scope(|scope| {
            scope.spawn(|| enforce(&policies, &a));
            enforce(&policies, &b);
        });
        let ruling = policies.ruling();
        assert_eq!(ruling.generation, 3);
        for side in SIDES {
            let may = running.grant.decide::<Environment>(&variable(side)).is_ok();
            assert_eq!(may, side == ruling.policy.name(), "{side} in round {round}");
        }
    }
}
