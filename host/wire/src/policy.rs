//! Policies: what is in force, how a text is checked, and why a call may or may not.

use cofferdam_types::call::{Denial, DenialCode};
use cofferdam_types::caller::Role;
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::ToolRef;
use cofferdam_types::{CallId, Digest, Payload, Tenant};
use serde::{Deserialize, Serialize};

use crate::call::{object, some_object};
use crate::workspace::Workspace;

/// The policy in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyView {
    /// What denials and the audit call it.
    pub name: String,
    /// The file it was read from; absent for the built-in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// SHA-256 of its document.
    pub digest: Digest,
    /// 1 for the first since the host started, one more with each that replaces it.
    pub generation: u64,
    /// What it comes to, with the source of each value; without anything secret.
    pub effective: Payload,
}

/// How a policy is written down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the usual three words")]
pub enum PolicyFormat {
    #[default]
    Yaml,
    Toml,
    Json,
}

/// A policy that is to be looked at and not put in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyText {
    /// The whole text.
    pub text: String,
    /// How it is written.
    #[serde(default)]
    pub format: PolicyFormat,
}

/// What is to be said about a policy's text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyCheck {
    /// True when it could come into force.
    pub valid: bool,
    /// The digest of its document, when it is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// What is wrong, in the order of the text.
    pub mistakes: Vec<MistakeView>,
    /// What gives more than it seems to, or nothing.
    pub warnings: Vec<WarningView>,
}

/// One thing that is wrong in a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MistakeView {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// What.
    pub reason: String,
}

/// One thing to think about in a valid policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarningView {
    /// Where it stands, as `file:line (rule)`.
    pub at: String,
    /// What it is.
    pub text: String,
}

/// A call that nobody makes: would it be allowed?
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExplainRequest {
    /// Which tool.
    pub tool: ToolRef,
    /// Its arguments, for rules that are narrowed by them.
    #[serde(default = "Payload::empty_object", deserialize_with = "object")]
    pub arguments: Payload,
    /// The directory it would be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<Workspace>,
    /// Tighter limits than the tool would have.
    #[serde(default)]
    pub limits: LimitRequest,
    /// Who would call; what is absent is as with whoever asks.
    #[serde(default)]
    pub caller: CallerFacts,
    /// The profile it would run in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_environment: Option<String>,
    /// What the caller would pass on.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_object"
    )]
    pub delegate: Option<Payload>,
    /// One use of one capability, as in `{"network": "GET https://example.org/"}`; absent: the
    /// call itself.
    #[serde(
        default,
        rename = "use",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_object"
    )]
    pub used: Option<Payload>,
    /// Whether the answer is to have what to add to the policy so that it would be allowed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub patch: bool,
}

/// Facts about a caller that rules go by.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallerFacts {
    /// The agent at work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Their role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Their tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Tenant>,
    /// Who they are in the audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
}

/// Whether a call would be allowed, and by what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExplanationView {
    /// True when it would.
    pub allowed: bool,
    /// The tool, `http-fetch@1.2.0`.
    pub tool: String,
    /// The policy that was asked.
    pub policy: String,
    /// Its generation.
    pub generation: u64,
    /// What would be granted, in words.
    pub granted: Vec<String>,
    /// What stands in the way.
    pub denials: Vec<Denial>,
    /// Every rule in the order of the file.
    pub rules: Vec<RuleVerdict>,
    /// Each limit and where it comes from.
    pub limits: Vec<LimitView>,
    /// About the use, when one was named and the call itself is allowed.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub used: Option<UseView>,
    /// What to add to the policy, when that was asked for and some rule would change the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<PatchView>,
}

/// What to add to a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchView {
    /// YAML for the end of the policy's file, which begins with the key `rules` when the file has
    /// none yet.
    pub text: String,
    /// What would still stand in the way.
    pub left: Vec<Denial>,
}

/// What one rule has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleVerdict {
    /// Where it stands, as `file:line (rule)`.
    pub at: String,
    /// Why it has no say; absent when it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misses: Option<String>,
}

/// One limit of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitView {
    /// Its word in policy files.
    pub limit: String,
    /// How much: bytes, milliseconds, or a count.
    pub value: u64,
    /// Who says so.
    pub source: String,
}

/// What is said about one use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UseView {
    /// Each party that has a say, and the entry by which it allows the use.
    pub parties: Vec<PartyView>,
    /// The entry that denies it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_by: Option<String>,
}

/// What one party says about a use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyView {
    /// `policy`, `agent`, `task` or `caller`.
    pub party: String,
    /// The entry that allows it; absent when none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allows: Option<String>,
}

/// Many questions at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CanRequest {
    /// At most [`CAN_MAX`].
    pub calls: Vec<ExplainRequest>,
}

/// Most questions of one request.
pub const CAN_MAX: usize = 1_000;

/// The answers, in the order of the questions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanAnswer {
    /// The policy's generation: one for all of them.
    pub generation: u64,
    /// The answers.
    pub answers: Vec<Can>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Can {
    /// True when it would be allowed.
    pub allowed: bool,
    /// Why not, in one word each; none for a tool that there isn't.
    pub codes: Vec<DenialCode>,
}

/// What came of reading the policy anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// What is in force now.
    pub digest: Digest,
    /// Its generation.
    pub generation: u64,
    /// True when it differs from what was in force before.
    pub changed: bool,
}

/// A candidate, and how far back the audit is to be replayed against it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShadowRequest {
    /// The candidate's whole text.
    pub text: String,
    /// How it is written.
    #[serde(default)]
    pub format: PolicyFormat,
    /// In seconds; at most [`SHADOW_S_MAX`].
    pub since_s: u64,
}

/// How far back a replay goes at most: 31 days.
pub const SHADOW_S_MAX: u64 = 31 * 24 * 60 * 60;

/// What a candidate would have changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowReport {
    /// Calls that were looked at.
    pub calls: u64,
    /// Calls whose decision depends on what the audit doesn't keep, such as arguments.
    pub undecidable: u64,
    /// What was allowed and would be denied, the most frequent first.
    pub newly_denied: Vec<Shift>,
    /// What was denied and would be allowed, the most frequent first.
    pub newly_allowed: Vec<Shift>,
    /// What went another way and is of kinds beyond the thousand that are listed of each.
    pub unlisted: u64,
}

/// A kind of call or use that would go the other way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// The tool, `http-fetch@1.2.0`.
    pub tool: String,
    /// Which capability; `tool` for the call as a whole.
    pub capability: String,
    /// What was done.
    pub operation: String,
    /// To what.
    pub resource: String,
    /// How often.
    pub count: u64,
    /// One call where it happened.
    pub call_id: CallId,
}
