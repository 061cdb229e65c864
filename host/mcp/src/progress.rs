//! Progress of a call, on its way from the guest to a client that asked for it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cofferdam_types::call::{Deaf, LogRecord, Observer, Progress};
use rmcp::model::{ErrorData, NumberOrString, ProgressNotificationParam, ProgressToken};
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::{answer, error, message};

/// Between two notifications of one call: more often than a person sees, seldom enough that a
/// guest in a loop is no flood.
const PAUSE: Duration = Duration::from_millis(50);

/// Longest message that is passed on, in characters.
const MESSAGE_CHARS_MAX: usize = 500;

/// The guest's end: keeps the latest only, so a client that doesn't read costs nothing.
struct Reporter(watch::Sender<Option<Progress>>);

/// The client's end.
pub(crate) struct Reports {
    token: ProgressToken,
    latest: watch::Receiver<Option<Progress>>,
    /// Not before this moment.
    next: Instant,
    /// The last one told; each has to be more than the one before.
    told: f64,
}

/// Both ends, for a client that asked; one that did not hears nothing.
pub(crate) fn for_token(token: Option<ProgressToken>) -> (Arc<dyn Observer>, Option<Reports>) {
    let Some(token) = token else {
        return (Arc::new(Deaf), None);
    };
    let (sender, latest) = watch::channel(None);
    let reports = Reports {
        token,
        latest,
        next: Instant::now(),
        told: f64::NEG_INFINITY,
    };
    (Arc::new(Reporter(sender)), Some(reports))
}

/// The next notification, if anybody asked; else never.
pub(crate) async fn next(reports: &mut Option<Reports>) -> Bytes {
    match reports {
        Some(reports) => reports.next().await,
        None => std::future::pending().await,
    }
}

/// The token of a request that wants to hear of progress.
pub(crate) fn token(params: &Map<String, Value>) -> Result<Option<ProgressToken>, ErrorData> {
    let token = params
        .get("_meta")
        .and_then(|meta| meta.get("progressToken"));
    let token: Option<Result<NumberOrString, _>> = token.cloned().map(message::id);
    match token.transpose() {
        Ok(token) => Ok(token.map(ProgressToken)),
        Err(_) => Err(error::invalid_params(
            "/_meta/progressToken",
            "expected a text of at most 256 bytes or a whole number",
        )),
    }
}

impl Observer for Reporter {
    fn progress(&self, progress: Progress) {
        self.0.send_replace(Some(progress));
    }

    fn log(&self, _: &LogRecord) {}
}

impl Reports {
    /// The next notification; never, once the call is over.
    ///
    /// **Cancel**: nothing is lost that a later one would not say.
    async fn next(&mut self) -> Bytes {
        loop {
            tokio::time::sleep_until(self.next).await;
            if self.latest.changed().await.is_err() {
                return std::future::pending().await;
            }
            let latest = self.latest.borrow_and_update().clone();
            let Some(progress) = latest.filter(|p| p.done.is_finite() && p.done > self.told) else {
                continue;
            };
            self.told = progress.done;
            self.next = Instant::now() + PAUSE;
            return self.notification(&progress);
        }
    }

    fn notification(&self, progress: &Progress) -> Bytes {
        let mut params = ProgressNotificationParam::new(self.token.clone(), progress.done);
        if let Some(total) = progress.total.filter(|total| total.is_finite()) {
            params = params.with_total(total);
        }
        if !progress.message.is_empty() {
            let message: String = progress.message.chars().take(MESSAGE_CHARS_MAX).collect();
            params = params.with_message(message);
        }
        answer::notification("notifications/progress", params)
    }
}
