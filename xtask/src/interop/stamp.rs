//! Whether what is there was made from what is here.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;

use anyhow::{Context, Result};

/// What Python leaves beside its sources.
const BYPRODUCT: &str = "__pycache__";

/// Everything that decides what an output will be.
pub(super) struct Inputs(DefaultHasher);

impl Inputs {
    pub(super) fn new() -> Self {
        Self(DefaultHasher::new())
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// A file's content, or that of all files below a folder with their names.
    pub(super) fn path(&mut self, path: &Path) -> Result<()> {
        if !path.is_dir() {
            let content = fs::read(path).with_context(|| path.display().to_string())?;
            self.bytes(&content);
            return Ok(());
        }
        let entries = fs::read_dir(path).with_context(|| path.display().to_string())?;
        let mut names = entries
            .map(|entry| Ok(entry?.file_name()))
            .collect::<Result<Vec<_>>>()?;
        names.retain(|name| name != BYPRODUCT);
        names.sort();
        for name in names {
            self.text(&name.to_string_lossy());
            self.path(&path.join(name))?;
        }
        Ok(())
    }

    /// Calls `make` unless `output` is there and was made from the same inputs. A failed or
    /// interrupted `make` leaves no stamp, so the next time it is tried again.
    pub(super) fn unless_made(
        self,
        output: &Path,
        make: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let stamp = output.with_extension("stamp");
        let inputs = format!("{:016x}", self.0.finish());
        if output.exists() && fs::read_to_string(&stamp).is_ok_and(|made| made == inputs) {
            return Ok(());
        }
        if stamp.exists() {
            fs::remove_file(&stamp).with_context(|| stamp.display().to_string())?;
        }
        make()?;
        fs::write(&stamp, inputs).with_context(|| stamp.display().to_string())
    }

    /// With its length, so that two inputs never read like one.
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.write_usize(bytes.len());
        self.0.write(bytes);
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    /// How often the output is made when it is asked for once with each of `texts`.
    fn made(output: &Path, texts: &[&str]) -> usize {
        let mut times = 0;
        for text in texts {
            let mut inputs = Inputs::new();
            inputs.text(text);
            let make = || {
                times += 1;
                fs::write(output, text).context("writing")
            };
            inputs.unless_made(output, make).unwrap();
        }
        times
    }

    #[test]
    fn made_again_only_for_other_inputs() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("it.wasm");
        assert_eq!(made(&output, &["a", "a", "b", "b", "a"]), 3);
        fs::remove_file(&output).unwrap();
        assert_eq!(made(&output, &["a"]), 1, "the output was gone");
    }

    #[test]
    fn a_failure_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("it.wasm");
        assert_eq!(made(&output, &["a"]), 1);
        let failed = Inputs::new().unless_made(&output, || bail!("no"));
        assert!(failed.is_err());
        assert_eq!(made(&output, &["a"]), 1);
    }

    #[test]
    fn names_and_contents_of_a_folder_count() {
        let folder = tempfile::tempdir().unwrap();
        let inputs = || {
            let mut inputs = Inputs::new();
            inputs.path(folder.path()).unwrap();
            inputs.0.finish()
        };
        fs::create_dir(folder.path().join("sub")).unwrap();
        let empty = inputs();
        fs::write(folder.path().join("sub/a"), "1").unwrap();
        let one = inputs();
        fs::rename(folder.path().join("sub/a"), folder.path().join("sub/b")).unwrap();
        let renamed = inputs();
        assert_ne!(empty, one);
        assert_ne!(one, renamed);
    }
}
