use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cofferdam_store_api::{AuditEntry, KeyRecord, SecretPlace, SecretRecord, Stores};
use cofferdam_types::agent::Agent;
use cofferdam_types::key_value::{self, Key, Space};
use cofferdam_types::run::{Event, Run};
use cofferdam_types::task::Task;
use cofferdam_types::{AgentId, Digest, KeyId, RunId, TaskId, Tenant};

use crate::tools::Catalogue;

/// Empty stores of their own. All clones of the answer share one content.
pub fn open() -> Stores {
    let memory = Arc::new(Memory::default());
    Stores {
        tools: memory.clone(),
        blobs: memory.clone(),
        tasks: memory.clone(),
        runs: memory.clone(),
        events: memory.clone(),
        agents: memory.clone(),
        keys: memory.clone(),
        audit: memory.clone(),
        key_values: memory.clone(),
        secrets: memory,
    }
}

/// All tables behind one lock: every method is one critical section without an await in it, which
/// makes it atomic.
#[derive(Default)]
pub(crate) struct Memory(Mutex<Tables>);

impl Memory {
    pub(crate) fn tables(&self) -> MutexGuard<'_, Tables> {
        // A panic inside a critical section can only come before its first change: each decides
        // first and writes then.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) tools: BTreeMap<Tenant, Catalogue>,
    pub(crate) blobs: BTreeMap<(Tenant, Digest), Vec<u8>>,
    pub(crate) tasks: BTreeMap<TaskId, Task>,
    pub(crate) runs: BTreeMap<RunId, Log>,
    /// The run of a task that is not over; at most one.
    pub(crate) live: BTreeMap<TaskId, RunId>,
    pub(crate) agents: BTreeMap<(Tenant, AgentId), Agent>,
    pub(crate) keys: BTreeMap<KeyId, KeyRecord>,
    pub(crate) audit: Vec<AuditEntry>,
    pub(crate) secrets: BTreeMap<SecretPlace, SecretRecord>,
    pub(crate) key_values: BTreeMap<Space, Kept>,
}

/// What one owner keeps, and its sum.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) values: BTreeMap<Key, Vec<u8>>,
    pub(crate) sum: key_value::Kept,
}

/// A run and its events.
pub(crate) struct Log {
    pub(crate) head: Run,
    pub(crate) events: Vec<Event>,
}
