use std::path::{Path, PathBuf};

use cofferdam_types::caller::Caller;
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::{Capability, ToolSpec};
use cofferdam_types::workspace::{Access, Offer, Place};
use cofferdam_types::{Digest, Limits, WorkspaceName};

use super::Request;
use crate::testing::{policy, spec};
use crate::{Policy, Subject};

fn named(access: Access) -> Offer {
    Offer {
        place: Place::Named("demo".parse().expect("a name")),
        access,
    }
}

fn words(
    policy: &Policy,
    spec: &ToolSpec,
    offer: Option<&Offer>,
) -> Result<Vec<String>, Vec<String>> {
    let (caller, limits) = (Caller::local(), LimitRequest::default());
    let request = Request {
        workspace: offer,
        ..Request::bare(&caller, &limits)
    };
    policy
        .decide(&Subject::declared(Digest::of(b""), spec), &request)
        .map(|grant| grant.words())
        .map_err(|all| {
            all.iter()
                .map(|d| format!("{}:{}", d.capability, d.operation))
                .collect()
        })
}

/// Decides under the server's policy; gives the granted words or the denied `kind:operation`s.
fn decide(
    capabilities: Vec<Capability>,
    offer: Option<&Offer>,
) -> Result<Vec<String>, Vec<String>> {
    let policy = Policy::builtin(Path::new("/data/workspaces"));
    words(&policy, &spec("demo-tool", capabilities), offer)
}

#[test]
fn nothing_declared_is_nothing_granted() {
    assert_eq!(decide(vec![], Some(&named(Access::ReadWrite))), Ok(vec![]));
}

#[test]
fn a_workspace_is_the_least_of_declared_and_offered() {
    let files = |access, optional| Capability::Workspace { access, optional };
    let reads = files(Access::ReadOnly, false);
    let writes = files(Access::ReadWrite, false);
    let perhaps = files(Access::ReadOnly, true);
    let (ro, rw) = (named(Access::ReadOnly), named(Access::ReadWrite));
    let words = |word: &str| Ok(vec![word.to_owned()]);
    let denied = |word: &str| Err(vec![word.to_owned()]);
    let read_only = words("filesystem:workspace:read_only");
    let read_write = words("filesystem:workspace:read_write");
    assert_eq!(decide(vec![reads.clone()], Some(&rw)), read_only);
    assert_eq!(decide(vec![writes.clone()], Some(&rw)), read_write);
    assert_eq!(decide(vec![writes], Some(&ro)), denied("workspace:write"));
    assert_eq!(decide(vec![reads.clone()], None), denied("workspace:read"));
    assert_eq!(decide(vec![perhaps], None), Ok(vec![]));
    let path = Offer {
        place: Place::Directory(PathBuf::from("/etc")),
        access: Access::ReadOnly,
    };
    assert_eq!(decide(vec![reads], Some(&path)), denied("workspace:read"));
}

#[test]
fn a_workspace_is_the_tenants_own() {
    let policy = Policy::builtin(Path::new("/data/workspaces"));
    let capability = Capability::Workspace {
        access: Access::ReadOnly,
        optional: false,
    };
    let (spec, limits) = (spec("demo-tool", vec![capability]), LimitRequest::default());
    let of = |tenant: &str, name: &str| {
        let caller = Caller {
            tenant: tenant.parse().expect("a tenant"),
            ..Caller::local()
        };
        let offer = Offer {
            place: Place::Named(name.parse().expect("a name")),
            access: Access::ReadOnly,
        };
        let request = Request {
            workspace: Some(&offer),
            ..Request::bare(&caller, &limits)
        };
        let subject = Subject::declared(Digest::of(b""), &spec);
        let grant = policy.decide(&subject, &request).expect("granted");
        grant.files().workspace().expect("a workspace").to_owned()
    };
    let below = |path: &str| Path::new("/data/workspaces").join(path);
    assert_eq!(of("default", "demo"), below("demo"));
    assert_eq!(of("acme", "demo"), below("_tenants/acme/demo"));
    assert_eq!(of("other", "demo"), below("_tenants/other/demo"));
    // No name that a caller can write leads to the directory of the others.
    assert!("_tenants".parse::<WorkspaceName>().is_err());
}

#[test]
fn every_missing_capability_is_named() {
    let denied = decide(
        vec![Capability::Network, Capability::Clocks, Capability::Secret],
        None,
    );
    assert_eq!(
        denied,
        Err(vec!["network:use".to_owned(), "secrets:use".to_owned()])
    );
}

#[test]
fn limits_go_up_to_the_ceiling_and_callers_only_tighten() {
    let mut spec = spec("demo-tool", vec![]);
    spec.limits.fuel = Some(u64::MAX);
    spec.limits.memory_bytes = Some(1 << 20);
    let asked = LimitRequest {
        deadline_ms: Some(10),
        memory_bytes: Some(u64::MAX),
        ..LimitRequest::default()
    };
    let caller = Caller::local();
    let request = Request::bare(&caller, &asked);
    let grant = Policy::builtin_local()
        .decide(&Subject::declared(Digest::of(b""), &spec), &request)
        .expect("granted");
    let limits = grant.limits();
    assert_eq!(
        (
            limits.fuel,
            limits.deadline_ms,
            limits.memory_bytes,
            limits.result_bytes
        ),
        (
            Policy::AUTHOR_MAX.fuel,
            10,
            1 << 20,
            Limits::DEFAULT.result_bytes
        )
    );
}

#[test]
fn a_tool_that_no_rule_allows_does_not_run() {
    let decide = |text: &str| words(&policy(text), &spec("demo-tool", vec![]), None);
    let denied = Err(vec!["tool:call".to_owned()]);
    assert_eq!(decide("version: 1"), denied);
    assert_eq!(decide("version: 1\nrules: []"), denied);
    assert_eq!(decide("{version: 1, rules: [{tools: ['*']}]}"), denied);
    assert_eq!(
        decide("{version: 1, rules: [{tools: [], allow: {}}]}"),
        denied
    );
    assert_eq!(
        decide("{version: 1, rules: [{tools: [other], allow: {}}]}"),
        denied
    );
    assert_eq!(
        decide("{version: 1, rules: [{tools: ['*'], allow: {}}]}"),
        Ok(vec![])
    );
    assert_eq!(
        decide(
            "{version: 1, rules: [{tools: ['*'], allow: {}}, {tools: ['demo-*'], deny: {call: true}}]}"
        ),
        denied
    );
}
