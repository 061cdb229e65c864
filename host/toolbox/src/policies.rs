//! Which policy is in force, and which calls run under it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use cofferdam_policy::{Grant, Policy, PolicyError};
use cofferdam_registry::Entry;
use cofferdam_types::call::ToolCall;
use cofferdam_types::{CallId, Failure};

use crate::nested::Above;

/// Where the policy comes from, for whoever asks to read it again or to check another text.
/// Implemented by whoever knows the files.
pub trait PolicySource: Send + Sync {
    /// Reads the policy anew.
    ///
    /// **Errors**: why it can't come into force; the one in force stays.
    fn load(&self) -> Result<Policy, Failure>;

    /// Reads a text as if it stood in the place of the policy.
    ///
    /// **Errors**: every mistake in it, with its place.
    fn parse(&self, text: &[u8], format: cofferdam_policy::Format) -> Result<Policy, PolicyError>;
}

/// A policy that stands in no file and stays as it is.
#[derive(Debug, Clone)]
pub struct Fixed(pub Policy);

impl PolicySource for Fixed {
    fn load(&self) -> Result<Policy, Failure> {
        Ok(self.0.clone())
    }

    fn parse(&self, text: &[u8], format: cofferdam_policy::Format) -> Result<Policy, PolicyError> {
        let source = cofferdam_policy::Source {
            file: None,
            format,
            workspaces: Path::new(""),
            reserved: &[],
        };
        Policy::parse(text, &source)
    }
}

/// A policy that is or was in force.
#[derive(Debug, Clone)]
pub struct Ruling {
    /// What it allows.
    pub policy: Policy,
    /// 1 for the first since the host started, then one more with each that replaces it.
    pub generation: u64,
}

/// A call under way: what it takes to decide about it once more.
#[derive(Clone)]
pub(crate) struct Running {
    pub(crate) call: Arc<ToolCall>,
    pub(crate) entry: Arc<Entry>,
    pub(crate) grant: Arc<Grant>,
    /// What stands above it, when a tool made it.
    pub(crate) above: Option<Above>,
}

impl Running {
    fn depth(&self) -> u32 {
        self.above.as_ref().map_or(0, |above| above.parent.depth)
    }
}

/// The policy in force and the calls that run.
pub(crate) struct Policies {
    /// Held from the reading of a policy until it is in force, so that what was read first can't
    /// come last.
    turn: Mutex<()>,
    /// Read while a call is decided and listed, written while a policy takes the place of another,
    /// calls under way included: each call is decided by one policy and told of all that follow, in
    /// their order, and none is decided under a caller that is about to be told.
    ruling: RwLock<Arc<Ruling>>,
    running: Mutex<HashMap<CallId, Running>>,
}

/// A call that a later policy can reach; gone from the list when it is dropped.
pub(crate) struct Listed<'a> {
    policies: &'a Policies,
    call: CallId,
}

impl Policies {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            ruling: RwLock::new(Arc::new(Ruling {
                policy,
                generation: 1,
            })),
            turn: Mutex::default(),
            running: Mutex::default(),
        }
    }

    /// What is in force now.
    pub(crate) fn ruling(&self) -> Arc<Ruling> {
        self.ruling
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Puts the policy in force that `read` gives, unless it fails; whoever else wants to waits.
    /// Calls that come from now on are decided under it, and those under way are told what `left`
    /// finds that it leaves of their grants. Answers what was in force, and what is.
    pub(crate) fn replace<E>(
        &self,
        read: impl FnOnce() -> Result<Policy, E>,
        left: impl Fn(&Policy, &Running) -> Arc<Grant>,
    ) -> Result<(Arc<Ruling>, Arc<Ruling>), E> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let policy = read()?;
        let mut ruling = self.ruling.write().unwrap_or_else(PoisonError::into_inner);
        let generation = ruling.generation + 1;
        let new = Arc::new(Ruling { policy, generation });
        let old = std::mem::replace(&mut *ruling, new.clone());
        let mut running: Vec<_> = self.running().values().cloned().collect();
        // A caller before what it calls: what is left of the one bounds the other.
        running.sort_by_key(Running::depth);
        for running in running {
            let left = left(&new.policy, &running);
            running.grant.revision().narrow_to(left);
        }
        Ok((old, new))
    }

    /// Lists a call that `decide` lets run under the policy in force, so that the next one finds it.
    /// Answers what it may use, and what is in force.
    pub(crate) fn list<E>(
        &self,
        decide: impl FnOnce(&Arc<Ruling>) -> Result<Running, E>,
    ) -> Result<(Arc<Grant>, Arc<Ruling>, Listed<'_>), E> {
        let ruling = self.ruling.read().unwrap_or_else(PoisonError::into_inner);
        let running = decide(&ruling)?;
        let (call, grant) = (running.call.id, running.grant.clone());
        self.running().insert(call, running);
        let listed = Listed {
            policies: self,
            call,
        };
        Ok((grant, ruling.clone(), listed))
    }

    fn running(&self) -> MutexGuard<'_, HashMap<CallId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.policies.running().remove(&self.call);
    }
}

#[cfg(test)]
mod tests;
