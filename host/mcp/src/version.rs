//! Which revision of the protocol a request speaks.
//!
//! Up to 2025-11-25 a client says so once, with `initialize`; from 2026-07-28 on every request says
//! so itself, in its `_meta`.

use rmcp::model::{ErrorData, ProtocolVersion, RequestMetaObject};
use serde_json::{Map, Value};

use crate::error;

/// In `_meta`: the revision that a request speaks.
const VERSION_KEY: &str = RequestMetaObject::DRAFT_REQUIRED_KEYS[0];
/// In `_meta`: what the client can do.
const CAPABILITIES_KEY: &str = RequestMetaObject::DRAFT_REQUIRED_KEYS[1];

/// What is spoken where nobody says: the last revision before clients had to say it over HTTP.
pub(crate) const UNSAID: ProtocolVersion = ProtocolVersion::V_2025_03_26;

/// The revision of this name.
///
/// **Errors**: `-32022` with those that are spoken here.
pub(crate) fn known(name: &str) -> Result<ProtocolVersion, ErrorData> {
    let known = ProtocolVersion::KNOWN_VERSIONS;
    let found = known.iter().find(|version| version.as_str() == name);
    found.cloned().ok_or_else(|| {
        let mut error = ErrorData::unsupported_protocol_version(ProtocolVersion::LATEST, known);
        if let Some(data) = &mut error.data {
            data["requested"] = name.chars().take(32).collect::<String>().into();
        }
        error
    })
}

/// What `initialize` settles on: the client's revision, else the newest that has a handshake.
pub(crate) fn negotiated(params: &Map<String, Value>) -> Result<ProtocolVersion, ErrorData> {
    let asked = params.get("protocolVersion").and_then(Value::as_str);
    let Some(asked) = asked else {
        return Err(error::invalid_params("/protocolVersion", "expected a text"));
    };
    let spoken = known(asked).ok().filter(ProtocolVersion::has_initialize);
    Ok(spoken.unwrap_or(ProtocolVersion::LATEST_WITH_INITIALIZE))
}

/// The revision that a request says it speaks; nothing for one that leaves it to the handshake.
///
/// **Errors**: `-32022` for one that is not spoken here; `-32602` when it comes without what the
/// newer revisions need beside it.
pub(crate) fn inline(params: &Map<String, Value>) -> Result<Option<ProtocolVersion>, ErrorData> {
    let meta = params.get("_meta");
    let version = match meta.and_then(|meta| meta.get(VERSION_KEY)) {
        None => return Ok(None),
        Some(Value::String(name)) => known(name)?,
        Some(_) => return Err(missing(VERSION_KEY)),
    };
    let capabilities = meta.and_then(|meta| meta.get(CAPABILITIES_KEY));
    if !version.has_initialize() && !capabilities.is_some_and(Value::is_object) {
        return Err(missing(CAPABILITIES_KEY));
    }
    Ok(Some(version))
}

/// A request of the newer revisions without what it has to say about itself.
pub(crate) fn unsaid() -> ErrorData {
    missing(VERSION_KEY)
}

fn missing(key: &str) -> ErrorData {
    let pointer = format!("/_meta/{}", key.replace('/', "~1"));
    error::invalid_params(&pointer, "the request's `_meta` has to say this")
}

#[cfg(test)]
mod tests {
    use rmcp::model::ErrorCode;
    use serde_json::json;

    use super::*;

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().expect("an object").clone()
    }

    #[test]
    fn the_handshake_settles_on_one_that_has_it() {
        for (asked, settled) in [
            ("2024-11-05", "2024-11-05"),
            ("2025-11-25", "2025-11-25"),
            ("2026-07-28", "2025-11-25"),
            ("1999-01-01", "2025-11-25"),
        ] {
            let params = map(&json!({"protocolVersion": asked}));
            assert_eq!(negotiated(&params).expect("settled").as_str(), settled);
        }
        assert!(negotiated(&Map::new()).is_err());
    }

    #[test]
    fn a_request_says_all_or_nothing() {
        let said = |meta: Value| inline(&map(&json!({"_meta": meta})));
        assert_eq!(said(json!({"progressToken": 1})), Ok(None));
        let whole = json!({VERSION_KEY: "2026-07-28", CAPABILITIES_KEY: {}});
        assert_eq!(said(whole), Ok(Some(ProtocolVersion::V_2026_07_28)));
        for (meta, code) in [
            (
                json!({VERSION_KEY: "2026-07-28"}),
                ErrorCode::INVALID_PARAMS,
            ),
            (
                json!({VERSION_KEY: "2026-07-28", CAPABILITIES_KEY: "x"}),
                ErrorCode::INVALID_PARAMS,
            ),
            (json!({VERSION_KEY: 1}), ErrorCode::INVALID_PARAMS),
            (
                json!({VERSION_KEY: "2099-01-01"}),
                ErrorCode::UNSUPPORTED_PROTOCOL_VERSION,
            ),
        ] {
            assert_eq!(said(meta).expect_err("refused").code, code);
        }
    }
}
