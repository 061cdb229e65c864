//! How guests share the machine.
//!
//! A call starts on the thread that took it: most end there within microseconds, and a change of
//! thread would cost more than the call. A guest that is still computing after its first slice is
//! *long*: it moves to a few threads of low priority, one per core, where long guests take turns.
//! While a component's guests were long just now, further ones start there at once: a crowd of them
//! must not hold the request threads for a slice each.
//!
//! So the threads that take requests are never held for longer than a slice, the number of
//! computing guests is bounded by the cores, and a guest that waits in a host function computes
//! nothing and holds no thread.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cofferdam_policy::capability::tool_call::CallCaps;
use tokio::runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::Engine;

use crate::error::Error;

/// How often the epoch advances while guests run. Also the error of every slice.
const TICK: Duration = Duration::from_millis(1);
/// First slice in ticks: what a guest may hold a request thread for.
pub(crate) const FIRST_SLICE_TICKS: u64 = 2;
/// Later slices in ticks, on a thread that nothing else waits for.
pub(crate) const NEXT_SLICE_TICKS: u64 = 10;
/// Ticks without a guest after which the ticker sleeps: long enough that a stream of calls doesn't
/// wake it each time.
const IDLE_TICKS: u32 = 100;
/// How long a component is expected to be long again after one of its guests was.
const LONG_MEMORY: Duration = Duration::from_millis(20);
/// What a guest is expected to need of memory when nothing is known, in bytes: the heap of a small
/// tool.
const MEMORY_BYTES_MIN: u64 = 1 << 20;
/// How far long guests stand back behind everything else, as a niceness.
const LONG_NICENESS: i32 = 10;

/// Levels of the tree of calls: those that no tool made, and as deep as policies can allow.
const LEVELS: usize = 1 + CallCaps::DEPTH_MAX as usize;

/// Places for calls that guests make, at each level below the first.
const fn nested(live: u32) -> u32 {
    let share = live / 32;
    if share < 2 { 2 } else { share }
}

/// Guests that exist at once, at most, when `live` of them are calls that no tool made.
pub(crate) fn guests_max(live: u32) -> u32 {
    live.saturating_add(nested(live) * u32::from(CallCaps::DEPTH_MAX))
}

/// Tells the scheduler and the guest's epoch callback about each other.
pub(crate) struct Slice {
    is_long: AtomicBool,
    ended: AtomicBool,
    history: Arc<History>,
}

impl Slice {
    /// For one guest of the component whose history this is.
    pub(crate) fn new(history: &Arc<History>) -> Self {
        Self {
            is_long: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            history: history.clone(),
        }
    }

    /// The guest used up its slice and is about to yield.
    pub(crate) fn end(&self) {
        if !self.is_long.swap(true, Ordering::Relaxed) {
            self.history.note_long();
        }
        self.ended.store(true, Ordering::Relaxed);
    }
}

/// Whether a component's guests computed for long just now.
pub(crate) struct History {
    made: Instant,
    /// Microseconds from `made` to the moment until which guests are taken for long.
    long_until: AtomicU64,
    /// What its guests held lately, in bytes.
    memory: AtomicU64,
}

impl History {
    pub(crate) fn new() -> Self {
        Self {
            made: Instant::now(),
            long_until: AtomicU64::new(0),
            memory: AtomicU64::new(0),
        }
    }

