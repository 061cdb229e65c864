use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// What a call answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The result, or why there is none.
    pub outcome: Result<Value, Failure>,
    /// What the call cost.
    pub usage: Usage,
    /// What the tool printed and logged.
    pub log: Log,
    /// What the tool was refused.
    pub denials: Vec<Denial>,
}

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Failure {
    /// What kind of failure it is.
    pub code: Code,
    /// For people and models.
    pub message: String,
    /// What belongs to the code; of a [`Code::ToolError`], `tool_code` and `tool_details` are the
    /// tool's own.
    #[serde(default)]
    pub details: Map<String, Value>,
}

/// What a call cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Usage {
    /// Instructions, roughly. The same call costs about the same on every machine.
    pub fuel: u64,
    /// Time by stage.
    #[serde(rename = "wall_us")]
    pub wall: Wall,
    /// The highest sum of memories and tables.
    pub memory_peak_bytes: u64,
    /// Size of the result's text.
    pub result_bytes: u64,
    /// All that was printed, kept or not.
    pub stdout_bytes: u64,
}

/// Time by stage; `total` also holds what lies between the stages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Wall {
    /// Waiting for a place.
    #[serde(deserialize_with = "micros")]
    pub queue: Duration,
    /// Compiling, and making the instance.
    #[serde(deserialize_with = "micros")]
    pub start: Duration,
    /// In the tool.
    #[serde(deserialize_with = "micros")]
    pub guest: Duration,
    /// Waiting for the host.
    #[serde(deserialize_with = "micros")]
    pub host: Duration,
    /// From taken to answered.
    #[serde(deserialize_with = "micros")]
    pub total: Duration,
}

/// What a call printed and logged, and how much of it was dropped.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Log {
    /// The end of stdout.
    #[serde(rename = "stdout_tail")]
    pub stdout: String,
    /// The end of stderr.
    #[serde(rename = "stderr_tail")]
    pub stderr: String,
    /// What is not kept.
    pub dropped_bytes: u64,
    /// What the tool logged, oldest first.
    #[serde(default)]
    pub records: Vec<LogRecord>,
}

/// One record of a tool's log.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LogRecord {
    /// How loud: `trace`, `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// What happened.
    pub message: String,
    /// Facts, by name.
    #[serde(default)]
    pub fields: Map<String, Value>,
}

/// What a tool may not, and why.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Denial {
    /// The kind of permission, like `workspace`.
    pub capability: String,
    /// What was to be done, like `write`.
    pub operation: String,
    /// To what.
    pub resource: String,
    /// The rule that decided.
    pub rule: String,
    /// For people.
    pub reason: String,
    /// The least that would allow it.
    pub smallest_grant: String,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $word:literal,)*) => {
        /// The kinds of failure, the same everywhere in Cofferdam.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $word)] $code,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$code,)*];

            /// The code as it is spelt everywhere.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $word,)*
                }
            }
        }
    };
}

codes! {
    /// The arguments don't fit the tool's schema.
    InvalidInput = "invalid_input",
    /// Nobody knows who calls.
    Unauthenticated = "unauthenticated",
    /// The caller may not.
    Forbidden = "forbidden",
    /// Policy doesn't give the tool what it needs.
    PolicyDenied = "policy_denied",
    /// There is no such thing.
    NotFound = "not_found",
    /// It is there already, or in the way.
    Conflict = "conflict",
    /// Somebody took it back.
    Cancelled = "cancelled",
    /// It is not in the state that was expected.
    PreconditionFailed = "precondition_failed",
    /// More bytes than may be sent.
    TooLarge = "too_large",
    /// The file is no component that can be run.
    ComponentInvalid = "component_invalid",
    /// Too often.
    RateLimited = "rate_limited",
    /// The tool answers an error of its own.
    ToolError = "tool_error",
    /// The tool's result doesn't fit its schema.
    InvalidOutput = "invalid_output",
    /// The tool crashed.
    Trap = "trap",
    /// The tool computed more than it may.
    FuelExhausted = "fuel_exhausted",
    /// The tool used more memory than it may.
    MemoryExceeded = "memory_exceeded",
    /// The tool's result is larger than it may be.
    OutputTooLarge = "output_too_large",
    /// Another limit.
    LimitExceeded = "limit_exceeded",
    /// The tool took longer than it may.
    Timeout = "timeout",
    /// A neighbour of the host failed.
    UpstreamError = "upstream_error",
    /// The host can't take it now.
    Unavailable = "unavailable",
    /// A bug of the host.
    Internal = "internal",
}

