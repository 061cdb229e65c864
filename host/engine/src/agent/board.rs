//! Which run gets a driver next.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use cofferdam_types::{RunId, Tenant};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::patience::REST;

/// A run that this process is to bring to its end.
pub(crate) struct Ticket {
    pub(crate) tenant: Tenant,
    pub(crate) run: RunId,
    priority: u8,
    cancel: CancellationToken,
    cancelled_by: OnceLock<String>,
}

impl Ticket {
    pub(crate) fn new(tenant: Tenant, run: RunId, priority: u8) -> Self {
        Self {
            tenant,
            run,
            priority,
            cancel: CancellationToken::new(),
            cancelled_by: OnceLock::new(),
        }
    }

    /// Resolves when somebody wants the run stopped.
    pub(crate) async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Who wants it stopped, when it was said in this process.
    pub(crate) fn cancelled_by(&self) -> Option<&str> {
        self.cancelled_by.get().map(String::as_str)
    }
}

/// What a driver leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// Nothing to do here any more: the run is over or somebody else's.
    Done,
    /// The run is to be driven again after this time.
    Later(Duration),
}

/// Every run that this process is to bring to its end: waiting, resting or driven.
pub(crate) struct Board {
    places: Mutex<Places>,
    news: Notify,
    drivers_max: usize,
}

#[derive(Default)]
struct Places {
    tickets: HashMap<RunId, Arc<Ticket>>,
    /// Cancelled ones: they need a driver only to write that down, so they get one beyond
    /// the bound.
    urgent: BTreeSet<RunId>,
    /// The most urgent first, then the oldest.
    waiting: BTreeSet<(Reverse<u8>, RunId)>,
    resting: BTreeSet<(Instant, RunId)>,
    driven: usize,
}

impl Board {
    pub(crate) fn new(drivers_max: usize) -> Self {
        Self {
            places: Mutex::default(),
            news: Notify::new(),
            drivers_max,
        }
    }

    /// How many runs wait for a driver.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    pub(crate) fn knows(&self, run: &RunId) -> bool {
        self.lock().tickets.contains_key(run)
    }

    /// Adds a run, unless it is there, to be driven after `rest`.
    pub(crate) fn add(&self, ticket: Ticket, rest: Duration) {
        let mut places = self.lock();
        if !places.tickets.contains_key(&ticket.run) {
            let ticket = Arc::new(ticket);
            places.tickets.insert(ticket.run, Arc::clone(&ticket));
            places.place(&ticket, rest);
            self.news.notify_one();
        }
    }

    /// Has a run stopped: tells its driver, or gets it one at once.
    pub(crate) fn cancel(&self, tenant: &Tenant, run: RunId, by: &str) {
        let mut places = self.lock();
        let known = places.tickets.get(&run).map(Arc::clone);
        let ticket = known.unwrap_or_else(|| {
            let ticket = Arc::new(Ticket::new(tenant.clone(), run, u8::MAX));
            places.tickets.insert(run, Arc::clone(&ticket));
            places.urgent.insert(run);
            ticket
        });
        // Who asked first is who is named.
        ticket.cancelled_by.get_or_init(|| by.to_owned());
        ticket.cancel.cancel();
        let waited = places.waiting.remove(&(Reverse(ticket.priority), run));
        let resting = places.resting.len();
        places.resting.retain(|(_, other)| *other != run);
        if waited || places.resting.len() < resting {
            places.urgent.insert(run);
        }
        self.news.notify_one();
    }

    /// The run to drive next, if there is one and a driver for it.
    pub(crate) fn next(&self) -> Option<Arc<Ticket>> {
        let mut places = self.lock();
        places.wake(Instant::now());
        let run = match places.urgent.pop_first() {
            Some(run) => run,
            None if places.driven < self.drivers_max => places.waiting.pop_first()?.1,
            None => return None,
        };
        let ticket = Arc::clone(places.tickets.get(&run)?);
        places.driven += 1;
        Some(ticket)
    }

    /// Takes a run back from its driver.
    pub(crate) fn give_back(&self, ticket: &Arc<Ticket>, left: Left) {
        let mut places = self.lock();
        places.driven -= 1;
        match left {
            Left::Done => {
                places.tickets.remove(&ticket.run);
            }
            Left::Later(rest) => places.place(ticket, rest),
        }
    }

    /// Waits until there may be something to drive.
    pub(crate) async fn changed(&self) {
        let wake_at = self.lock().resting.first().map(|(at, _)| *at);
        match wake_at {
            Some(at) => tokio::select! {
                () = self.news.notified() => {}
                () = tokio::time::sleep_until(at) => {}
            },
            None => self.news.notified().await,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        // Nothing that holds the lock can panic half-way through a change.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    fn place(&mut self, ticket: &Ticket, rest: Duration) {
        // A cancel that came while the driver was on its way out cuts a long rest short; a short
        // one stays, so that a run whose driver keeps failing is not driven in a circle.
        let rest = if ticket.is_cancelled() {
            rest.min(REST)
        } else {
            rest
        };
        if rest.is_zero() {
            self.enqueue(ticket);
        } else {
            self.resting.insert((Instant::now() + rest, ticket.run));
        }
    }

    fn enqueue(&mut self, ticket: &Ticket) {
        if ticket.is_cancelled() {
            self.urgent.insert(ticket.run);
        } else {
            self.waiting.insert((Reverse(ticket.priority), ticket.run));
        }
    }

    /// Moves those that have rested to those that wait.
    fn wake(&mut self, now: Instant) {
        while let Some((at, run)) = self.resting.first().copied() {
            if at > now {
                break;
            }
            self.resting.pop_first();
            if let Some(ticket) = self.tickets.get(&run).map(Arc::clone) {
                self.enqueue(&ticket);
            }
        }
    }
}
