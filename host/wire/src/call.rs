//! A call of a tool: what is asked and what is answered.

use cofferdam_types::call::{CallLog, Denial, Outcome, Usage};
use cofferdam_types::change::{ChangeList, Commit};
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::{CallId, Code, Digest, Failure, Payload, ToolName, Version};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

use crate::workspace::Workspace;

#[cfg(test)]
mod tests;

/// What a client sends to call a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallRequest {
    /// An object by argument name.
    #[serde(default = "Payload::empty_object", deserialize_with = "object")]
    pub arguments: Payload,
    /// The directory the tool may be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<Workspace>,
    /// Tighter limits than the tool would have.
    #[serde(default)]
    pub limits: LimitRequest,
    /// The most that this call may use of what policy grants, in the form of a rule's `allow`;
    /// absent: all of it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_object"
    )]
    pub delegate: Option<Payload>,
    /// The policy's profile to run in; absent: `isolated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_environment: Option<String>,
    /// True to be told what the call would change on its mounts, and to drop that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preview: bool,
    /// The digest that the call's changes must have to be applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_changes: Option<Digest>,
}

impl CallRequest {
    /// What is to become of the call's changes.
    ///
    /// **Errors**: `invalid_input` when both are asked for.
    pub fn commit(&self) -> Result<Commit, Failure> {
        match (self.preview, self.if_changes) {
            (false, None) => Ok(Commit::Apply),
            (true, None) => Ok(Commit::Preview),
            (false, Some(digest)) => Ok(Commit::ApplyIf(digest)),
            (true, Some(_)) => Err(Failure::invalid_at(
                "/if_changes",
                "a preview applies nothing: leave one of both out",
            )),
        }
    }
}

/// What a call that succeeded answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallAnswer {
    /// The call.
    pub call_id: CallId,
    /// What ran.
    pub tool: ToolName,
    /// Its version.
    pub version: Version,
    /// The component's bytes.
    pub digest: Digest,
    /// The tool's result.
    pub result: Payload,
    /// What it cost.
    pub usage: Usage,
    /// What it printed.
    pub log: CallLog,
    /// What it was refused on the way.
    pub denials: Vec<Denial>,
    /// What it changed, or would have: when the request says `preview` or `if_changes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<ChangeList>,
}

impl TryFrom<Outcome> for CallAnswer {
    type Error = Failure;

    /// The answer, or the failure with the call's facts among its details.
    fn try_from(outcome: Outcome) -> Result<Self, Failure> {
        let (result, tool) = match (outcome.result, outcome.tool) {
            (Ok(result), Some(tool)) => (result, tool),
            // The toolbox can't have a result of no tool; if it has, that is its bug.
            (Ok(_), None) => {
                return Err(Failure::new(Code::Internal, "the call names no tool")
                    .with("call_id", outcome.call_id.to_string()));
            }
            (Err(failure), tool) => {
                let failure = failure
                    .with("call_id", outcome.call_id.to_string())
                    .with("usage", json!(outcome.usage))
                    .with("log", json!(outcome.log))
                    .with("denials", json!(outcome.denials));
                return Err(match tool {
                    Some(tool) => failure
                        .with("tool", tool.name.as_str())
                        .with("version", tool.version.to_string())
                        .with("digest", tool.digest.to_string()),
                    None => failure,
                });
            }
        };
        Ok(Self {
            call_id: outcome.call_id,
            tool: tool.name,
            version: tool.version,
            digest: tool.digest,
            result,
            usage: outcome.usage,
            log: outcome.log,
            denials: outcome.denials,
            changes: outcome.changes,
        })
    }
}

/// A payload that is an object, where there may be none.
pub(crate) fn some_object<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Payload>, D::Error> {
    object(deserializer).map(Some)
}

/// A payload that is an object.
pub(crate) fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Payload, D::Error> {
    let payload = Payload::deserialize(deserializer)?;
    if payload.as_value().is_object() {
        Ok(payload)
    } else {
        Err(D::Error::custom("expected an object"))
    }
}
