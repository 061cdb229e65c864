use cofferdam_store_api::StoreError;
use cofferdam_types::failure::Fault;
use cofferdam_types::tool::ToolRef;
use cofferdam_types::{Code, ComponentName, Failure, Version};
use thiserror::Error as ThisError;

/// Why the registry did not do what it was asked.
#[derive(Debug, Clone, PartialEq, ThisError)]
pub enum Error {
    /// No version of such a tool will do.
    #[error("there is no tool `{0}`")]
    NotFound(ToolRef),
    /// A component's manifest can't be accepted.
    #[error("the component describes itself wrongly")]
    Manifest(Vec<Fault>),
    /// A name or version is taken by something else.
    #[error("{0}")]
    Conflict(String),
    /// A version breaks callers of the one before it, and its number doesn't say so.
    #[error(
        "`{0}` {1} breaks those who call the version before it: {reason}; give it the next major \
         version", reason = first(.2)
    )]
    Breaking(ComponentName, Version, Vec<Fault>),
    /// The store failed.
    #[error("the registry's store failed")]
    Store(#[from] StoreError),
}

/// The first of some faults, and how many more there are.
fn first(faults: &[Fault]) -> String {
    match faults {
        [] => String::new(),
        [only] => only.reason.clone(),
        [first, more @ ..] => format!("{} (and {} more)", first.reason, more.len()),
    }
}

impl Error {
    /// True when the same request may succeed later.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Store(StoreError::Unavailable(_)))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::NotFound(tool) => Failure::not_found("tool", tool),
            Error::Manifest(faults) => {
                let first = faults
                    .first()
                    .map(|f| format!(": {} {}", f.pointer, f.reason));
                Failure::new(Code::ComponentInvalid, message + &first.unwrap_or_default())
                    .with("faults", serde_json::json!(faults))
            }
            Error::Conflict(_) => Failure::new(Code::Conflict, message),
            Error::Breaking(_, _, faults) => {
                Failure::new(Code::Conflict, message).with("faults", serde_json::json!(faults))
            }
            Error::Store(StoreError::Damaged(_)) => Failure::new(
                Code::Internal,
                "the store holds something that can't be read",
            ),
            Error::Store(_) => {
                Failure::new(Code::Unavailable, "the store can't answer now; try again")
            }
        }
    }
}
