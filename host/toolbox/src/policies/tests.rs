use std::convert::Infallible;

use cofferdam_runtime::Depth;
use cofferdam_types::call::Parent;
use futures::FutureExt;

use super::*;
use crate::decide::subject;
use crate::testing;

/// A call under way, so deep below others.
fn running(entry: &Arc<Entry>, policy: &Policy, depth: u32) -> Running {
    let grant = Arc::new(testing::grant(policy, entry));
    let parent = Parent {
        call_id: testing::id(100),
        root_id: testing::id(100),
        depth,
    };
    Running {
        call: Arc::new(testing::call(depth, entry)),
        entry: entry.clone(),
        above: (depth > 0).then(|| Above {
            parent,
            depth: Depth::ROOT,
            grant: grant.clone(),
        }),
        grant,
    }
}

#[test]
fn a_policy_comes_into_force_and_is_told_as_one_step() {
    let policy = Policy::builtin(Path::new("/workspaces"));
    let entry = testing::entry("a-tool", &["clocks"]);
    let entry = entry.now_or_never().expect("no waiting");
    let policies = Policies::new(policy.clone());
    let list = |depth| {
        let listed =
            policies.list(|ruling| Ok::<_, Infallible>(running(&entry, &ruling.policy, depth)));
        listed.unwrap_or_else(|never| match never {})
    };
    let calls = [list(2), list(0), list(3), list(1)];
    let told = Mutex::new(Vec::new());
    let read = || {
        assert!(policies.turn.try_lock().is_err(), "nobody reads another");
        assert!(policies.ruling.try_read().is_ok(), "calls go on meanwhile");
        Ok::<_, Infallible>(policy.clone())
    };
    let renewed = policies.replace(read, |policy, running| {
        assert!(policies.turn.try_lock().is_err(), "nobody replaces it");
        assert!(policies.ruling.try_read().is_err(), "no call is decided");
        told.lock().expect("no panic").push(running.depth());
        Arc::new(policy.nothing(&subject(&running.entry)))
    });
    let (old, new) = renewed.unwrap_or_else(|never| match never {});
    assert_eq!((old.generation, new.generation), (1, 2));
    // A caller before what it calls.
    assert_eq!(told.into_inner().expect("no panic"), [0, 1, 2, 3]);
    drop(calls);
    assert!(policies.running().is_empty());
}

#[test]
fn a_policy_that_cannot_be_read_changes_nothing() {
    let policies = Policies::new(Policy::builtin(Path::new("/workspaces")));
    let refused = policies.replace(|| Err("broken"), |_, _| unreachable!("nothing runs"));
    assert_eq!(refused.map(|_| ()), Err("broken"));
    assert_eq!(policies.ruling().generation, 1);
}
