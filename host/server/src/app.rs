use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_audit::Audit;
use cofferdam_registry::Registry;
use cofferdam_runtime::{Artifacts, Compiler, Options, Runtime, Scratch};
use cofferdam_secrets::Vault;
use cofferdam_store_api::Stores;
use cofferdam_toolbox::{Parts, PolicySource, Toolbox};
use tokio::task::JoinHandle;

use crate::ambient::System;
use crate::error::Error;
use crate::key_values::State;
use crate::secrets;

/// The argument that makes this program a compiler's child.
const COMPILE: &str = "__compile";

/// The toolbox, and the writer of its audit.
pub(crate) struct Core {
    pub(crate) toolbox: Toolbox,
    pub(crate) audit: JoinHandle<()>,
}

impl Core {
    /// Over these stores, under this policy; compiled components are kept in `artifacts`, and what
    /// is private to a call in `scratch`.
    pub(crate) async fn new(
        stores: &Stores,
        policies: Arc<dyn PolicySource>,
        live_calls: Option<u32>,
        artifacts: Option<Artifacts>,
        scratch: Option<Arc<Scratch>>,
        vault: Arc<Vault>,
    ) -> Result<Self, Error> {
        secrets::keep_to_itself();
        let policy = policies.load().map_err(Error::Policy)?;
        let (audit, writer) = Audit::new(stores.audit.clone()).await?;
        let program = program()?;
        let mut options = Options::new(Compiler {
            program,
            argument: COMPILE.to_owned(),
        });
        options.artifacts = artifacts;
        options.scratch = scratch;
        options.host_variable = secrets::host_variable;
        if let Some(live_calls) = live_calls {
            options.live_calls = live_calls;
        }
        let parts = Parts {
            registry: Registry::new(stores.clone()),
            policies,
            runtime: Runtime::new(options)?,
            audit,
            secrets: vault,
            ambient: Arc::new(System),
            key_values: Some(Arc::new(State(stores.key_values.clone()))),
            component_bytes_max: Parts::COMPONENT_BYTES_MAX,
        };
        let toolbox = Toolbox::new(parts, policy);
        let audit = tokio::spawn(writer.run());
        Ok(Self { toolbox, audit })
    }

    /// Waits until the audit is written. Every other holder of the toolbox must be gone, or this
    /// waits for it: for a component that is being compiled, but not for those that wait for that.
    pub(crate) async fn finish(self) {
        let Self { toolbox, audit } = self;
        toolbox.stop_adding();
        drop(toolbox);
        if let Err(error) = audit.await {
            tracing::error!(%error, "the audit's writer ended badly");
        }
    }
}

/// This program. On Linux by way of the kernel's own link, so that a host goes on starting the
/// program that it is, also after somebody replaced the file.
fn program() -> Result<PathBuf, Error> {
    let link = PathBuf::from("/proc/self/exe");
    if cfg!(target_os = "linux") && link.exists() {
        Ok(link)
    } else {
        std::env::current_exe().map_err(Error::Program)
    }
}
