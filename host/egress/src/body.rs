//! Bodies in both directions, counted as they pass.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http_body::{Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};
use tokio_util::task::AbortOnDropHandle;

use crate::error::{Error, Limit, Upstream};
use crate::session::{Counts, Place};
use crate::watch::Watch;

/// A request's body, as a guest writes it. An error of its own ends the request.
pub type RequestBody = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// What went wrong with a request's body while it was sent; the library's own error does not say.
#[derive(Debug, Default)]
pub(crate) struct Verdict(AtomicU64);

impl Verdict {
    const FINE: u64 = 0;
    const TOO_LARGE: u64 = 1;
    const WRONG: u64 = 2;

    pub(crate) fn of(&self, most: u64) -> Option<Error> {
        match self.0.load(Ordering::Acquire) {
            Self::FINE => None,
            Self::TOO_LARGE => Some(Error::limit(Limit::RequestBytes, most)),
            _ => Some(Error::RequestBody),
        }
    }
}

/// A request's body on its way out.
pub(crate) struct Sending {
    pub(crate) inner: RequestBody,
    pub(crate) left: u64,
    /// What is still to come of the length that was announced.
    pub(crate) announced: Option<u64>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) verdict: Arc<Verdict>,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Sending {
    fn fail(&self, verdict: u64) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.verdict.0.store(verdict, Ordering::Release);
        Poll::Ready(Some(Err("the body is refused".into())))
    }
}

impl http_body::Body for Sending {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
            None if self.announced.is_some_and(|left| left > 0) => self.fail(Verdict::WRONG),
            None => Poll::Ready(None),
            Some(Err(_)) => self.fail(Verdict::WRONG),
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, Buf::remaining) as u64;
                let Some(left) = self.left.checked_sub(bytes) else {
                    return self.fail(Verdict::TOO_LARGE);
                };
                self.left = left;
                if let Some(announced) = self.announced {
                    match announced.checked_sub(bytes) {
                        Some(left) => self.announced = Some(left),
                        None => return self.fail(Verdict::WRONG),
                    }
                }
                self.counts.sent.fetch_add(bytes, Ordering::AcqRel);
                // Trailers could carry what headers may not.
                if frame.is_trailers() {
                    return self.fail(Verdict::WRONG);
                }
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.announced.is_none_or(|left| left == 0) && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.announced {
            Some(left) => SizeHint::with_exact(left),
            None => self.inner.size_hint(),
        }
    }
}

/// A response's body. Ends with [`Error::Limit`] at its cap and with [`Error::Timeout`] when nothing
/// comes for too long; closes its connection when dropped.
pub struct Body {
    inner: Incoming,
    left: u64,
    most: u64,
    counts: Arc<Counts>,
    idle: Duration,
    deadline: Instant,
    silence: Pin<Box<Sleep>>,
    is_over: bool,
    watch: Watch,
    /// Closed, and given back, as soon as the body is over: the guest may keep what is left of it.
    open: Option<(AbortOnDropHandle<()>, Place)>,
}

pub(crate) struct Receiving {
    pub(crate) most: u64,
    pub(crate) counts: Arc<Counts>,
    pub(crate) idle: Duration,
    pub(crate) deadline: Instant,
    pub(crate) connection: AbortOnDropHandle<()>,
    pub(crate) place: Place,
    pub(crate) watch: Watch,
}

impl Body {
    pub(crate) fn new(inner: Incoming, receiving: Receiving) -> Self {
        let Receiving {
            most,
            counts,
            idle,
            deadline,
            connection,
            place,
            watch,
        } = receiving;
        let until = (Instant::now() + idle).min(deadline);
        Self {
            inner,
            left: most,
            most,
            counts,
            idle,
            deadline,
            silence: Box::pin(tokio::time::sleep_until(until)),
            is_over: false,
            watch,
            open: Some((connection, place)),
        }
    }

    fn close(&mut self) {
        self.is_over = true;
        self.open = None;
    }

    fn end(&mut self, error: Error) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.close();
        Poll::Ready(Some(Err(error)))
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        if let Poll::Ready(denial) = self.watch.poll(cx) {
            self.watch.note(&denial);
            return self.end(denial.into());
        }
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Pending => {
                ready!(self.silence.as_mut().poll(cx));
                self.end(Error::Timeout)
            }
            Poll::Ready(None) => {
                self.close();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                let error = from_hyper(&error);
                self.end(error)
            }
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Buf::remaining) as u64;
                let Some(left) = self.left.checked_sub(bytes) else {
                    let error = Error::limit(Limit::ResponseBytes, self.most);
                    return self.end(error);
                };
                self.left = left;
                self.counts.received.fetch_add(bytes, Ordering::AcqRel);
                let until = (Instant::now() + self.idle).min(self.deadline);
                self.silence.as_mut().reset(until);
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_over || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// What an error of the library means.
pub(crate) fn from_hyper(error: &hyper::Error) -> Error {
    if error.is_parse_too_large() {
        Error::limit(Limit::ResponseHead, crate::hop::HEAD_BYTES_MAX as u64)
    } else if error.is_parse() {
        Error::upstream(Upstream::Protocol, "the answer is not HTTP/1.1")
    } else {
        Error::upstream(
            Upstream::Reset,
            "the connection ended before the answer did",
        )
    }
}
