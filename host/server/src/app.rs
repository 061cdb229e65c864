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

/// What the sandbox of a host has beside its defaults.
#[derive(Default)]
pub(crate) struct Sandbox {
    /// Guests at once; absent: the sandbox's default.
    pub(crate) live_calls: Option<u32>,
    /// Where compiled components are kept; absent: nowhere.
    pub(crate) artifacts: Option<Artifacts>,
    /// Where files lie that are private to a call.
    pub(crate) scratch: Option<Arc<Scratch>>,
    /// Certificate authorities that requests of tools trust beside the public ones, in PEM.
    pub(crate) authorities: Vec<u8>,
}

impl Core {
    /// Over these stores, under this policy.
    pub(crate) async fn new(
        stores: &Stores,
        policies: Arc<dyn PolicySource>,
        vault: Arc<Vault>,
        sandbox: Sandbox,
    ) -> Result<Self, Error> {
        secrets::keep_to_itself();
        let policy = policies.load().map_err(Error::Policy)?;
        let (audit, writer) = Audit::new(stores.audit.clone()).await?;
        let program = program()?;
        let mut options = Options::new(Compiler {
            program,
            argument: COMPILE.to_owned(),
        });
        options.artifacts = sandbox.artifacts;
        options.scratch = sandbox.scratch;
        options.egress.authorities = sandbox.authorities;
        options.host_variable = secrets::host_variable;
        if let Some(live_calls) = sandbox.live_calls {
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
