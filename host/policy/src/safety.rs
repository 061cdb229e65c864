//! What rules demand of the effects that a tool's author states.

use cofferdam_types::tool::SafetyFlags;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Demands on a tool's safety flags. What is left out demands nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Safety {
    /// What happens to a tool that says it may destroy something.
    #[serde(default)]
    pub destructive: Verdict,
    /// Whether a tool has to say that it changes nothing.
    #[serde(default)]
    pub read_only: Demand,
    /// Whether a tool has to say that twice does the same as once.
    #[serde(default)]
    pub idempotent: Demand,
}

/// What happens to calls of a kind.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// They run.
    #[default]
    Allow,
    /// A person has to agree to each.
    Ask,
    /// They don't run.
    Deny,
}

/// Whether a flag has to be set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Demand {
    /// It may be absent.
    #[default]
    Any,
    /// It has to be there.
    Required,
}

impl Safety {
    /// What the flags come to, and the sentence that says why. A tool that says both that it
    /// changes nothing and that it may destroy something is believed in nothing.
    pub fn judge(&self, flags: SafetyFlags) -> (Verdict, &'static str) {
        if flags.read_only && flags.destructive {
            return (
                Verdict::Deny,
                "the tool says both that it changes nothing and that it may destroy something",
            );
        }
        if self.read_only == Demand::Required && !flags.read_only {
            return (
                Verdict::Deny,
                "the tool doesn't say that it changes nothing",
            );
        }
        if self.idempotent == Demand::Required && !flags.idempotent {
            return (
                Verdict::Deny,
                "the tool doesn't say that twice does the same as once",
            );
        }
        if flags.destructive {
            return (
                self.destructive,
                "the tool says that it may destroy something",
            );
        }
        (Verdict::Allow, "")
    }
}
