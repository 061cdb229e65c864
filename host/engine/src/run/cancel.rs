use cofferdam_store_api::StoreError;
use cofferdam_types::RunId;
use cofferdam_types::caller::Caller;
use cofferdam_types::run::Run;

use crate::engine::Engine;
use crate::error::Error;

impl Engine {
    /// Asks for a run to be stopped; the answer is the run as it stands then. A call under way is
    /// stopped, and the run is `cancelled` soon after, also when the host stops in between.
    /// **Idempotent**; no effect on a run that is over.
    ///
    /// **Errors**: [`Error::NoRun`].
    pub async fn cancel_run(&self, caller: &Caller, id: &RunId) -> Result<Run, Error> {
        let (engine, caller, id) = (self.clone(), caller.clone(), *id);
        self.to_its_end(async move { engine.cancel_run_now(&caller, &id).await })
            .await
    }

    pub(crate) async fn cancel_run_now(&self, caller: &Caller, id: &RunId) -> Result<Run, Error> {
        let shared = &self.shared;
        let asked = shared.ambient.now();
        let runs = &shared.stores.runs;
        let run = match runs.request_cancel(&caller.tenant, id, asked).await {
            Err(StoreError::Missing) => return Err(Error::NoRun(*id)),
            other => other?,
        };
        if !run.status.is_terminal() {
            shared.board.cancel(&caller.tenant, *id, &caller.principal);
        }
        Ok(run)
    }
}
