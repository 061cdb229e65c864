//! Changing one file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cofferdam_sdk::{ToolError, data, tool};

use crate::workspace::{Place, Workspace, may_be_directory};

/// One write carries no more; a request body may not be larger either.
const TEXT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Names tried for the temporary file. More leftovers than this beside one file mean that
/// something else is wrong there.
const TEMPORARY_NAMES: u32 = 64;

/// What happens when the file exists.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// Fail with `already_exists`.
    Create,
    /// Replace the contents as a whole: readers see the old or the new text, never a mixture.
    Overwrite,
    /// Add the text at the end.
    Append,
}

/// What a write did.
#[data(output)]
#[derive(Debug)]
pub(crate) struct Written {
    /// Path relative to the workspace, cleaned.
    pub(crate) path: String,
    /// Bytes of text written.
    pub(crate) bytes: u64,
    /// True when the file did not exist before.
    pub(crate) created: bool,
}

/// Writes text to a file of the workspace: creates it, replaces its contents or appends to it.
///
/// By default it only creates, and fails with `already_exists` rather than lose anything; say
/// `mode: "overwrite"` or `mode: "append"` to change a file. Text is written as UTF-8, exactly as
/// given: end it with a newline. A symbolic link that is overwritten is replaced, not followed.
/// Errors: `already_exists`, `file_not_found` (the directory is missing: use `create_dirs`),
/// `not_a_file`, `permission_denied` (the workspace is read-only), `too_large`, `invalid_path`.
#[tool(
    destructive,
    tags("file"),
    capabilities(workspace(read_write)),
    example(
        title = "A new file in a new directory",
        arguments = r##"{"path": "reports/one.md", "text": "# One\n", "create_dirs": true}"##,
        result = r#"{"path": "reports/one.md", "bytes": 6, "created": true}"#
    ),
    example(
        title = "Replace what is there",
        arguments = r##"{"path": "docs/guide.md", "text": "# Guide\n", "mode": "overwrite"}"##,
        result = r#"{"path": "docs/guide.md", "bytes": 8, "created": false}"#
    )
)]
pub(crate) fn write(
    /// File to write, relative to the workspace.
    path: String,
    /// The text to write.
    text: String,
    /// What happens when the file exists.
    #[default(Mode::Create)]
    mode: Mode,
    /// Also create missing directories above the file.
    #[default(false)]
    create_dirs: bool,
) -> Result<Written, ToolError> {
    let place = Workspace::open()?.place(&path)?;
    if place.name.is_empty() {
        return Err(ToolError::new(
            "not_a_file",
            "the workspace itself is a directory",
        ));
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err(ToolError::new(
            "too_large",
            format!(
                "the text has {} bytes and one write takes {TEXT_BYTES_MAX}; write the first part \
                 and append the rest",
                text.len()
            ),
        ));
    }
    let parent = place.full.parent().unwrap_or(Path::new("/"));
    if create_dirs {
        fs::create_dir_all(parent).map_err(|error| match error.kind() {
            // What exists already can only be something else than a directory.
            io::ErrorKind::AlreadyExists => place.refused(&io::ErrorKind::NotADirectory.into()),
            _ => place.refused(&error),
        })?;
    } else if !may_be_directory(parent) {
        return Err(ToolError::new(
            "file_not_found",
            format!(
                "the directory of {} does not exist; set create_dirs",
                place.name
            ),
        ));
    }
    let created = match mode {
        Mode::Create => create(&place, &text).map(|()| true),
        Mode::Overwrite => overwrite(&place, &text),
        Mode::Append => append(&place, &text),
    }?;
    Ok(Written {
        path: place.name,
        bytes: text.len() as u64,
        created,
    })
}

fn create(place: &Place, text: &str) -> Result<(), ToolError> {
    if place.full.is_dir() {
        return Err(directory(place));
    }
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&place.full);
    let file = file.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => ToolError::new(
            "already_exists",
            format!(
                "{} exists already; say mode \"overwrite\" or \"append\"",
                place.name
            ),
        ),
        _ => place.refused(&error),
    })?;
    if let Err(error) = fill(file, text) {
        // Half a file under the asked name would look like a finished one.
        remove(&place.full);
        return Err(place.refused(&error));
    }
    Ok(())
}

fn append(place: &Place, text: &str) -> Result<bool, ToolError> {
    if place.full.is_dir() {
        return Err(directory(place));
    }
    let created = !place.full.exists();
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(&place.full);
    file.and_then(|file| fill(file, text))
        .map_err(|error| place.refused(&error))?;
    Ok(created)
}

fn overwrite(place: &Place, text: &str) -> Result<bool, ToolError> {
    let before = fs::symlink_metadata(&place.full);
    if before.as_ref().is_ok_and(fs::Metadata::is_dir) {
        return Err(directory(place));
    }
    let (file, temporary) = beside(&place.full).map_err(|error| place.refused(&error))?;
    let renamed = fill(file, text).and_then(|()| fs::rename(&temporary, &place.full));
    if let Err(error) = renamed {
        remove(&temporary);
        return Err(place.refused(&error));
    }
    Ok(before.is_err())
}

/// A new hidden file in the directory of `target`. The name is not random: the tool has no
/// randomness and needs none, since creating fails where the name is taken.
fn beside(target: &Path) -> io::Result<(File, PathBuf)> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let mut attempt = 0;
    loop {
        let temporary = target.with_file_name(format!(".{name}.{attempt}.partial"));
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
        {
            Ok(file) => return Ok((file, temporary)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                attempt += 1;
                if attempt == TEMPORARY_NAMES {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Writes the text and has it on the disk before the caller reports success.
fn fill(mut file: File, text: &str) -> io::Result<()> {
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

fn remove(path: &Path) {
    // The caller is already answered with the first failure, which says more than this one.
    drop(fs::remove_file(path));
}

fn directory(place: &Place) -> ToolError {
    ToolError::new("not_a_file", format!("{} is a directory", place.name))
}
