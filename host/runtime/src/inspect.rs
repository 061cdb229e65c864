//! What is in a file, before the compiler sees it: cheap, bounded, and it runs nothing.

use wasmparser::{Encoding, FuncValidatorAllocations, Parser, Payload, ValidPayload, Validator};

use crate::error::{Error, Limit};
use crate::features;

mod interfaces;
mod labels;

pub(crate) use interfaces::is_sdk;
pub use labels::Labels;

/// Deepest nesting of components and modules; composed components nest three or four deep.
const NESTING_MAX: usize = 32;
/// Most core functions. An interpreter of 18 MB has some 30,000.
const FUNCTIONS_MAX: u64 = 200_000;
/// Most types, imports, exports, instances and other items together.
const ITEMS_MAX: u64 = 200_000;
/// Most functions that it exports, of which at most 256 can be tools.
const EXPORTED_MAX: usize = 1_000;
/// Most bytes of custom sections: names and producers, of no use to the host.
const CUSTOM_BYTES_MAX: u64 = 16 << 20;
/// Longest name of an import, an export or an exported function in bytes: each is shown, and stands
/// in every message about it.
const NAME_BYTES_MAX: usize = 200;

/// The two ways in which a component offers tools.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// It exports `cofferdam:tool/tools` and describes its tools itself.
    Sdk,
    /// It exports functions with WIT types; each that can be called is a tool.
    #[default]
    Plain,
}

/// What a component asks for and offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// How it offers tools.
    pub kind: Kind,
    /// The interfaces it imports, in its order, without those that only lend it types.
    pub imports: Vec<String>,
    /// What it exports, in its order.
    pub exports: Vec<String>,
    /// Core functions in it.
    pub functions: u64,
    /// What it is called.
    pub labels: Labels,
}

/// Reads and validates a component, and refuses what this host could not run.
///
/// **Errors**: [`Error::Component`] with the cause; [`Error::Limit`] for too many of something.
/// **Limits**: the caller bounds the size of `bytes`; time and memory are linear in it.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, Error> {
    check_kind(bytes)?;
    let mut pass = Pass::default();
    let mut validator = Validator::new_with_features(features::validated());
    let mut scratch = FuncValidatorAllocations::default();
    let mut outermost = None;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(invalid)?;
        pass.count(&payload)?;
        match validator.payload(&payload).map_err(invalid)? {
            ValidPayload::Func(function, body) => {
                let mut function = function.into_validator(scratch);
                function.validate(&body).map_err(invalid)?;
                scratch = function.into_allocations();
            }
            // The last one is that of the whole file.
            ValidPayload::End(types) => outermost = Some(types),
            ValidPayload::Ok | ValidPayload::Parser(_) => {}
        }
    }
    if let Some(types) = outermost {
        pass.imports
            .retain(|import| !interfaces::is_types_alone(&types, import));
        if interfaces::functions(&types, &pass.found.exports)? > EXPORTED_MAX {
            return Err(Error::Component(format!(
                "it exports more than {EXPORTED_MAX} functions"
            )));
        }
    }
    let Pass {
        mut found, imports, ..
    } = pass;
    found.imports = imports;
    found.kind = interfaces::check(&found)?;
    Ok(found)
}

fn invalid(error: impl std::fmt::Display) -> Error {
    Error::Component(format!("not a valid component: {error}"))
}

/// Tells the files that people take for components from components.
fn check_kind(bytes: &[u8]) -> Result<(), Error> {
    let refuse = |what: &str| Err(Error::Component(what.to_owned()));
    match bytes {
        [] => refuse("the file is empty"),
        [0x7f, b'E', b'L', b'F', ..] => {
            refuse("a native or precompiled file; this host compiles components itself")
        }
        [0x1f, 0x8b, ..] => refuse("a gzip archive; unpack it first"),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => {
            refuse("a core module, not a component; build for the target wasm32-wasip2")
        }
        [0, b'a', b's', b'm', ..] => Ok(()),
        _ => refuse("not a WebAssembly file"),
    }
}

