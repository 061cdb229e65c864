use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use cofferdam_policy::capability::{network, sockets};
use cofferdam_types::call::Denial;
use tokio::time::{Instant, Sleep};

use crate::session::Warrant;

/// Asks again about something that lasts: what was allowed can be taken back while it goes on.
pub(crate) struct Watch {
    warrant: Arc<dyn Warrant>,
    of: Of,
    tick: Pin<Box<Sleep>>,
}

/// What lasts.
#[derive(Debug, Clone)]
pub(crate) enum Of {
    Request(network::Ask),
    Connection(sockets::Ask),
}

impl Watch {
    /// Twice in the second within which a revocation has to hold.
    pub(crate) const EVERY: Duration = Duration::from_millis(500);

    pub(crate) fn new(warrant: Arc<dyn Warrant>, of: Of) -> Self {
        Self {
            warrant,
            of,
            tick: Box::pin(tokio::time::sleep(Self::EVERY)),
        }
    }

    /// Ready, with the denial, once it is no longer allowed.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Denial> {
        while self.tick.as_mut().poll(cx).is_ready() {
            let still = match &self.of {
                Of::Request(ask) => self.warrant.network(ask).err(),
                Of::Connection(ask) => self.warrant.sockets(ask).err(),
            };
            if let Some(denial) = still {
                return Poll::Ready(denial);
            }
            self.tick.as_mut().reset(Instant::now() + Self::EVERY);
        }
        Poll::Pending
    }

    /// Waits until it is no longer allowed.
    pub(crate) async fn refused(&mut self) -> Denial {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// Notes the refusal of something that nobody waits for but the guest's own reads.
    pub(crate) fn note(&self, denial: &Denial) {
        self.warrant.refuses(denial);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("of", &self.of)
            .finish_non_exhaustive()
    }
}
