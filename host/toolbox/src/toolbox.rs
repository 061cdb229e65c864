use std::sync::Arc;

use cofferdam_audit::Audit;
use cofferdam_policy::Policy;
use cofferdam_registry::Registry;
use cofferdam_runtime::{KeyValues, Runtime};
use cofferdam_secrets::Vault;
use cofferdam_types::caller::Caller;
use cofferdam_types::tool::ToolRef;
use cofferdam_types::{Ambient, Failure};
use tokio::sync::watch;

use cofferdam_registry::Entry;
use tokio::sync::Semaphore;

use crate::addition::Additions;
use crate::admission::Admission;
use crate::policies::{Policies, PolicySource};
use crate::publish::UNATTENDED_KIB_MAX;

/// The one door to run a tool. Cheap to clone.
#[derive(Clone)]
pub struct Toolbox {
    pub(crate) parts: Arc<Parts>,
    pub(crate) policies: Arc<Policies>,
    pub(crate) additions: Additions,
    pub(crate) admission: Admission,
    /// Kilobytes that additions may hold for which nobody waits.
    pub(crate) unattended: Arc<Semaphore>,
}

/// What the door leads through.
pub struct Parts {
    /// Which tool.
    pub registry: Registry,
    /// Where the policy comes from.
    pub policies: Arc<dyn PolicySource>,
    /// The sandbox.
    pub runtime: Runtime,
    /// The record.
    pub audit: Audit,
    /// The secrets of all tenants.
    pub secrets: Arc<Vault>,
    /// Who keeps the state of tools between calls; without, none is kept.
    pub key_values: Option<Arc<dyn KeyValues>>,
    /// Time and randomness.
    pub ambient: Arc<dyn Ambient>,
    /// Largest component taken, in bytes.
    pub component_bytes_max: u64,
}

impl Parts {
    /// Largest component taken unless somebody says otherwise: interpreters compiled to wasm have
    /// 18 MB.
    pub const COMPONENT_BYTES_MAX: u64 = 32 << 20;
}

impl Toolbox {
    /// Over these parts, under this policy.
    pub fn new(parts: Parts, policy: Policy) -> Self {
        Self {
            parts: Arc::new(parts),
            policies: Arc::new(Policies::new(policy)),
            additions: Additions::default(),
            admission: Admission::default(),
            unattended: Arc::new(Semaphore::new(UNATTENDED_KIB_MAX)),
        }
    }

    /// Compiles nothing more, so that whoever stops doesn't wait for what waits to be compiled.
    pub fn stop_adding(&self) {
        self.parts.runtime.stop_compiling();
    }

    /// Every version of every tool of the caller's tenant, by name and ascending version.
    pub async fn tools(&self, caller: &Caller) -> Result<Vec<Arc<Entry>>, Failure> {
        Ok(self.parts.registry.list(&caller.tenant).await?)
    }

    /// The tool a name means to the caller.
    ///
    /// **Errors**: `not_found`.
    pub async fn tool(&self, caller: &Caller, tool: &ToolRef) -> Result<Arc<Entry>, Failure> {
        Ok(self.parts.registry.resolve(&caller.tenant, tool).await?)
    }

    /// A number for the tools of the caller's tenant: while it stays the same, they do.
    pub async fn generation(&self, caller: &Caller) -> Result<u64, Failure> {
        Ok(self.parts.registry.generation(&caller.tenant).await?)
    }

    /// Looks for what other hosts on the same stores changed in the registry, for ever.
    pub async fn follow_registry(&self) {
        self.parts.registry.follow().await;
    }

    /// Tells whenever the tools of some tenant change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.parts.registry.changes()
    }
}
