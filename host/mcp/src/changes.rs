//! News of a tenant's tools.

use bytes::Bytes;
use cofferdam_toolbox::Toolbox;
use cofferdam_types::caller::Caller;
use rmcp::model::{ErrorData, RequestId};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::{answer, error};

const CHANGED: &str = "notifications/tools/list_changed";
/// In `_meta`: the request that asked for the news.
const SUBSCRIPTION_KEY: &str = "io.modelcontextprotocol/subscriptionId";

/// Waits for changes of what `tools/list` answers to a caller.
pub(crate) struct Changes {
    toolbox: Toolbox,
    caller: Caller,
    any: watch::Receiver<u64>,
    /// The generation that the client knows of, as soon as that could be found out.
    known: Option<u64>,
}

impl Changes {
    /// Of a client that knows this generation, else of one that knows the present one.
    pub(crate) fn new(toolbox: Toolbox, caller: Caller, known: Option<u64>) -> Self {
        let any = toolbox.changes();
        Self {
            toolbox,
            caller,
            any,
            known,
        }
    }

    /// The next change: the generation that there is now.
    ///
    /// **Cancel**: a change that was not told yet is told next time.
    pub(crate) async fn next(&mut self) -> u64 {
        loop {
            // Before the look, so that nothing falls between.
            self.any.mark_unchanged();
            if let Ok(now) = self.toolbox.generation(&self.caller).await {
                let before = self.known.replace(now);
                if before.is_some_and(|before| before != now) {
                    return now;
                }
            }
            if self.any.changed().await.is_err() {
                // The registry is gone, and this host with it.
                return std::future::pending().await;
            }
        }
    }
}

/// What a client hears of through `subscriptions/listen`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filter {
    pub(crate) tools: bool,
}

impl Filter {
    pub(crate) fn read(params: &Map<String, Value>) -> Result<Self, ErrorData> {
        match params.get("notifications") {
            Some(Value::Object(wanted)) => Ok(Self {
                tools: wanted.get("toolsListChanged") == Some(&Value::Bool(true)),
            }),
            _ => Err(error::invalid_params(
                "/notifications",
                "expected an object",
            )),
        }
    }
}

/// The tools changed.
pub(crate) fn changed() -> Bytes {
    #[derive(serde::Serialize)]
    struct Nothing {}
    answer::notification(CHANGED, Nothing {})
}

/// The tools changed, told to a subscription.
pub(crate) fn changed_for(subscription: &RequestId) -> Bytes {
    answer::notification(CHANGED, json!({"_meta": {SUBSCRIPTION_KEY: subscription}}))
}

/// The first message to a subscription: what it will hear of.
pub(crate) fn acknowledged(subscription: &RequestId, filter: Filter) -> Bytes {
    let accepted = if filter.tools {
        json!({"toolsListChanged": true})
    } else {
        json!({})
    };
    let params = json!({"notifications": accepted, "_meta": {SUBSCRIPTION_KEY: subscription}});
    answer::notification("notifications/subscriptions/acknowledged", params)
}

/// The last message to a subscription that the host ends.
pub(crate) fn ended(subscription: &RequestId) -> Bytes {
    let result = json!({
        "resultType": "complete",
        "_meta": {SUBSCRIPTION_KEY: subscription},
    });
    answer::message(subscription, &Ok(answer::json(&result)))
}