    /// The memory that the next guest is expected to need, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.memory.load(Ordering::Relaxed).max(MEMORY_BYTES_MIN)
    }

    /// A guest held so much at its peak. One that held more counts at once, one that held less
    /// bit by bit: too little set aside ends calls, too much only has them wait.
    pub(crate) fn note_memory(&self, bytes: u64) {
        let known = self.memory.load(Ordering::Relaxed);
        let next = bytes.max(known - known / 8);
        self.memory.store(next, Ordering::Relaxed);
    }

    fn is_long(&self) -> bool {
        self.made.elapsed().as_micros() < u128::from(self.long_until.load(Ordering::Relaxed))
    }

    fn note_long(&self) {
        let until = (self.made.elapsed() + LONG_MEMORY).as_micros();
        self.long_until
            .store(u64::try_from(until).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// Where the time of a guest went.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    /// Computing.
    pub(crate) running: Duration,
    /// Waiting for its next slice.
    pub(crate) queued: Duration,
    /// Waiting in a host function.
    pub(crate) waiting: Duration,
}

/// Runs guests.
pub(crate) struct Scheduler {
    ticker: Ticker,
    long: Option<runtime::Runtime>,
    /// By the level in the tree of calls: what waits for the level below never holds a place that
    /// that level waits for.
    places: [Arc<Semaphore>; LEVELS],
    queued: AtomicUsize,
    queued_max: usize,
}

/// The right to have a store, and the beat of the epoch while it is held. Goes with the guest, so
/// that it is free only when the guest's memory is.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    _beat: Beat,
}

impl Scheduler {
    /// With places for `live` guests at once, some more for each level of calls that guests make, and
    /// `queued_max` waiting for one.
    pub(crate) fn new(engine: &Engine, live: u32, queued_max: usize) -> Result<Self, Error> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let long = runtime::Builder::new_multi_thread()
            .worker_threads(cores)
            .thread_name("guest")
            .on_thread_start(|| {
                // On Linux this is the niceness of the thread. Without it long guests would only
                // compete on equal terms.
                if let Err(error) = rustix::process::nice(LONG_NICENESS) {
                    tracing::warn!(%error, "long guests run at normal priority");
                }
            })
            .enable_all()
            .build()
            .map_err(|error| Error::Internal(format!("threads for guests: {error}")))?;
        Ok(Self {
            ticker: Ticker::start(engine.clone())?,
            long: Some(long),
            places: std::array::from_fn(|level| {
                let places = if level == 0 { live } else { nested(live) };
                Arc::new(Semaphore::new(places as usize))
            }),
            queued: AtomicUsize::new(0),
            queued_max,
        })
    }

    /// Waits for a place at a level of the tree of calls. Cancel-safe.
    ///
    /// **Errors**: [`Error::Busy`] when too many wait already.
    pub(crate) async fn place(&self, level: u8) -> Result<Place, Error> {
        let places = &self.places[usize::from(level).min(LEVELS - 1)];
        let permit = if let Ok(permit) = places.clone().try_acquire_owned() {
            permit
        } else {
            let _turn = self.turn()?;
            places
                .clone()
                .acquire_owned()
                .await
                .map_err(|_| Error::Busy("the host is stopping"))?
        };
        Ok(Place {
            _permit: permit,
            _beat: self.ticker.beat(),
        })
    }

    /// Counts somebody who waits, for as long as the answer lives.
    ///
    /// **Errors**: [`Error::Busy`] when too many wait already.
    pub(crate) fn turn(&self) -> Result<Turn<'_>, Error> {
        Turn::take(&self.queued, self.queued_max)
    }

    /// Runs a guest to its end: the first slice here unless it is
    /// expected to be long, the rest among the long ones. Dropping the
    /// future stops the guest, at the latest at the end of its slice.
    pub(crate) async fn run<F>(
        &self,
        slice: &Arc<Slice>,
        guest: F,
    ) -> Result<(F::Output, Spent), Error>
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        let mut timed = Timed {
            guest: Box::pin(guest),
            slice: slice.clone(),
            spent: Spent::default(),
            left: None,
        };
        if !slice.history.is_long() {
            let ended = poll_fn(|cx| match Pin::new(&mut timed).poll(cx) {
                Poll::Ready(ended) => Poll::Ready(Some(ended)),
                Poll::Pending if slice.is_long.load(Ordering::Relaxed) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            });
            if let Some(ended) = ended.await {
                return Ok(ended);
            }
        }
        self.spawn(timed).await
    }

    /// Runs `work` among the long guests. Dropping the answer stops it.
    pub(crate) fn spawn<F>(
        &self,
        work: F,
    ) -> impl Future<Output = Result<F::Output, Error>> + use<F>
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        let long = self
            .long
            .as_ref()
            .expect("taken only when the scheduler is dropped");
        let mut handle = AbortOnDrop(long.spawn(work));
        async move {
            (&mut handle.0)
                .await
                .map_err(|error| Error::Internal(format!("a guest's task ended: {error}")))
        }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        // A runtime must not be dropped where waiting is forbidden; this form doesn't wait.
        if let Some(long) = self.long.take() {
            long.shutdown_background();
        }
    }
}

