use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Where a permit or a refusal was written, so that whoever reads a denial can go there.
///
/// **Shape**: `policies/research.yaml:14 (fetch-docs)`, or `built-in (workspace)` for a rule that
/// stands in no file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The rule's own name.
    pub rule: Arc<str>,
    /// The file it stands in; absent for what is built in or came with a call.
    pub file: Option<Arc<PathBuf>>,
    /// Its line there, counted from 1; 0 without a file.
    pub line: u32,
}

impl Origin {
    /// Of a rule that stands in no file.
    pub fn builtin(rule: &str) -> Self {
        Self {
            rule: rule.into(),
            file: None,
            line: 0,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}:{} ({})", file.display(), self.line, self.rule),
            None => write!(f, "built-in ({})", self.rule),
        }
    }
}

/// A thing and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The thing.
    pub value: T,
    /// Where it was written.
    pub origin: Origin,
}
