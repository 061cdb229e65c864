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
    ruling: RwLock<Arc<Ruling>>,
    /// Held while a policy takes the place of another, calls under way included: of two that come at
    /// once, the later has the last word about every call.
    replacing: Mutex<()>,
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
            replacing: Mutex::default(),
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

    /// Puts another policy in force: calls that come from now on are decided under it, and those
    /// under way are told what `decide` finds that it leaves of their grants.
    pub(crate) fn replace(
        &self,
        policy: Policy,
        decide: impl Fn(&Ruling, &Running) -> Arc<Grant>,
    ) -> Arc<Ruling> {
        let _alone = self
            .replacing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let ruling = {
            let mut ruling = self.ruling.write().unwrap_or_else(PoisonError::into_inner);
            let generation = ruling.generation + 1;
            *ruling = Arc::new(Ruling { policy, generation });
            ruling.clone()
        };
        self.narrow(|running| decide(&ruling, running));
        ruling
    }

    /// Lists a call that is about to run under `ruling`. `None` when another policy came
    /// meanwhile: then nobody would tell the call, and it has to be decided again.
    pub(crate) fn list(&self, ruling: &Arc<Ruling>, running: Running) -> Option<Listed<'_>> {
        let call = running.call.id;
        self.running().insert(call, running);
        let listed = Listed {
            policies: self,
            call,
        };
        Arc::ptr_eq(ruling, &self.ruling()).then_some(listed)
    }

    /// Tells every call under way what a new policy leaves of its grant.
    fn narrow(&self, decide: impl Fn(&Running) -> Arc<Grant>) {
        // Decisions take a while; calls that come meanwhile are decided under the new policy.
        let mut running: Vec<_> = self.running().values().cloned().collect();
        // A caller before what it calls: what is left of the one bounds the other.
        running.sort_by_key(Running::depth);
        for running in running {
            running.grant.revision().narrow_to(decide(&running));
        }
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
