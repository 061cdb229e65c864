//! The engine's own work: gives waiting runs drivers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use cofferdam_store_api::Stores;
use cofferdam_types::{AgentId, Ambient};
use futures::FutureExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::agent::board::{Board, Left, Ticket};
use crate::agent::driver::drive;
use crate::agent::patience::REST;
use crate::agent::takeover::take_over;
use crate::options::Options;
use crate::run::wakeups::Wakeups;
use crate::tools::Tools;

/// What the engine's parts work with.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) stores: Stores,
    pub(crate) tools: Arc<dyn Tools>,
    pub(crate) ambient: Arc<dyn Ambient>,
    /// This incarnation of the executor.
    pub(crate) agent: AgentId,
    pub(crate) board: Board,
    pub(crate) wakeups: Arc<Wakeups>,
    /// No further step starts.
    pub(crate) draining: CancellationToken,
    /// No driver is left: those who wait for a run wait in vain.
    pub(crate) stopped: CancellationToken,
    /// Every task the engine has spawned.
    pub(crate) tracker: TaskTracker,
}

/// Drives runs until the engine drains; returns when the last driver has left.
///
/// **Cancel**: stops every driver where it stands.
pub(crate) async fn serve(shared: Arc<Shared>) {
    let dispatch = dispatch(&shared);
    let takeover = async {
        tokio::select! {
            () = take_over(&shared) => {}
            () = shared.draining.cancelled() => {}
        }
    };
    tokio::join!(dispatch, takeover);
}

async fn dispatch(shared: &Arc<Shared>) {
    let mut drivers = JoinSet::new();
    loop {
        while let Some(ticket) = shared.board.next() {
            let driver = one(Arc::clone(shared), ticket);
            drivers.spawn(shared.tracker.track_future(driver));
        }
        tokio::select! {
            biased;
            () = shared.draining.cancelled() => break,
            Some(_) = drivers.join_next() => {}
            () = shared.board.changed() => {}
        }
    }
    while drivers.join_next().await.is_some() {}
}

/// Drives a run once and hands it back to the board, whatever happens.
async fn one(shared: Arc<Shared>, ticket: Arc<Ticket>) {
    let driving = drive(Arc::clone(&shared), Arc::clone(&ticket));
    // A driver owns all it changes, so nothing half-changed outlives a panic.
    let left = AssertUnwindSafe(driving).catch_unwind().await;
    let left = left.unwrap_or_else(|_| {
        tracing::error!(run = %ticket.run, "a driver panicked; the run rests");
        Left::Later(REST)
    });
    shared.board.give_back(&ticket, left);
}