/// What the command prints for a call that was made.
#[derive(Deserialize)]
struct Success {
    result: Value,
    #[serde(flatten)]
    facts: Facts,
}

#[derive(Deserialize)]
struct Refusal {
    error: Failure,
}

/// What holds of every call.
#[derive(Deserialize)]
struct Facts {
    usage: Usage,
    log: Log,
    denials: Vec<Denial>,
}

impl Answer {
    /// Reads what the command printed.
    pub(crate) fn read(stdout: &[u8]) -> Result<Self, String> {
        let line = stdout.trim_ascii_end().rsplit(|byte| *byte == b'\n').next();
        let line = line.unwrap_or_default();
        let value: Value = serde_json::from_slice(line).map_err(|_| {
            "the command printed no JSON; is it another program, or an older one?".to_owned()
        })?;
        let unknown = |error: serde_json::Error| {
            format!("the command printed what this library doesn't know: {error}")
        };
        let (outcome, facts) = if value.get("error").is_some() {
            let Refusal { error } = serde_json::from_value(value).map_err(unknown)?;
            // Without them, it never came to the tool.
            if !error.details.contains_key("usage") {
                return Err(error.to_string());
            }
            let facts = Value::Object(error.details.clone());
            (Err(error), serde_json::from_value(facts).map_err(unknown)?)
        } else {
            let Success { result, facts } = serde_json::from_value(value).map_err(unknown)?;
            (Ok(result), facts)
        };
        let Facts {
            usage,
            log,
            denials,
        } = facts;
        Ok(Self {
            outcome,
            usage,
            log,
            denials,
        })
    }

    /// The result.
    ///
    /// **Panics** when the call failed, with the failure and what the tool printed.
    #[track_caller]
    pub fn result(&self) -> &Value {
        match &self.outcome {
            Ok(result) => result,
            Err(failure) => panic!("the call failed: {failure}\n{}", self.log),
        }
    }

    /// The result as a type of one's own.
    ///
    /// **Panics** when the call failed, or the result is something else.
    #[track_caller]
    pub fn result_as<T: DeserializeOwned>(&self) -> T {
        let result = self.result();
        match T::deserialize(result) {
            Ok(value) => value,
            Err(error) => panic!("the result is something else: {error}: {result}"),
        }
    }

    /// Why there is no result.
    ///
    /// **Panics** when there is one.
    #[track_caller]
    pub fn failure(&self) -> &Failure {
        match &self.outcome {
            Ok(result) => panic!("the call succeeded with {result}\n{}", self.log),
            Err(failure) => failure,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "stdout: {}\nstderr: {}", self.stdout, self.stderr)?;
        self.records.iter().try_for_each(|record| {
            let facts = Value::Object(record.fields.clone());
            writeln!(f, "{}: {} {facts}", record.level, record.message)
        })
    }
}

fn micros<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_its_code() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors");
        let pages = std::fs::read_dir(folder).expect("the pages of the errors");
        let mut words: Vec<String> = pages
            .map(|page| page.expect("a page").path())
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .filter(|word| word != "README")
            .collect();
        words.sort_unstable();
        let mut known: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        known.sort_unstable();
        assert_eq!(known, words);
        for code in Code::ALL {
            let read = serde_json::from_value::<Code>(code.as_str().into());
            assert_eq!(read.expect("a code"), *code);
        }
    }

    #[test]
    fn what_is_no_answer_is_told() {
        for (printed, part) in [
            ("", "printed no JSON"),
            ("cofferdam 0.0.1", "printed no JSON"),
            ("{}", "doesn't know: missing field `result`"),
            (
                r#"{"error": {"code": "new", "message": "x"}}"#,
                "unknown variant `new`",
            ),
            (
                r#"{"error": {"code": "not_found", "message": "no such tool"}}"#,
                "not_found: no such tool",
            ),
        ] {
            let told = Answer::read(printed.as_bytes()).expect_err("no answer");
            assert!(told.contains(part), "{printed}: {told}");
        }
    }
}
