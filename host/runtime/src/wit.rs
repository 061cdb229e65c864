use std::borrow::Cow;
use std::path::Path;

use wasm_encoder::{Component, ComponentSection, CustomSection};
use wasmparser::BinaryReader;
use wit_parser::{PackageId, PackageMetadata, Resolve, WorldId, WorldItem};

use crate::error::Error;
use crate::inspect::{Kind, inspect};

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

    /// The component with the comments of this WIT in its section `package-docs`, in place of what it
    /// had there.
    ///
    /// **Errors**: [`Error::Component`] when `component` is none, or exports nothing of this WIT.
    pub fn document(&self, component: &[u8]) -> Result<Vec<u8>, Error> {
        let found = inspect(component)?;
        let exported = self.exports();
        let mut own = exported.iter().map(|export| {
            export
                .split_once('#')
                .map_or(export.as_str(), |(interface, _)| interface)
        });
        if found.kind == Kind::Sdk || !own.any(|name| found.exports.iter().any(|had| had == name)) {
            return Err(Error::Component(
                "it exports nothing of this WIT, so there is nothing to document".to_owned(),
            ));
        }
        let docs = PackageMetadata::extract(&self.resolve, self.package)
            .encode()
            .map_err(|error| Error::Wit(format!("{error:#}")))?;
        let section = CustomSection {
            name: Cow::Borrowed(PackageMetadata::SECTION_NAME),
            data: Cow::Borrowed(&docs),
        };
        let mut documented = without_docs(component)?;
        section.append_to_component(&mut documented);
        Ok(documented)
    }
}

/// The component without its own section of docs; those of components inside it stay.
fn without_docs(component: &[u8]) -> Result<Vec<u8>, Error> {
    let broken = |error| Error::Component(format!("not a valid component: {error}"));
    let header = Component::HEADER.len();
    let mut kept = component[..header].to_vec();
    let mut reader = BinaryReader::new(component, 0);
    reader.read_bytes(header).map_err(broken)?;
    while !reader.eof() {
        let start = reader.original_position();
        let id = reader.read_u8().map_err(broken)?;
        let size = reader.read_var_u32().map_err(broken)?;
        let body = reader.read_bytes(size as usize).map_err(broken)?;
        let is_docs = id == 0
            && BinaryReader::new(body, 0)
                .read_string()
                .is_ok_and(|name| name == PackageMetadata::SECTION_NAME);
        if !is_docs {
            kept.extend_from_slice(&component[start..reader.original_position()]);
        }
    }
    Ok(kept)
}
