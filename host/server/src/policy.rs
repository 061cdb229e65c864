//! Where the host's policy comes from, and how it comes into force.

mod file;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cofferdam_policy::{Fault as PolicyFault, Format, Narrowing, Policy, PolicyError, Source};
use cofferdam_runtime::check_mounts;
use cofferdam_toolbox::{PolicySource, Toolbox};
use cofferdam_types::failure::Fault;
use cofferdam_types::{Ambient, Code, Failure};
use cofferdam_wire::policy::PolicyCheck;
use serde_json::json;

pub(crate) use file::Unreadable;
use file::{State, Text};

use crate::ambient::System;
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
    /// Whether a call may bring any directory, as one of the person at the command line may.
    any_directory: bool,
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
            reserved: reserved(dir.path()),
            any_directory: false,
            seen: Mutex::default(),
        }
    }

    /// The same for one-shot calls, whose workspaces have no names.
    pub(crate) fn one_shot(file: Option<PathBuf>, narrowing: Narrowing) -> Self {
        let named = narrowing.policy_file.as_ref();
        Self {
            file: file.or_else(|| named.map(|file| file.value.clone())),
            narrowing,
            workspaces: PathBuf::new(),
            reserved: Vec::new(),
            any_directory: true,
            seen: Mutex::default(),
        }
    }

    fn completed(&self, policy: &Policy) -> Policy {
        let policy = policy.narrowed(self.narrowing.clone());
        if self.any_directory {
            policy.with_any_directory()
        } else {
            policy
        }
    }

    /// Follows the file until the future is dropped: each of its changes is put in force, or
    /// refused loudly while the last good policy stays.
    pub(crate) async fn follow(self: Arc<Self>, toolbox: Toolbox) {
        let Some(file) = &self.file else { return };
        loop {
            let seen = *self.seen();
            let changed = watch::changed(file, seen).await;
            if std::mem::replace(&mut *self.seen(), changed) == changed {
                // It was read meanwhile, because somebody asked.
                continue;
            }
            toolbox.follow_policy().await;
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Option<State>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a text, and looks at the directories that it names.
    fn read(&self, text: &[u8], format: Format) -> Result<Policy, PolicyError> {
        let source = self.source(format);
        let policy = Policy::parse(text, &source)?;
        check_mounts(policy.mounts(), &self.reserved).map_err(|fault| {
            let pointer = format!("/mounts{}", fault.pointer);
            PolicyError::found(text, &source, PolicyFault::at(pointer, fault.reason))
        })?;
        Ok(policy)
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
                let format = Format::of(path).map_err(|error| invalid(&error))?;
                let policy = self.read(&text.bytes, format);
                let policy = policy.map_err(|error| invalid(&error))?;
                // Its mistakes say more, where it has any.
                text.is_whole(format)
                    .map_err(|error| unreadable(path, &error))?;
                policy
            }
        };
        Ok(self.completed(&policy))
    }

    fn parse(&self, text: &[u8], format: Format) -> Result<Policy, PolicyError> {
        let policy = self.read(text, format)?;
        Ok(self.completed(&policy))
    }
}

/// A directory as it was named and as it really is.
fn reserved(directory: &Path) -> Vec<PathBuf> {
    let resolved = directory.canonicalize().ok();
    std::iter::once(directory.to_owned())
        .chain(resolved)
        .collect()
}

fn unreadable(path: &Path, error: &Unreadable) -> Failure {
    let path = path.display();
    let code = match error {
        Unreadable::Changed => Code::Unavailable,
        _ => Code::InvalidInput,
    };
    Failure::new(code, format!("the policy {path} can't be used: {error}"))
}

/// What there is to say about a policy's text as it is now, mistakes and warnings.
pub fn policy_check(parsed: Result<&Policy, &PolicyError>) -> PolicyCheck {
    cofferdam_http::policy_check(parsed, System.now())
}

/// Why a host would not read its policy from this file, whatever stands in it: because others may
/// write it, for example.
pub fn refusal(path: &Path) -> Option<String> {
    let read = Text::read(path).and_then(|text| match Format::of(path) {
        Ok(format) => text.is_whole(format),
        // Whoever asks knows already.
        Err(_) => Ok(()),
    });
    read.err().map(|error| error.to_string())
}

/// What a policy names that isn't on this machine: where it stands, and what is wrong. A host refuses a
/// policy for a directory, and a start of a program that isn't there.
pub fn missing(policy: &Policy, data_dir: &Path) -> Vec<(String, String)> {
    let mounts = check_mounts(policy.mounts(), &reserved(data_dir)).err();
    let mounts = mounts.map(|fault| (format!("mounts{}", fault.pointer), fault.reason));
    let programs = policy.programs().iter().filter_map(|(name, program)| {
        let path = program.path();
        let why = format!("{} is no file of this machine", path.display());
        (!path.is_file()).then(|| (format!("programs/{name}"), why))
    });
    mounts.into_iter().chain(programs).collect()
}

/// The mistakes of a policy, each as a fault with its line and column.
pub fn invalid(error: &PolicyError) -> Failure {
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
