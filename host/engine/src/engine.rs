use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_store_api::Stores;
use cofferdam_types::agent::{Agent, AgentType};
use cofferdam_types::{AgentId, Ambient, Tenant};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::agent::board::Board;
use crate::error::Error;
use crate::options::Options;
use crate::run::wakeups::Wakeups;
use crate::service::{Shared, serve};
use crate::tools::Tools;

/// The name under which every incarnation of the executor is registered.
pub(crate) const EXECUTOR: &str = "executor";

/// A handle on the engine; cheap to clone. When the last one is dropped, the engine stops where it
/// stands, as in a crash; [`Engine::drain`] stops it in good order.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
    service: Arc<Service>,
}

struct Service {
    task: AbortOnDropHandle<()>,
    stopped: CancellationToken,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stopped.cancel();
    }
}

impl Engine {
    /// Registers a new incarnation of the executor, unless it drives nothing, and starts it. Runs that an earlier one left
    /// behind are taken over in the background.
    ///
    /// One engine at a time may work on the same stores: a second one takes over what the first
    /// still drives, whose calls then end in doubt.
    ///
    /// **Errors**: [`Error::Store`] when the executor can't be registered.
    pub async fn start(
        options: Options,
        stores: Stores,
        tools: Arc<dyn Tools>,
        ambient: Arc<dyn Ambient>,
    ) -> Result<Self, Error> {
        let agent = Agent {
            id: AgentId::generate(&*ambient),
            tenant: Tenant::default(),
            name: EXECUTOR.to_owned(),
            agent_type: AgentType::Executor,
            started_at: ambient.now(),
        };
        // One that drives nothing is there for the time of a command, and no executor.
        if options.drivers_max > 0 {
            stores.agents.put(&agent).await?;
        }
        let shared = Arc::new(Shared {
            board: Board::new(options.drivers_max),
            options,
            stores,
            tools,
            ambient,
            agent: agent.id,
            wakeups: Arc::new(Wakeups::default()),
            draining: CancellationToken::new(),
            stopped: CancellationToken::new(),
            tracker: TaskTracker::new(),
        });
        let task = shared.tracker.spawn(serve(Arc::clone(&shared)));
        let service = Arc::new(Service {
            task: AbortOnDropHandle::new(task),
            stopped: shared.stopped.clone(),
        });
        Ok(Self { shared, service })
    }

    /// Stops the engine in good order: no run starts any more, steps under way may end within
    /// `grace`, and the rest is stopped. What is not over then goes on at the next start. Returns
    /// when nothing of the engine runs any more; a second call waits for the first.
    pub async fn drain(&self, grace: Duration) {
        self.shared.draining.cancel();
        self.shared.tracker.close();
        let ended = tokio::time::timeout(grace, self.shared.tracker.wait()).await;
        if ended.is_err() {
            self.service.task.abort();
            self.shared.tracker.wait().await;
        }
        self.shared.stopped.cancel();
    }

    /// Carries out a command to its end, even when the caller goes away half-way: a client that
    /// hangs up must not leave a run in the store that no driver was told of.
    pub(crate) async fn to_its_end<T: Send + 'static>(
        &self,
        command: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        match self.shared.tracker.spawn(command).await {
            Ok(answer) => answer,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // Only a runtime that goes down cancels it.
            Err(_) => Err(Error::Draining),
        }
    }
}
