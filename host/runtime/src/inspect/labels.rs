//! What a component says of itself in custom sections: its name, its version, the docs of its WIT.
//! None of it is needed to run the component, so what can't be read is taken as absent.

use serde_json::Value;
use wasmparser::{ComponentName, CustomSectionReader, KnownCustom};
use wit_parser::PackageMetadata;

/// Longest name or version that is read, in bytes; a tool's name has 64.
const LABEL_BYTES_MAX: usize = 256;
/// Most bytes of docs: some hundred pages.
const DOCS_BYTES_MAX: usize = 1 << 20;

/// What a component is called by its author.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// Its name, from the section `component-name`.
    pub name: Option<String>,
    /// Its version, from the section `version`.
    pub version: Option<String>,
    docs: Value,
}

impl Labels {
    /// Takes what a custom section of the outermost component has to say.
    pub(super) fn take(&mut self, section: &CustomSectionReader<'_>) {
        match (section.name(), section.as_known()) {
            (_, KnownCustom::ComponentName(names)) => {
                let own = names.into_iter().find_map(|name| match name {
                    Ok(ComponentName::Component { name, .. }) => Some(name),
                    _ => None,
                });
                self.name = own.and_then(label).or(self.name.take());
            }
            ("version", _) => {
                let text = std::str::from_utf8(section.data()).ok();
                self.version = text.and_then(label);
            }
            (PackageMetadata::SECTION_NAME, _) if section.data().len() <= DOCS_BYTES_MAX => {
                let docs = PackageMetadata::decode(section.data());
                self.docs = docs
                    .ok()
                    .and_then(|docs| serde_json::to_value(docs).ok())
                    .unwrap_or_default();
            }
            _ => {}
        }
    }

    /// The doc comment of a function: `add` of the world, or `docs:calc/ops@0.1.0#mul`.
    pub fn docs_of(&self, export: &str) -> Option<&str> {
        let Some((interface, function)) = export.split_once('#') else {
            return self.in_worlds(|world| {
                text(&world["func_exports"][export]).or_else(|| text(&world["funcs"][export]))
            });
        };
        let interface = interface
            .split_once('@')
            .map_or(interface, |(name, _)| name);
        let interface = interface
            .rsplit_once('/')
            .map_or(interface, |(_, name)| name);
        text(&self.docs["interfaces"][interface]["funcs"][function]).or_else(|| {
            self.in_worlds(|world| {
                text(&world["interface_exports"][interface]["funcs"][function])
                    .or_else(|| text(&world["interfaces"][interface]["funcs"][function]))
            })
        })
    }

    fn in_worlds<'a>(&'a self, find: impl Fn(&'a Value) -> Option<&'a str>) -> Option<&'a str> {
        self.docs["worlds"].as_object()?.values().find_map(find)
    }
}

fn label(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && text.len() <= LABEL_BYTES_MAX).then(|| text.to_owned())
}

/// The docs of an item of the metadata.
fn text(item: &Value) -> Option<&str> {
    item["docs"]
        .as_str()
        .map(str::trim)
        // Control characters are not shown, and alone they say nothing.
        .filter(|text| text.chars().any(|c| !c.is_control() && !c.is_whitespace()))
}
