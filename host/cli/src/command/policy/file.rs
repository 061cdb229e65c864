use std::path::Path;

use cofferdam_server::policies::{Format, Policy, PolicyError, Source, invalid};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::input;

/// The policy of a file, or every mistake in it.
///
/// **Errors**: when there is no text: no such file, or none of a policy by its name.
pub(super) fn read(
    path: &Path,
    context: &Context,
) -> Result<std::result::Result<Policy, PolicyError>> {
    let text = input::document(path)?;
    let format = format(path)?;
    // As a host of this machine reads it, whose own files no mount may show.
    let reserved = [context.data_dir()];
    let source = Source {
        file: Some(path),
        format,
        workspaces: Path::new(""),
        reserved: &reserved,
    };
    Ok(Policy::parse(&text, &source))
}

/// The policy of a file that has to be one.
pub(super) fn policy(path: &Path, context: &Context) -> Result<Policy> {
    read(path, context)?.map_err(|error| refused(&error))
}

/// The format that a file's name says.
pub(super) fn format(path: &Path) -> Result<Format> {
    Format::of(path).map_err(|error| refused(&error))
}

/// A text that is not what it has to be.
pub(super) fn refused(error: &PolicyError) -> Error {
    invalid(error).into()
}
