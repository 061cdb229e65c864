//! What a template or condition points at.

use std::borrow::Cow;

use cofferdam_types::Payload;
use serde_json::{Value, json};

use crate::agent::state::{Ended, State};

/// A JSON pointer into what a run knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reference<'a> {
    /// Into the task's parameters.
    Parameters {
        /// The pointer from there on.
        rest: &'a str,
    },
    /// Into what came of a step.
    Step {
        /// Its name.
        name: &'a str,
        /// Which part of it.
        part: Part,
        /// The pointer from there on.
        rest: &'a str,
    },
}

/// Part of what came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it, as an object.
    All,
    /// `completed`, `failed` or `skipped`.
    Status,
    /// The tool's result, or null.
    Result,
    /// The failure, or null.
    Error,
}

impl<'a> Reference<'a> {
    /// Reads a pointer; an error says what is wrong with it.
    pub(crate) fn parse(pointer: &'a str) -> Result<Self, &'static str> {
        const ROOTS: &str = "expected a JSON pointer below `/parameters` or `/steps/NAME`";
        if !is_pointer(pointer) {
            return Err("expected a JSON pointer: `/` before each part, `~` only in `~0` and `~1`");
        }
        let (root, rest) = first_part(pointer).ok_or(ROOTS)?;
        match root {
            "parameters" => Ok(Self::Parameters { rest }),
            "steps" => {
                let (name, rest) = first_part(rest).ok_or(ROOTS)?;
                let (part, rest) = match first_part(rest) {
                    None => (Part::All, rest),
                    Some(("status", rest)) => (Part::Status, rest),
                    Some(("result", rest)) => (Part::Result, rest),
                    Some(("error", rest)) => (Part::Error, rest),
                    Some(_) => return Err("a step has `status`, `result` and `error`"),
                };
                Ok(Self::Step { name, part, rest })
            }
            _ => Err(ROOTS),
        }
    }
}

/// `("a", "/b/c")` of `/a/b/c`; nothing of the empty pointer.
fn first_part(pointer: &str) -> Option<(&str, &str)> {
    let text = pointer.strip_prefix('/')?;
    Some(text.split_at(text.find('/').unwrap_or(text.len())))
}

fn is_pointer(text: &str) -> bool {
    let escaped = text.split('~').skip(1);
    (text.is_empty() || text.starts_with('/'))
        && escaped.into_iter().all(|part| part.starts_with(['0', '1']))
}

/// What a run knows at some point: its parameters and the steps that have ended.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) parameters: &'a Payload,
    pub(crate) state: &'a State,
}

impl<'a> Scope<'a> {
    /// The value a pointer stands for, if there is one.
    pub(crate) fn at(&self, pointer: &str) -> Option<Cow<'a, Value>> {
        match Reference::parse(pointer).ok()? {
            Reference::Parameters { rest } => {
                self.parameters.as_value().pointer(rest).map(Cow::Borrowed)
            }
            Reference::Step { name, part, rest } => {
                let ended = self.state.ended(name)?;
                let value = match (part, ended) {
                    (Part::Result, Ended::Completed(result)) => {
                        return result.as_value().pointer(rest).map(Cow::Borrowed);
                    }
                    (Part::All, Ended::Completed(result)) => {
                        json!({"status": "completed", "result": result, "error": null})
                    }
                    (Part::All, Ended::Failed(error)) => {
                        json!({"status": "failed", "result": null, "error": error})
                    }
                    (Part::All, Ended::Skipped) => {
                        json!({"status": "skipped", "result": null, "error": null})
                    }
                    (Part::Status, Ended::Completed(_)) => json!("completed"),
                    (Part::Status, Ended::Failed(_)) => json!("failed"),
                    (Part::Status, Ended::Skipped) => json!("skipped"),
                    (Part::Error, Ended::Failed(error)) => json!(error),
                    (Part::Error, Ended::Completed(_) | Ended::Skipped)
                    | (Part::Result, Ended::Failed(_) | Ended::Skipped) => Value::Null,
                };
                value.pointer(rest).cloned().map(Cow::Owned)
            }
        }
    }
}
