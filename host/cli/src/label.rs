//! What whoever brings a component says about it.

use std::path::{Path, PathBuf};

use clap::Args;
use cofferdam_server::Labels;
use cofferdam_server::types::{ComponentName, Version};

use crate::client::Request;
use crate::error::Result;
use crate::wit;

/// What a component of another toolchain doesn't say about itself. One made with the SDK says all
/// of it.
#[derive(Args, Clone, Default)]
pub(crate) struct Said {
    /// The component's name [default: its own, else its package's, else the file's]
    #[arg(long, value_name = "NAME")]
    name: Option<ComponentName>,
    /// The component's version [default: its own, else its package's, else 0.1.0]
    #[arg(long, value_name = "VERSION")]
    version: Option<Version>,
    /// A function that becomes a tool; several are welcome [default: all that it exports]
    #[arg(long = "export", value_name = "FUNCTION")]
    exports: Vec<String>,
    /// The author's WIT, a file or a folder: what its world exports becomes tools
    #[arg(long, value_name = "PATH", conflicts_with = "exports")]
    wit: Option<PathBuf>,
    /// Which world of the WIT [default: its only one]
    #[arg(long, value_name = "WORLD", requires = "wit")]
    world: Option<String>,
}

impl Said {
    /// True when nothing was said.
    pub(crate) fn is_nothing(&self) -> bool {
        self.name.is_none()
            && self.version.is_none()
            && self.exports.is_empty()
            && self.wit.is_none()
    }

    /// Of the component in this file.
    ///
    /// **Errors**: `invalid_input` for a WIT that can't be read.
    pub(crate) fn of(&self, file: &Path) -> Result<Labels> {
        let exports = match &self.wit {
            Some(wit) => wit::read(wit, self.world.as_deref())?.exports(),
            None => self.exports.clone(),
        };
        Ok(Labels {
            name: self.name.clone(),
            version: self.version.clone(),
            exports,
            fallback_name: name_of(file),
        })
    }
}

/// A request that adds a component of these labels.
pub(crate) fn with<'a>(labels: &Labels, request: Request<'a>) -> Request<'a> {
    let request = request
        .with("name", labels.name.as_ref())
        .with("version", labels.version.as_ref())
        .with("fallback_name", labels.fallback_name.as_ref());
    let exports = labels.exports.iter();
    exports.fold(request, |request, export| {
        request.with("export", Some(export))
    })
}

/// The name of a file as a component's: `My_Tool 2.wasm` is `my-tool-2`. Nothing, where no name
/// comes of it.
fn name_of(file: &Path) -> Option<ComponentName> {
    let stem = file.file_stem()?.to_str()?.to_ascii_lowercase();
    let words = stem.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_its_name() {
        for (file, name) in [
            ("calc.wasm", Some("calc")),
            ("/a/b/My_Tool 2.wasm", Some("my-tool-2")),
            ("word--count_.component.wasm", Some("word-count-component")),
            ("2d.wasm", None),
            ("ä.wasm", None),
            ("/", None),
        ] {
            let found = name_of(Path::new(file));
            assert_eq!(found.as_ref().map(ComponentName::as_str), name, "{file}");
        }
    }
}
