use std::time::Duration;

use cofferdam_toolbox::Toolbox;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Between two looks for old records: they are kept this much longer at most.
const PAUSE: Duration = Duration::from_hours(1);

/// Removes records of the audit that are too old, while a host serves.
pub(crate) struct Retention {
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Retention {
    /// Removes those older than `keep`, at once and from time to time; none where they are kept for
    /// ever.
    pub(crate) fn start(toolbox: &Toolbox, keep: Option<Duration>) -> Self {
        let stop = CancellationToken::new();
        let task = keep.map(|keep| {
            let (toolbox, stop) = (toolbox.clone(), stop.clone());
            tokio::spawn(async move {
                // What is cut off is taken up the next time.
                stop.run_until_cancelled(run(&toolbox, keep)).await;
            })
        });
        Self { stop, task }
    }

    /// Ends it, and with it its hold on the toolbox.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        if let Some(task) = self.task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the removal of old audit records ended badly");
        }
    }
}

async fn run(toolbox: &Toolbox, keep: Duration) {
    loop {
        match toolbox.prune_audit(keep).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "old audit records were removed"),
            Err(error) => tracing::warn!(%error, "old audit records are not removed"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
