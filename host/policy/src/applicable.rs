//! What a policy comes to for one tool and one caller, remembered until the policy is replaced.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

use cofferdam_types::call::Denial;
use cofferdam_types::caller::Caller;
use cofferdam_types::tool::{Capability as Declared, SafetyFlags};
use cofferdam_types::{Digest, Timestamp, ToolName, Version};

use crate::bounds::Ceiling;
use crate::callers::Who;
use crate::decision::Request;
use crate::permissions::Shares;
use crate::subject::{Kind, Subject};

/// Tools times callers that are remembered: a thousand tools for a few callers each, at a few
/// hundred bytes. Reached, all is forgotten and found again.
const REMEMBERED_MAX: usize = 4_096;

/// The rules that have a say, put together.
#[derive(Debug)]
pub(crate) struct Applicable {
    /// `http-fetch@1.2.0`.
    pub(crate) subject: Arc<str>,
    /// What stands in the way of every such call.
    pub(crate) denials: Vec<Denial>,
    pub(crate) allows: Shares,
    pub(crate) denies: Shares,
    pub(crate) ceiling: Ceiling,
    /// Whether entries depend on the arguments of a call.
    pub(crate) is_bound: bool,
    /// From when and until when the same rules hold.
    pub(crate) holds: (Timestamp, Timestamp),
}

/// What the rules can see of a call.
#[derive(Debug, PartialEq, Eq)]
struct Key {
    digest: Digest,
    name: ToolName,
    version: Version,
    owner: Option<String>,
    kind: Kind,
    tags: Vec<String>,
    capabilities: Vec<Declared>,
    safety: SafetyFlags,
    caller: Caller,
    agent: Option<String>,
    environment: Option<String>,
}

/// What is remembered, and of which calls.
#[derive(Debug)]
pub(crate) struct Known {
    key: Key,
    pub(crate) applicable: Applicable,
}

/// Remembers what policies come to. It dies with its policy.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    hasher: RandomState,
    known: RwLock<HashMap<u64, Arc<Known>>>,
}

impl Cache {
    /// What is known of such a call, or what `find` finds.
    pub(crate) fn get(
        &self,
        subject: &Subject<'_>,
        request: &Request<'_>,
        find: impl FnOnce() -> Applicable,
    ) -> Arc<Known> {
        let hash = self.hash(subject, request);
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(&hash)
            && found.key.is_of(subject, request)
            && found.applicable.holds.0 <= request.now
            && request.now < found.applicable.holds.1
        {
            return found.clone();
        }
        drop(known);
        let found = Arc::new(Known {
            key: Key::of(subject, request),
            applicable: find(),
        });
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(hash, found.clone());
        found
    }

    fn hash(&self, subject: &Subject<'_>, request: &Request<'_>) -> u64 {
        let who = request.who();
        self.hasher.hash_one((
            subject.digest,
            subject.spec.name.as_str(),
            who.caller,
            who.agent,
            request.environment,
            subject.owner,
        ))
    }
}

impl Key {
    fn of(subject: &Subject<'_>, request: &Request<'_>) -> Self {
        let spec = subject.spec;
        Self {
            digest: subject.digest,
            name: spec.name.clone(),
            version: spec.version.clone(),
            owner: subject.owner.map(str::to_owned),
            kind: subject.kind,
            tags: spec.tags.clone(),
            capabilities: spec.capabilities.clone(),
            safety: spec.safety,
            caller: request.caller.clone(),
            agent: request.agent.map(str::to_owned),
            environment: request.environment.map(str::to_owned),
        }
    }

    fn is_of(&self, subject: &Subject<'_>, request: &Request<'_>) -> bool {
        let spec = subject.spec;
        let Who { caller, agent } = request.who();
        self.digest == subject.digest
            && self.name == spec.name
            && self.version == spec.version
            && self.owner.as_deref() == subject.owner
            && self.kind == subject.kind
            && self.tags == spec.tags
            && self.capabilities == spec.capabilities
            && self.safety == spec.safety
            && self.caller == *caller
            && self.agent.as_deref() == agent
            && self.environment.as_deref() == request.environment
    }
}
