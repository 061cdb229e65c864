use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use cofferdam_server::types::{Digest, Failure};
use serde_json::json;

use crate::context::Context;
use crate::error::{self, Exit, Result};
use crate::view;
use crate::{input, wit};

/// Put the comments of the author's WIT into a component
///
/// Toolchains leave them out; in the component they are the descriptions that models read.
#[derive(Args)]
pub(crate) struct Docs {
    /// The component
    #[arg(value_name = "FILE.wasm")]
    file: PathBuf,
    /// The WIT, a file or a folder
    #[arg(long, value_name = "PATH")]
    wit: PathBuf,
    /// Which world of the WIT [default: its only one]
    #[arg(long, value_name = "WORLD")]
    world: Option<String>,
    /// Where to write the result [default: the component itself]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Docs {
    pub(super) fn run(self, context: &Context) -> Result<Exit> {
        let wit = wit::read(&self.wit, self.world.as_deref())?;
        let component = input::component(&self.file)?;
        let documented = wit.document(&component).map_err(Failure::from)?;
        let target = self.output.as_ref().unwrap_or(&self.file);
        replace(target, &documented)?;
        let (digest, output) = (Digest::of(&documented), context.output);
        if output.is_json() {
            output.json(&json!({"file": target, "bytes": documented.len(), "digest": digest}))?;
        } else {
            let size = view::bytes(documented.len() as u64);
            output.text(format!("{}  {size}  {digest}", target.display()))?;
        }
        Ok(Exit::Done)
    }
}

/// Writes a file that is there before or after, never half.
fn replace(target: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error: &std::io::Error| error::file("write", target, error);
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let part = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed(&error))?;
    fs::write(part.path(), bytes).map_err(|error| failed(&error))?;
    part.persist(target).map_err(|error| failed(&error.error))?;
    Ok(())
}
