//! The requests of one client that are not answered yet.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use cofferdam_types::{Code, Failure};
use rmcp::model::{ErrorData, RequestId};
use tokio_util::sync::CancellationToken;

use crate::error;

/// Most requests of one client at once. The sandbox holds as many guests; what is more would only
/// wait, each with its arguments in memory.
pub(crate) const IN_FLIGHT_MAX: usize = 1_024;

/// Requests by id.
#[derive(Default, Clone)]
pub(crate) struct InFlight(Arc<Mutex<HashMap<RequestId, CancellationToken>>>);

/// One of them: no longer in flight when this is dropped.
pub(crate) struct Flight {
    all: InFlight,
    id: RequestId,
    cancelled: CancellationToken,
}

impl InFlight {
    /// Takes a request up.
    ///
    /// **Errors**: one of this id is there already, or too many are.
    pub(crate) fn take_up(&self, id: &RequestId) -> Result<Flight, ErrorData> {
        let cancelled = CancellationToken::new();
        let mut requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = requests.len() >= IN_FLIGHT_MAX;
        match requests.entry(id.clone()) {
            Entry::Occupied(_) => {
                return Err(ErrorData::invalid_request(
                    "a request of this id is not answered yet",
                    None,
                ));
            }
            Entry::Vacant(_) if full => {
                let message = format!("at most {IN_FLIGHT_MAX} requests at once; try again");
                return Err(error::of(Failure::new(Code::RateLimited, message)));
            }
            Entry::Vacant(place) => place.insert(cancelled.clone()),
        };
        Ok(Flight {
            all: self.clone(),
            id: id.clone(),
            cancelled,
        })
    }

    /// Cancels the request of this id, if it is in flight.
    pub(crate) fn cancel(&self, id: &RequestId) {
        let requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(request) = requests.get(id) {
            request.cancel();
        }
    }

    /// Cancels all.
    pub(crate) fn cancel_all(&self) {
        let requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        requests.values().for_each(CancellationToken::cancel);
    }

    /// True when nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        let requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        requests.is_empty()
    }
}

impl Flight {
    /// Ends when the client takes the request back.
    pub(crate) async fn cancelled(&self) {
        self.cancelled.cancelled().await;
    }

    /// What `future` comes to, unless the request is taken back before; then it is dropped at once.
    pub(crate) async fn unless_cancelled<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.cancelled() => None,
            value = future => Some(value),
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut requests = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        requests.remove(&self.id);
    }
}
