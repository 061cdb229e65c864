//! The one directory that a call may see, and the names of what lies in it.
//!
//! The sandbox refuses whatever leads out of the workspace. The checks here come first because
//! their messages say what to write instead.

use std::io;
use std::path::{Path, PathBuf};

use cofferdam_sdk::ToolError;

/// Where the host puts the workspace of a call.
#[cfg(target_family = "wasm")]
const MOUNT: &str = "/workspace";

/// The workspace of the current call.
pub(crate) struct Workspace {
    root: PathBuf,
}

/// A checked place in the workspace.
pub(crate) struct Place {
    /// The name relative to the workspace with single slashes and without `.`; empty for the
    /// workspace itself.
    pub(crate) name: String,
    /// What the operating system is asked for.
    pub(crate) full: PathBuf,
}

impl Workspace {
    /// The directory that the host has given to this call.
    ///
    /// **Errors**: `no_workspace` when the call has none.
    pub(crate) fn open() -> Result<Self, ToolError> {
        match root() {
            Some(root) if may_be_directory(&root) => Ok(Self { root }),
            _ => Err(ToolError::new(
                "no_workspace",
                "this call has no workspace; ask for one when calling the tool \
                 (on the command line: --workspace DIR)",
            )),
        }
    }

    /// Checks a caller's path and finds its place. An empty path and `.` are the workspace itself.
    ///
    /// **Errors**: `invalid_path` for an absolute path, for `..` and for a NUL character.
    pub(crate) fn place(&self, path: &str) -> Result<Place, ToolError> {
        let invalid = |why: &str| {
            Err(ToolError::new(
                "invalid_path",
                format!("path {path:?} {why}"),
            ))
        };
        if path.contains('\0') {
            return invalid("contains a NUL character");
        }
        if path.starts_with('/') {
            return invalid(
                "is absolute; write it relative to the workspace, like \"src/main.rs\"",
            );
        }
        let mut name = String::with_capacity(path.len());
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    return invalid(
                        "contains \"..\"; nothing outside the workspace can be reached",
                    );
                }
                part => {
                    if !name.is_empty() {
                        name.push('/');
                    }
                    name.push_str(part);
                }
            }
        }
        let full = if name.is_empty() {
            self.root.clone()
        } else {
            self.root.join(&name)
        };
        Ok(Place { name, full })
    }
}

impl Place {
    /// The name for messages.
    pub(crate) fn shown(&self) -> &str {
        if self.name.is_empty() {
            "."
        } else {
            &self.name
        }
    }

    /// Says in the tool's words why the operating system refused this place.
    pub(crate) fn refused(&self, error: &io::Error) -> ToolError {
        refused(self.shown(), error)
    }
}

/// Whether this is a directory, or may be one: of what the call may not look at, only using it tells.
pub(crate) fn may_be_directory(path: &Path) -> bool {
    match path.metadata() {
        Ok(found) => found.is_dir(),
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    }
}

/// Says in the tool's words why the operating system refused `name`.
fn refused(name: &str, error: &io::Error) -> ToolError {
    use io::ErrorKind as Kind;
    let (code, why) = match error.kind() {
        Kind::NotFound => ("file_not_found", "does not exist in the workspace"),
        Kind::IsADirectory => ("not_a_file", "is a directory"),
        Kind::NotADirectory => ("not_a_directory", "has a part that is not a directory"),
        Kind::AlreadyExists => ("already_exists", "exists already"),
        Kind::PermissionDenied => (
            "permission_denied",
            "may not be used so; it is closed to this call or leads outside",
        ),
        Kind::ReadOnlyFilesystem => (
            "permission_denied",
            "cannot be changed: the workspace is read-only for this call",
        ),
        Kind::InvalidFilename | Kind::InvalidInput => ("invalid_path", "is not a usable file name"),
        Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => {
            ("too_large", "does not fit on the disk")
        }
        _ => {
            return ToolError::new("io_error", format!("{name}: {error}")).retryable();
        }
    };
    ToolError::new(code, format!("{name} {why}"))
}

#[cfg(target_family = "wasm")]
#[expect(
    clippy::unnecessary_wraps,
    reason = "off the sandbox there may be no root"
)]
fn root() -> Option<PathBuf> {
    Some(PathBuf::from(MOUNT))
}

#[cfg(not(target_family = "wasm"))]
thread_local! {
    static ROOT: std::cell::RefCell<Option<PathBuf>> = const { std::cell::RefCell::new(None) };
}

#[cfg(not(target_family = "wasm"))]
fn root() -> Option<PathBuf> {
    ROOT.with_borrow(Clone::clone)
}

/// Makes `root` the workspace of the calls that this thread makes. Only off the sandbox, for tests.
#[cfg(not(target_family = "wasm"))]
pub fn mount(root: impl Into<PathBuf>) {
    ROOT.set(Some(root.into()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(root: &str) -> Workspace {
        Workspace {
            root: PathBuf::from(root),
        }
    }

    #[test]
    fn paths_are_cleaned() {
        for (path, name) in [
            ("", ""),
            (".", ""),
            ("./", ""),
            ("a", "a"),
            ("./a//b/./c/", "a/b/c"),
            ("a..b/..c", "a..b/..c"),
            ("zwei Wörter", "zwei Wörter"),
        ] {
            let place = at("/w").place(path).expect(path);
            assert_eq!(place.name, name, "{path:?}");
            assert!(place.full.starts_with("/w"), "{path:?}");
        }
    }

    #[test]
    fn paths_that_lead_out_are_refused() {
        for path in [
            "/",
            "/etc/passwd",
            "..",
            "../x",
            "a/../b",
            "a/..",
            "a\0b",
            "//x",
        ] {
            let error = at("/w").place(path).err().expect(path);
            assert_eq!(error.code, "invalid_path", "{path:?}");
        }
    }

    #[test]
    fn a_call_without_a_workspace_says_so() {
        assert_eq!(
            Workspace::open().err().expect("no mount").code,
            "no_workspace"
        );
        mount("/nonexistent-workspace");
        assert_eq!(
            Workspace::open().err().expect("no directory").code,
            "no_workspace"
        );
    }
}
