//! Tells those who wait for a run that its log went on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cofferdam_types::RunId;
use cofferdam_types::run::Run;
use tokio::sync::watch;

/// How long one who waits goes without looking into the store. Drivers of this process wake
/// waiters at once; this covers a run that another host drives.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// One channel for each run that somebody waits for, none for others.
#[derive(Default)]
pub(crate) struct Wakeups {
    /// Each says whether the run is over.
    channels: Mutex<HashMap<RunId, watch::Sender<bool>>>,
}

impl Wakeups {
    /// Wakes those who wait for this run, since its log went on.
    pub(crate) fn tell(&self, run: &Run) {
        if let Some(channel) = self.lock().get(&run.id) {
            channel.send_replace(run.status.is_terminal());
        }
    }

    /// From now on hears of every event of this run.
    pub(crate) fn subscribe(self: &Arc<Self>, run: RunId) -> Subscription {
        let mut channels = self.lock();
        let channel = channels.entry(run).or_default();
        Subscription {
            run,
            channel: Some(channel.subscribe()),
            wakeups: Arc::clone(self),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RunId, watch::Sender<bool>>> {
        // Nothing that holds the lock can panic half-way through a change.
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }
}

/// Hears of a run's events until it is dropped.
pub(crate) struct Subscription {
    run: RunId,
    /// `None` only while dropping.
    channel: Option<watch::Receiver<bool>>,
    wakeups: Arc<Wakeups>,
}

impl Subscription {
    /// Waits for an event since the last call, or for the time to look into the store.
    pub(crate) async fn changed(&mut self) {
        if let Some(channel) = &mut self.channel {
            // Both outcomes mean the same: look. The sender outlives its receivers.
            drop(tokio::time::timeout(LOOK_AGAIN, channel.changed()).await);
        }
    }

    /// As [`Subscription::changed`], but sleeps through events that don't end the run.
    pub(crate) async fn over(&mut self) {
        if let Some(channel) = &mut self.channel {
            let over = channel.wait_for(|is_over| *is_over);
            // As above.
            drop(tokio::time::timeout(LOOK_AGAIN, over).await);
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut channels = self.wakeups.lock();
        // Under the lock, so that of two that leave at once the second sees the first gone.
        self.channel = None;
        if channels
            .get(&self.run)
            .is_some_and(|channel| channel.receiver_count() == 0)
        {
            channels.remove(&self.run);
        }
    }
}
