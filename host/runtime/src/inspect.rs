//! What is in a file, before the compiler sees it: cheap, bounded, and it runs nothing.

use wasmparser::{Encoding, FuncValidatorAllocations, Parser, Payload, ValidPayload, Validator};

use crate::engine;
use crate::error::{Error, Limit};

/// Deepest nesting of components and modules; composed components nest three or four deep.
const NESTING_MAX: usize = 32;
/// Most core functions. An interpreter of 18 MB has some 30,000.
const FUNCTIONS_MAX: u64 = 200_000;
/// Most types, imports, exports, instances and other items together.
const ITEMS_MAX: u64 = 200_000;
/// Most bytes of custom sections: names and producers, of no use to the host.
const CUSTOM_BYTES_MAX: u64 = 16 << 20;
/// Longest import or export name shown.
const NAME_CHARS_MAX: usize = 200;

/// The interface that a tool component exports.
const TOOLS: &str = "cofferdam:tool/tools@0.1.";
/// What a component may import, by semver track.
const IMPORTS: [(&str, &str); 8] = [
    ("cofferdam:tool/log", "0.1."),
    ("cofferdam:tool/progress", "0.1."),
    ("wasi:cli/", "0.2."),
    ("wasi:clocks/", "0.2."),
    ("wasi:filesystem/", "0.2."),
    ("wasi:io/", "0.2."),
    ("wasi:random/", "0.2."),
    ("wasi:sockets/", "0.2."),
];

/// What a component asks for and offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// The interfaces it imports, in its order.
    pub imports: Vec<String>,
    /// What it exports, in its order.
    pub exports: Vec<String>,
    /// Core functions in it.
    pub functions: u64,
}

/// Reads and validates a component, and refuses what this host could not run.
///
/// **Errors**: [`Error::Component`] with the cause; [`Error::Limit`] for too many of something.
/// **Limits**: the caller bounds the size of `bytes`; time and memory are linear in it.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, Error> {
    check_kind(bytes)?;
    let mut pass = Pass::default();
    let mut validator = Validator::new_with_features(engine::validated_features());
    let mut scratch = FuncValidatorAllocations::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(invalid)?;
        pass.count(&payload)?;
        match validator.payload(&payload).map_err(invalid)? {
            ValidPayload::Func(function, body) => {
                let mut function = function.into_validator(scratch);
                function.validate(&body).map_err(invalid)?;
                scratch = function.into_allocations();
            }
            ValidPayload::Ok | ValidPayload::Parser(_) | ValidPayload::End(_) => {}
        }
    }
    check_interfaces(&pass.found)?;
    Ok(pass.found)
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

fn check_interfaces(found: &Inspection) -> Result<(), Error> {
    for import in &found.imports {
        let known = IMPORTS.iter().any(|(name, track)| {
            import.split_once('@').is_some_and(|(interface, version)| {
                (interface == *name || name.ends_with('/') && interface.starts_with(name))
                    && version.starts_with(track)
            })
        });
        if !known {
            return Err(Error::Component(format!(
                "it imports `{import}`, which this host does not have"
            )));
        }
    }
    if !found.exports.iter().any(|export| export.starts_with(TOOLS)) {
        let exports = found.exports.join("`, `");
        return Err(Error::Component(format!(
            "it exports no tools; expected `{TOOLS}x`, found `{exports}`"
        )));
    }
    Ok(())
}

/// Counts items against their limits and notes the outermost interfaces.
#[derive(Default)]
struct Pass {
    found: Inspection,
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
            }
            Payload::ComponentImportSection(section) => {
                self.items(section.count())?;
                for import in section.clone() {
                    let name = import.map_err(invalid)?.name.name;
                    if self.depth == 1 {
                        self.found
                            .imports
                            .push(name.chars().take(NAME_CHARS_MAX).collect());
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                self.items(section.count())?;
                for export in section.clone() {
                    let name = export.map_err(invalid)?.name.name;
                    if self.depth == 1 {
                        self.found
                            .exports
                            .push(name.chars().take(NAME_CHARS_MAX).collect());
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

    #[test]
    fn an_unknown_import_is_refused_by_name() {
        let found = Inspection {
            imports: vec!["wasi:http/types@0.2.3".to_owned()],
            ..Inspection::default()
        };
        let refused = check_interfaces(&found).expect_err("unknown").to_string();
        assert!(refused.contains("wasi:http/types@0.2.3"), "{refused}");
        for old in [
            "wasi:cli/run@0.3.0",
            "wasi:cli/run",
            "wasi:clixx@0.2.0",
            "cofferdam:tool/log@0.2.0",
        ] {
            let found = Inspection {
                imports: vec![old.to_owned()],
                ..Inspection::default()
            };
            assert!(check_interfaces(&found).is_err(), "{old}");
        }
    }
}
