//! The author's WIT, which a component alone does not hold.

use std::path::Path;

use cofferdam_server::Wit;
use cofferdam_server::types::Failure;

use crate::error::Result;

/// Reads a file or a folder of WIT.
///
/// **Errors**: `invalid_input` with the parser's words.
pub(crate) fn read(path: &Path, world: Option<&str>) -> Result<Wit> {
    Ok(Wit::read(path, world).map_err(Failure::from)?)
}
