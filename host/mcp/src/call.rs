//! `tools/call`: what is asked, and how the outcome is told.

use std::sync::Arc;

use cofferdam_registry::Entry;
use cofferdam_types::call::{Outcome, Usage};
use cofferdam_types::change::Commit;
use cofferdam_types::tool::Identity;
use cofferdam_types::{CallId, Code, Failure, Payload, ToolName};
use rmcp::model::{
    CallToolResult, ContentBlock, ErrorData, MetaObject, ProtocolVersion, ResultType,
};
use serde_json::{Map, Value, json};

use crate::{error, listing, schema};

/// In a result's `_meta`: which call it was and what it cost.
const CALL_KEY: &str = "cofferdam/call";
/// In a failed result's `_meta`: the error, for programs.
const ERROR_KEY: &str = "cofferdam/error";

/// In a request's `_meta`: true to be told what would change, and to drop that.
const PREVIEW_KEY: &str = "cofferdam/preview";
/// In a request's `_meta`: the digest that the changes must have to be applied.
const IF_CHANGES_KEY: &str = "cofferdam/if_changes";
/// In a result's `_meta`: what the call changed, or would have.
const CHANGES_KEY: &str = "cofferdam/changes";

/// What `tools/call` asks for.
pub(crate) struct Call {
    pub(crate) tool: ToolName,
    pub(crate) arguments: Payload,
    /// What becomes of its changes.
    pub(crate) commit: Commit,
}

impl Call {
    /// From the parameters, whose other fields mean nothing here.
    pub(crate) fn read(mut params: Map<String, Value>) -> Result<Self, ErrorData> {
        // This host asks nothing back, so it has given nobody a state to return.
        for field in ["requestState", "inputResponses"] {
            if params.contains_key(field) {
                let pointer = format!("/{field}");
                return Err(error::invalid_params(
                    &pointer,
                    "no tool here asked for this",
                ));
            }
        }
        let tool = match params.remove("name") {
            Some(Value::String(name)) => {
                listing::inner_name(&name).ok_or_else(|| error::unknown_tool(&name))?
            }
            _ => {
                return Err(error::invalid_params(
                    "/name",
                    "expected the name of a tool",
                ));
            }
        };
        let arguments = match params.remove("arguments") {
            None => Payload::empty_object(),
            Some(arguments @ Value::Object(_)) => Payload::from(arguments),
            Some(_) => return Err(error::invalid_params("/arguments", "expected an object")),
        };
        let commit = commit(params.get("_meta"))?;
        Ok(Self {
            tool,
            arguments,
            commit,
        })
    }
}

/// What the request's `_meta` says is to become of the call's changes.
fn commit(meta: Option<&Value>) -> Result<Commit, ErrorData> {
    let said = |key: &str| meta.and_then(|meta| meta.get(key));
    let wrong = |key: &str, expected: &str| {
        let pointer = format!("/_meta/{}", key.replace('/', "~1"));
        Err(error::invalid_params(&pointer, expected))
    };
    let digest = match said(IF_CHANGES_KEY) {
        None => None,
        Some(text) => match text.as_str().map(str::parse) {
            Some(Ok(digest)) => Some(digest),
            _ => return wrong(IF_CHANGES_KEY, "expected a digest, as `sha256:…`"),
        },
    };
    match (said(PREVIEW_KEY), digest) {
        (None | Some(Value::Bool(false)), None) => Ok(Commit::Apply),
        (None | Some(Value::Bool(false)), Some(digest)) => Ok(Commit::ApplyIf(digest)),
        (Some(Value::Bool(true)), None) => Ok(Commit::Preview),
        (Some(Value::Bool(true)), Some(_)) => wrong(IF_CHANGES_KEY, "a preview applies nothing"),
        (Some(_), _) => wrong(PREVIEW_KEY, "expected true or false"),
    }
}

/// How the outcome of a call of `entry` is told. What the tool answers, and whatever became of it
/// before and in the sandbox, is a result, so that the model sees it; only a tool that isn't there
/// is an error of the protocol.
pub(crate) fn told(
    outcome: Outcome,
    entry: &Arc<Entry>,
    version: &ProtocolVersion,
) -> Result<CallToolResult, ErrorData> {
    let Outcome {
        call_id,
        tool,
        result,
        usage,
        changes,
        ..
    } = outcome;
    let mut told = match result {
        Ok(result) => {
            let wrapped = schema::is_wrapped(entry.record().spec.returns_schema.as_value());
            success(result, wrapped)
        }
        Err(failure) if failure.code == Code::NotFound && tool.is_none() => {
            return Err(error::of(failure));
        }
        Err(failure) => failed(&failure),
    };
    let meta = told.meta.get_or_insert_default();
    meta.insert(CALL_KEY.to_owned(), facts(call_id, tool, &usage));
    if let Some(changes) = changes {
        meta.insert(CHANGES_KEY.to_owned(), json!(changes));
    }
    if version.has_initialize() {
        told.result_type = None;
    }
    Ok(told)
}

