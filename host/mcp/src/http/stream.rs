//! Answers in several events. A client that closes one drops it, and with it what it waits for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use cofferdam_types::caller::Caller;
use cofferdam_types::{Code, Failure};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use rmcp::model::{ErrorData, RequestId};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::session::Stream;
use crate::changes::{self, Changes, Filter};
use crate::error;
use crate::in_flight::Flight;
use crate::progress::{self, Reports};

/// How often a stream without news says that it is there: less than the minute after which many
/// proxies close what is silent.
const SILENCE_MAX: Duration = Duration::from_secs(25);

/// Most subscriptions of one caller at once. Each holds a connection.
const SUBSCRIPTIONS_MAX: usize = 100;

/// Says nothing, to whoever checks that the connection lives.
const ALIVE: Bytes = Bytes::from_static(b": alive\n\n");

/// A call that has told of progress already.
pub(crate) struct Running {
    /// The answer as a message.
    pub(crate) answer: BoxFuture<'static, Bytes>,
    pub(crate) reports: Option<Reports>,
    pub(crate) flight: Option<Flight>,
}

/// A message as one event.
pub(crate) fn event(message: &Bytes) -> Bytes {
    const AROUND: (&[u8], &[u8]) = (b"event: message\ndata: ", b"\n\n");
    let mut event = Vec::with_capacity(AROUND.0.len() + message.len() + AROUND.1.len());
    event.extend_from_slice(AROUND.0);
    event.extend_from_slice(message);
    event.extend_from_slice(AROUND.1);
    event.into()
}

/// What comes of a call after its `first` message. Nothing, once the client takes it back.
///
/// The call goes on in a task of its own: a client that reads no further must hold up neither the
/// guest nor its deadline. Dropping the stream stops it.
pub(crate) fn call(first: &Bytes, running: Running) -> BoxStream<'static, Bytes> {
    let Running {
        answer,
        reports,
        flight,
    } = running;
    let answer = AbortOnDropHandle::new(tokio::spawn(answer));
    let state = Some((answer, reports, flight));
    let rest = stream::unfold(state, async |state| {
        let (mut answer, mut reports, flight) = state?;
        tokio::select! {
            biased;
            () = cancelled(flight.as_ref()) => None,
            // Without an answer the task panicked, and the panic was told.
            answer = &mut answer => Some((event(&answer.ok()?), None)),
            report = progress::next(&mut reports) => {
                Some((event(&report), Some((answer, reports, flight))))
            }
        }
    });
    stream::iter([event(first)]).chain(rest).boxed()
}

async fn cancelled(flight: Option<&Flight>) {
    match flight {
        Some(flight) => flight.cancelled().await,
        None => std::future::pending().await,
    }
}

/// The news of a session, until it or the host ends.
pub(crate) fn session(
    stream: Stream,
    changes: Changes,
    stop: CancellationToken,
) -> BoxStream<'static, Bytes> {
    let state = (stream, changes, stop);
    stream::unfold(state, async |(stream, mut changes, stop)| {
        let event = tokio::select! {
            () = stream.over() => return None,
            () = stop.cancelled() => return None,
            generation = changes.next() => {
                stream.told(generation);
                event(&changes::changed())
            }
            () = tokio::time::sleep(SILENCE_MAX) => ALIVE,
        };
        Some((event, (stream, changes, stop)))
    })
    .boxed()
}

/// What a subscription hears of, until the host ends.
pub(crate) struct Subscription {
    pub(crate) id: RequestId,
    pub(crate) filter: Filter,
    pub(crate) changes: Changes,
    /// Held while it lasts.
    pub(crate) _place: Place,
    pub(crate) stop: CancellationToken,
}

pub(crate) fn subscription(subscription: Subscription) -> BoxStream<'static, Bytes> {
    let first = event(&changes::acknowledged(
        &subscription.id,
        subscription.filter,
    ));
    let rest = stream::unfold(Some(subscription), async |subscription| {
        let mut subscription = subscription?;
        let event = tokio::select! {
            () = subscription.stop.cancelled() => {
                return Some((event(&changes::ended(&subscription.id)), None));
            }
            _ = subscription.changes.next(), if subscription.filter.tools => {
                event(&changes::changed_for(&subscription.id))
            }
            () = tokio::time::sleep(SILENCE_MAX) => ALIVE,
        };
        Some((event, Some(subscription)))
    });
    stream::iter([first]).chain(rest).boxed()
}

/// How many subscriptions each caller has.
#[derive(Default, Clone)]
pub(crate) struct Places(Arc<Mutex<HashMap<String, usize>>>);

/// One of them; free again when this is dropped.
pub(crate) struct Place {
    places: Places,
    principal: String,
}

impl Places {
    pub(crate) fn take(&self, caller: &Caller) -> Result<Place, ErrorData> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = places.entry(caller.principal.clone()).or_default();
        if *taken >= SUBSCRIPTIONS_MAX {
            let message = format!("at most {SUBSCRIPTIONS_MAX} subscriptions at once");
            return Err(error::of(Failure::new(Code::RateLimited, message)));
        }
        *taken += 1;
        Ok(Place {
            places: self.clone(),
            principal: caller.principal.clone(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = places.get_mut(&self.principal) {
            *taken -= 1;
            if *taken == 0 {
                places.remove(&self.principal);
            }
        }
    }
}
