use std::time::Duration;

use cofferdam_types::RunId;
use cofferdam_types::caller::Caller;
use cofferdam_types::run::Run;

use crate::engine::Engine;
use crate::error::Error;

impl Engine {
    /// Waits until a run is over, `at_most` so long, or until the engine has stopped; returns the
    /// run as it stands then.
    ///
    /// **Errors**: [`Error::NoRun`].
    pub async fn wait(&self, caller: &Caller, id: &RunId, at_most: Duration) -> Result<Run, Error> {
        let deadline = tokio::time::sleep(at_most);
        tokio::pin!(deadline);
        // Before the first look, so that nothing is missed after it.
        let mut subscription = self.shared.wakeups.subscribe(*id);
        loop {
            let run = self.run(caller, id).await?;
            if run.status.is_terminal() {
                return Ok(run);
            }
            tokio::select! {
                biased;
                () = subscription.over() => {}
                () = &mut deadline => return Ok(run),
                () = self.shared.stopped.cancelled() => return Ok(run),
            }
        }
    }
}