/// Counts items against their limits and notes the outermost interfaces.
#[derive(Default)]
struct Pass {
    found: Inspection,
    imports: Vec<String>,
    depth: usize,
    items: u64,
    custom_bytes: u64,
}

impl Pass {
    fn count(&mut self, payload: &Payload<'_>) -> Result<(), Error> {
        match payload {
            Payload::Version { encoding, .. } => {
                self.depth += 1;
                if self.depth == 1 && *encoding == Encoding::Module {
                    return check_kind(b"\0asm\x01\0\0\0");
                }
                within(self.depth as u64, NESTING_MAX as u64, "levels of nesting")?;
            }
            Payload::End(_) => self.depth -= 1,
            Payload::FunctionSection(section) => {
                self.found.functions += u64::from(section.count());
                within(self.found.functions, FUNCTIONS_MAX, "functions")?;
            }
            Payload::CustomSection(section) => {
                self.custom_bytes += section.data().len() as u64;
                within(
                    self.custom_bytes,
                    CUSTOM_BYTES_MAX,
                    "bytes of custom sections",
                )?;
                if self.depth == 1 {
                    self.found.labels.take(section);
                }
            }
            Payload::ComponentImportSection(section) => {
                self.items(section.count())?;
                for import in section.clone() {
                    let name = import.map_err(invalid)?.name.name;
                    if self.depth == 1 {
                        self.imports.push(short(name)?);
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                self.items(section.count())?;
                for export in section.clone() {
                    let name = export.map_err(invalid)?.name.name;
                    if self.depth == 1 {
                        self.found.exports.push(short(name)?);
                    }
                }
            }
            Payload::TypeSection(section) => self.items(section.count())?,
            Payload::ImportSection(section) => self.items(section.count())?,
            Payload::ExportSection(section) => self.items(section.count())?,
            Payload::GlobalSection(section) => self.items(section.count())?,
            Payload::ElementSection(section) => self.items(section.count())?,
            Payload::DataSection(section) => self.items(section.count())?,
            Payload::TableSection(section) => self.items(section.count())?,
            Payload::MemorySection(section) => self.items(section.count())?,
            Payload::InstanceSection(section) => self.items(section.count())?,
            Payload::CoreTypeSection(section) => self.items(section.count())?,
            Payload::ComponentInstanceSection(section) => self.items(section.count())?,
            Payload::ComponentAliasSection(section) => self.items(section.count())?,
            Payload::ComponentTypeSection(section) => self.items(section.count())?,
            Payload::ComponentCanonicalSection(section) => self.items(section.count())?,
            _ => {}
        }
        Ok(())
    }

    fn items(&mut self, count: u32) -> Result<(), Error> {
        self.items += u64::from(count);
        within(
            self.items,
            ITEMS_MAX,
            "types, imports, exports and instances",
        )
    }
}

fn short(name: &str) -> Result<String, Error> {
    if name.len() > NAME_BYTES_MAX {
        return Err(Error::Component(format!(
            "it imports or exports something with a name longer than {NAME_BYTES_MAX} bytes"
        )));
    }
    Ok(name.to_owned())
}

fn within(count: u64, max: u64, what: &str) -> Result<(), Error> {
    if count <= max {
        return Ok(());
    }
    tracing::debug!(what, count, max, "a component is over a limit");
    Err(Error::Limit {
        limit: Limit::Structure,
        value: max,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        inspect(bytes).expect_err("refused").to_string()
    }

    #[test]
    fn names_what_a_file_is_instead() {
        assert!(refusal(b"").contains("empty"));
        assert!(refusal(b"\x7fELF\x02").contains("precompiled"));
        assert!(refusal(b"\x1f\x8b\x08").contains("gzip"));
        assert!(refusal(b"\0asm\x01\0\0\0").contains("core module"));
        assert!(refusal(b"#!/bin/sh").contains("not a WebAssembly"));
        assert!(refusal(b"\0asm").contains("not a valid component"));
    }
}
