//! Where the host's policy comes from, and how it comes into force.

mod file;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cofferdam_policy::{Format, Narrowing, Policy, PolicyError, Source};
use cofferdam_toolbox::{PolicySource, Toolbox};
use cofferdam_types::failure::Fault;
use cofferdam_types::{Code, Failure};
use serde_json::json;

pub(crate) use file::Unreadable;
use file::{State, Text};

use crate::data_dir::DataDir;

/// The policy of a host: that of a file, or the built-in one.
#[derive(Debug)]
pub(crate) struct Policies {
    /// The file that was named; a host with one never runs under the built-in policy.
    file: Option<PathBuf>,
    /// What the environment takes away.
    narrowing: Narrowing,
    workspaces: PathBuf,
    /// Directories of the host itself, which no mount may show.
    reserved: Vec<PathBuf>,
    /// The file as it was when it was last read, whatever came of it.
    seen: Mutex<Option<State>>,
}

impl Policies {
    /// The policy of `file`, else of the file that the environment names, else the built-in one.
    pub(crate) fn new(file: Option<PathBuf>, narrowing: Narrowing, dir: &DataDir) -> Self {
        let named = narrowing
            .policy_file
            .as_ref()
            .map(|file| file.value.clone());
        Self {
            file: file.or(named),
            narrowing,
            workspaces: dir.workspaces(),
            reserved: vec![dir.path().to_owned()],
            seen: Mutex::default(),
        }
    }

    /// Follows the file until the future is dropped: each of its changes is put in force, or
    /// refused loudly while the last good policy stays.
    pub(crate) async fn follow(self: Arc<Self>, toolbox: Toolbox) {
        let Some(file) = &self.file else { return };
        loop {
            let seen = *self.seen();
            let changed = watch::changed(file, seen).await;
            *self.seen() = changed;
            match self.load() {
                Ok(policy) => {
                    toolbox.reload_policy_to(policy).await;
                }
                Err(failure) => toolbox.refuse_policy(failure).await,
            }
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Option<State>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn source(&self, format: Format) -> Source<'_> {
        Source {
            file: self.file.as_deref(),
            format,
            workspaces: &self.workspaces,
            reserved: &self.reserved,
        }
    }
}

impl PolicySource for Policies {
    fn load(&self) -> Result<Policy, Failure> {
        let policy = match &self.file {
            None => Policy::builtin(&self.workspaces),
            Some(path) => {
                let text = Text::read(path).map_err(|error| unreadable(path, &error))?;
                *self.seen() = Some(text.state);
                let policy = Format::of(path)
                    .and_then(|format| Policy::parse(&text.bytes, &self.source(format)))
                    .map_err(|error| invalid(&error))?;
                // A directory that is missing now would be a denial of each call later.
                cofferdam_runtime::check_mounts(policy.mounts(), &self.reserved)
                    .map_err(|fault| unmountable(path, &fault))?;
                policy
            }
        };
        Ok(policy.narrowed(self.narrowing.clone()))
    }

    fn parse(&self, text: &[u8], format: Format) -> Result<Policy, PolicyError> {
        let policy = Policy::parse(text, &self.source(format))?;
        Ok(policy.narrowed(self.narrowing.clone()))
    }
}

fn unreadable(path: &Path, error: &Unreadable) -> Failure {
    let path = path.display();
    let code = match error {
        Unreadable::Changed => Code::Unavailable,
        _ => Code::InvalidInput,
    };
    Failure::new(code, format!("the policy {path} can't be used: {error}"))
}

fn unmountable(path: &Path, fault: &cofferdam_policy::Fault) -> Failure {
    let text = format!(
        "the policy {} can't be used: mounts{}: {}",
        path.display(),
        fault.pointer,
        fault.reason
    );
    Failure::new(Code::InvalidInput, text)
}

/// The mistakes of a policy, each as a fault with its line and column.
pub(crate) fn invalid(error: &PolicyError) -> Failure {
    let faults: Vec<Fault> = error
        .mistakes()
        .iter()
        .map(|mistake| Fault {
            pointer: format!("{}:{}", mistake.place.line, mistake.place.column),
            reason: mistake.reason.clone(),
        })
        .collect();
    Failure::new(Code::InvalidInput, error.to_string()).with("faults", json!(faults))
}