/// A place in the queue for a place.
pub(crate) struct Turn<'a>(&'a AtomicUsize);

impl<'a> Turn<'a> {
    fn take(queued: &'a AtomicUsize, max: usize) -> Result<Self, Error> {
        if queued.fetch_add(1, Ordering::Relaxed) >= max {
            queued.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::Busy("too many calls wait already; try again"));
        }
        Ok(Self(queued))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A guest with a stopwatch.
struct Timed<F> {
    guest: Pin<Box<F>>,
    slice: Arc<Slice>,
    spent: Spent,
    /// Since when it isn't computing, and whether that is because its slice ended.
    left: Option<(Instant, bool)>,
}

impl<F: Future> Future for Timed<F> {
    type Output = (F::Output, Spent);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let begin = Instant::now();
        match this.left.take() {
            Some((since, true)) => this.spent.queued += begin - since,
            Some((since, false)) => this.spent.waiting += begin - since,
            None => {}
        }
        let poll = this.guest.as_mut().poll(cx);
        let end = Instant::now();
        this.spent.running += end - begin;
        match poll {
            Poll::Ready(output) => Poll::Ready((output, this.spent)),
            Poll::Pending => {
                this.left = Some((end, this.slice.ended.swap(false, Ordering::Relaxed)));
                Poll::Pending
            }
        }
    }
}

/// Advances the epoch while at least one guest is there.
struct Ticker {
    shared: Arc<TickerShared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct TickerShared {
    guests: AtomicUsize,
    stop: AtomicBool,
}

/// Keeps the epoch advancing until dropped.
struct Beat(Arc<TickerShared>);

impl Drop for Beat {
    fn drop(&mut self) {
        self.0.guests.fetch_sub(1, Ordering::Release);
    }
}

impl Ticker {
    fn start(engine: Engine) -> Result<Self, Error> {
        let shared = Arc::new(TickerShared::default());
        let ours = shared.clone();
        let thread = std::thread::Builder::new()
            .name("epoch".to_owned())
            .spawn(move || ours.tick(&engine))
            .map_err(|error| Error::Internal(format!("the epoch thread: {error}")))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    fn beat(&self) -> Beat {
        if self.shared.guests.fetch_add(1, Ordering::AcqRel) == 0
            && let Some(thread) = &self.thread
        {
            thread.thread().unpark();
        }
        Beat(self.shared.clone())
    }
}

impl TickerShared {
    fn tick(&self, engine: &Engine) {
        let mut idle = 0;
        while !self.stop.load(Ordering::Acquire) {
            if self.guests.load(Ordering::Acquire) > 0 {
                idle = 0;
            } else if idle < IDLE_TICKS {
                idle += 1;
            } else {
                // A guest that comes between the check and here has left a token: no sleep then.
                std::thread::park();
                idle = 0;
                continue;
            }
            std::thread::sleep(TICK);
            engine.increment_epoch();
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It can only fail by a panic, which the process has already reported.
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn callers_that_wait_leave_places_for_those_they_call() {
        let engine = crate::engine::host(1).expect("a small engine");
        let scheduler = Scheduler::new(&engine, 1, 10).expect("a scheduler");
        let taken = |level| scheduler.place(level).now_or_never();
        let first = taken(0).expect("free").expect("a place");
        assert!(taken(0).is_none(), "all are taken");
        let mut below = Vec::new();
        for level in 1..=CallCaps::DEPTH_MAX {
            for _ in 0..nested(1) {
                below.push(taken(level).expect("free").expect("a place"));
            }
            assert!(taken(level).is_none(), "all of level {level} are taken");
        }
        drop((first, below));
        assert!(taken(0).is_some());
    }
}