/// A failure as a result. Its structure stands in the text and in `_meta`, not in the structured
/// content: that has to be what the tool's output schema says, and clients check it.
pub(crate) fn failed(failure: &Failure) -> CallToolResult {
    if failure.code == Code::Internal {
        tracing::error!(%failure, details = ?failure.details, "a bug was met");
    }
    let error = json!({"error": failure});
    let mut meta = MetaObject::new();
    meta.insert(ERROR_KEY.to_owned(), error["error"].clone());
    let mut result = CallToolResult::default();
    result.result_type = Some(ResultType::COMPLETE);
    result.content = vec![ContentBlock::text(error.to_string())];
    result.is_error = Some(true);
    result.meta = Some(meta);
    result
}

/// A text stands as it is in the content; anything else, as JSON.
fn success(result: Payload, wrapped: bool) -> CallToolResult {
    let value = result.into_value();
    let structured = if wrapped {
        json!({ schema::RESULT: value })
    } else {
        value
    };
    let shown = structured.get(schema::RESULT).filter(|_| wrapped);
    let text = match shown.unwrap_or(&structured) {
        Value::String(text) => text.clone(),
        _ => structured.to_string(),
    };
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content = Some(structured);
    result
}

fn facts(call_id: CallId, tool: Option<Identity>, usage: &Usage) -> Value {
    let mut facts = json!({"call_id": call_id.to_string(), "usage": usage});
    if let Some(tool) = tool {
        facts["version"] = tool.version.to_string().into();
    }
    facts
}

#[cfg(test)]
mod tests {
    use cofferdam_types::Digest;
    use rmcp::model::ErrorCode;

    use super::*;

    fn read(params: &Value) -> Result<Call, ErrorCode> {
        let params = params.as_object().expect("an object").clone();
        Call::read(params).map_err(|error| error.code)
    }

    #[test]
    fn what_is_no_call() {
        for params in [
            json!({}),
            json!({"name": 1}),
            json!({"name": "No_Such"}),
            json!({"name": "x".repeat(1_000)}),
            json!({"name": "a", "arguments": []}),
            json!({"name": "a", "arguments": null}),
            json!({"name": "a", "requestState": "x"}),
            json!({"name": "a", "inputResponses": {}}),
            json!({"name": "a", "_meta": {PREVIEW_KEY: "yes"}}),
            json!({"name": "a", "_meta": {IF_CHANGES_KEY: "sha256:1"}}),
            json!({"name": "a", "_meta": {IF_CHANGES_KEY: null}}),
            json!({"name": "a", "_meta": {PREVIEW_KEY: true, IF_CHANGES_KEY: digest()}}),
        ] {
            assert_eq!(
                read(&params).err(),
                Some(ErrorCode::INVALID_PARAMS),
                "{params}"
            );
        }
        let call = read(&json!({"name": "acme__a-b", "task": {}})).expect("a call");
        assert_eq!(call.tool.as_str(), "acme/a-b");
        assert_eq!(call.arguments, Payload::empty_object());
        assert_eq!(call.commit, Commit::Apply);
    }

    fn digest() -> String {
        Digest::of(b"changes").to_string()
    }

    #[test]
    fn the_meta_says_what_becomes_of_changes() {
        for (meta, expected) in [
            (json!({}), Commit::Apply),
            (json!({PREVIEW_KEY: false}), Commit::Apply),
            (json!({PREVIEW_KEY: true}), Commit::Preview),
            (
                json!({IF_CHANGES_KEY: digest()}),
                Commit::ApplyIf(Digest::of(b"changes")),
            ),
        ] {
            let call = read(&json!({"name": "a", "_meta": meta})).expect("a call");
            assert_eq!(call.commit, expected, "{meta}");
        }
    }

    #[test]
    fn results_have_one_form_each() {
        for (value, wrapped, text, structured) in [
            (json!("ä\n"), true, "ä\n", json!({"result": "ä\n"})),
            (json!(3), true, r#"{"result":3}"#, json!({"result": 3})),
            (
                json!(null),
                true,
                r#"{"result":null}"#,
                json!({"result": null}),
            ),
            (
                json!({"a": "b"}),
                true,
                r#"{"result":{"a":"b"}}"#,
                json!({"result": {"a": "b"}}),
            ),
            (
                json!({"result": "b"}),
                false,
                r#"{"result":"b"}"#,
                json!({"result": "b"}),
            ),
        ] {
            let result =
                serde_json::to_value(success(Payload::from(value), wrapped)).expect("JSON");
            assert_eq!(result["content"], json!([{"type": "text", "text": text}]));
            assert_eq!(result["structuredContent"], structured);
            assert_eq!(result["isError"], false);
        }
    }

    #[test]
    fn a_failure_is_told_in_text_and_meta() {
        let failure = Failure::new(Code::Trap, "it fell").with("a", 1);
        let result = serde_json::to_value(failed(&failure)).expect("JSON");
        let error = json!({"code": "trap", "message": "it fell", "details": {"a": 1}});
        let text = result["content"][0]["text"].as_str().expect("a text");
        assert_eq!(
            serde_json::from_str::<Value>(text).expect("JSON"),
            json!({"error": error})
        );
        assert_eq!(result["_meta"][ERROR_KEY], error);
        assert_eq!(result["isError"], true);
        assert!(result.get("structuredContent").is_none());
    }
}
