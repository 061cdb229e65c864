use std::collections::VecDeque;
use std::sync::Arc;

use cofferdam_types::caller::Caller;
use cofferdam_types::run::Event;
use cofferdam_types::{RunId, Tenant};
use futures::Stream;
use futures::stream;

use super::wakeups::Subscription;
use crate::engine::Engine;
use crate::error::Error;
use crate::service::Shared;

/// Events read at once: bounds what one slow reader holds in memory.
const READ_EVENTS: u32 = 32;

impl Engine {
    /// The events of a run that come after number `after`: first those in the store, then live
    /// ones as they are written; ends after the run's last event. No event is left out, and none
    /// comes twice, so that a reader that was cut off goes on with the last number it saw.
    ///
    /// **Errors**, each the last item: [`Error::NoRun`]; [`Error::Draining`] when the engine has
    /// stopped and the run goes on later; [`Error::Store`].
    pub fn events(
        &self,
        caller: &Caller,
        id: &RunId,
        after: u64,
    ) -> impl Stream<Item = Result<Event, Error>> + Send + 'static + use<> {
        let follow = Follow {
            tenant: caller.tenant.clone(),
            run: *id,
            after,
            read: VecDeque::new(),
            is_over: false,
            // Before the first look, so that nothing is missed after it.
            subscription: self.shared.wakeups.subscribe(*id),
            shared: Arc::clone(&self.shared),
        };
        stream::unfold(Some(follow), |follow| async move {
            let mut follow = follow?;
            match follow.next().await {
                Ok(event) => Some((Ok(event?), Some(follow))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }
}

/// A reader of a run's log and the place where it stands.
struct Follow {
    shared: Arc<Shared>,
    tenant: Tenant,
    run: RunId,
    after: u64,
    read: VecDeque<Event>,
    is_over: bool,
    subscription: Subscription,
}

impl Follow {
    async fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            if let Some(event) = self.read.pop_front() {
                self.after = event.seq;
                self.is_over = event.kind.is_terminal();
                return Ok(Some(event));
            }
            if self.is_over {
                return Ok(None);
            }
            let stores = &self.shared.stores;
            // The head before the events: what it says is then all among them.
            let run = stores.runs.get(&self.tenant, &self.run).await?;
            let run = run.ok_or(Error::NoRun(self.run))?;
            let read = stores
                .events
                .read(&self.tenant, &self.run, self.after, READ_EVENTS);
            self.read = read.await?.into();
            if !self.read.is_empty() {
                continue;
            }
            if run.status.is_terminal() {
                return Ok(None);
            }
            tokio::select! {
                () = self.subscription.changed() => {}
                () = self.shared.stopped.cancelled() => return Err(Error::Draining),
            }
        }
    }
}
