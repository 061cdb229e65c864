use std::borrow::Cow;
use std::path::Path;

use wasm_encoder::{Component, ComponentSection, CustomSection};
use wit_parser::{PackageId, PackageMetadata, Resolve, WorldId, WorldItem};

use crate::error::Error;

/// An author's WIT: what a component of one of its worlds exports, and what the comments say.
/// Toolchains leave the comments out of the components they make.
///
/// Read on the author's machine; a host takes components alone.
pub struct Wit {
    resolve: Resolve,
    package: PackageId,
    world: WorldId,
}

impl Wit {
    /// Reads a `.wit` file or a folder of them with its `deps`. `world` may be left out where the
    /// package has one world.
    ///
    /// **Errors**: [`Error::Wit`] with the parser's words.
    pub fn read(path: &Path, world: Option<&str>) -> Result<Self, Error> {
        let fault =
            |error: &dyn std::fmt::Display| Error::Wit(format!("{}: {error}", path.display()));
        let mut resolve = Resolve::default();
        let (package, _) = resolve
            .push_path(path)
            .map_err(|error| fault(&format!("{error:#}")))?;
        let world = resolve
            .select_world(&[package], world)
            .map_err(|error| fault(&format!("{error:#}")))?;
        Ok(Self {
            resolve,
            package,
            world,
        })
    }

    /// The functions that the world exports: `add`, `docs:calc/ops@0.1.0#mul`.
    pub fn exports(&self) -> Vec<String> {
        let mut exports = Vec::new();
        for (key, item) in &self.resolve.worlds[self.world].exports {
            let name = self.resolve.name_world_key(key);
            match item {
                WorldItem::Function(_) => exports.push(name),
                WorldItem::Interface { id, .. } => {
                    let functions = self.resolve.interfaces[*id].functions.keys();
                    exports.extend(functions.map(|function| format!("{name}#{function}")));
                }
                WorldItem::Type { .. } => {}
            }
        }
        exports
    }

    /// The component with the comments of this WIT in its section `package-docs`, which stands last
    /// and so holds whatever the component brought along.
    ///
    /// **Errors**: [`Error::Component`] when `component` is none.
    pub fn document(&self, component: &[u8]) -> Result<Vec<u8>, Error> {
        if !component.starts_with(&Component::HEADER) {
            return Err(Error::Component("not a WebAssembly component".to_owned()));
        }
        let docs = PackageMetadata::extract(&self.resolve, self.package)
            .encode()
            .map_err(|error| Error::Wit(format!("{error:#}")))?;
        let section = CustomSection {
            name: Cow::Borrowed(PackageMetadata::SECTION_NAME),
            data: Cow::Borrowed(&docs),
        };
        let mut documented = component.to_vec();
        section.append_to_component(&mut documented);
        Ok(documented)
    }
}
