//! The project of a tool, in the current directory.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{self, Result, usage};
use crate::input;

/// The part of `Cargo.toml` that matters here.
#[derive(Deserialize)]
struct Manifest {
    package: Option<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
}

/// A directory with the `Cargo.toml` of a package.
#[derive(Debug, PartialEq)]
pub(crate) struct Project {
    /// Absolute, without links: as cargo speaks of it.
    pub(crate) root: PathBuf,
    /// The package's name.
    pub(crate) name: String,
}

impl Project {
    /// The project of the current directory.
    ///
    /// **Errors**: `invalid_input` when there is none.
    pub(crate) fn here() -> Result<Self> {
        Self::at(Path::new("."))
    }

    fn at(root: &Path) -> Result<Self> {
        let path = root.join("Cargo.toml");
        if !path.is_file() {
            return Err(usage(
                "there is no Cargo.toml here: go to the project of the tool, or make one with \
                 `cofferdam tool new NAME`",
            ));
        }
        let text = input::document(&path)?;
        let manifest: Manifest = toml::from_slice(&text)
            .map_err(|error| usage(format!("Cargo.toml: {}", error.message())))?;
        let Some(package) = manifest.package else {
            let rule = "Cargo.toml has no [package]: go to the folder of the tool's own package";
            return Err(usage(rule));
        };
        Ok(Self {
            root: root
                .canonicalize()
                .map_err(|error| error::file("find", root, &error))?,
            name: package.name,
        })
    }

    /// Where `tool build` puts the component, relative to the project.
    pub(crate) fn component(&self) -> PathBuf {
        Path::new("target").join(format!("{}.wasm", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn a_project_is_known_by_its_manifest() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |text: &str| std::fs::write(folder.path().join("Cargo.toml"), text);
        let says = |part: &str| match Project::at(folder.path()) {
            Err(Error::Failure(failure)) => assert!(failure.message.contains(part), "{failure}"),
            other => panic!("{other:?}"),
        };
        says("there is no Cargo.toml here");
        write("[workspace]\n").expect("a file");
        says("no [package]");
        write("[package\n").expect("a file");
        says("Cargo.toml: ");
        write("[package]\nname = \"a-b\"\n").expect("a file");
        let project = Project::at(folder.path()).expect("a project");
        assert_eq!(project.component(), Path::new("target/a-b.wasm"));
    }
}
