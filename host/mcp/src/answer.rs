//! Messages as they go out.

use bytes::Bytes;
use rmcp::model::{ErrorData, JsonRpcError, RequestId};
use serde::Serialize;
use serde_json::json;

/// The text of a result, or why there is none.
pub(crate) type Answer = Result<Vec<u8>, ErrorData>;

/// Room for what stands around a result.
const FRAME_BYTES: usize = 64;

/// The answer to a request as one message.
pub(crate) fn message(id: &RequestId, answer: &Answer) -> Bytes {
    match answer {
        Ok(result) => {
            let mut text = Vec::with_capacity(result.len() + FRAME_BYTES);
            text.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
            text.extend_from_slice(&json(id));
            text.extend_from_slice(br#","result":"#);
            text.extend_from_slice(result);
            text.push(b'}');
            text.into()
        }
        Err(error) => failure(Some(id.clone()), error.clone()),
    }
}

/// An error as one message; without an id when none could be read.
pub(crate) fn failure(id: Option<RequestId>, error: ErrorData) -> Bytes {
    json(&JsonRpcError::new(id, error)).into()
}

/// A notification as one message.
pub(crate) fn notification(method: &str, params: impl Serialize) -> Bytes {
    #[derive(Serialize)]
    struct Notification<'a, P> {
        jsonrpc: &'a str,
        method: &'a str,
        params: P,
    }
    let notification = Notification {
        jsonrpc: "2.0",
        method,
        params,
    };
    json(&notification).into()
}

/// The text of a value that can't fail to have one: no map in it has keys that are no texts.
pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_else(|error| {
        tracing::error!(%error, "a message is not JSON");
        json!(null).to_string().into_bytes()
    })
}
