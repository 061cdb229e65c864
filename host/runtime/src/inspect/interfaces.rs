//! Which interfaces a component may import, and which of the two kinds of tools it is.

use wasmparser::component_types::{ComponentAnyTypeId, ComponentEntityType, ComponentItem};
use wasmparser::types::Types;

use super::{Inspection, Kind};
use crate::error::Error;

/// The interface that a tool component exports.
const TOOLS: &str = "cofferdam:tool/tools@";
/// The track of it that this host runs.
const TRACK: &str = "0.1.";
/// What a component may import, by semver track.
const IMPORTS: [(&str, &str); 14] = [
    ("cofferdam:tool/key-value", "0.1."),
    ("cofferdam:tool/log", "0.1."),
    ("cofferdam:tool/process", "0.1."),
    ("cofferdam:tool/progress", "0.1."),
    ("cofferdam:tool/secrets", "0.1."),
    ("cofferdam:tool/tls", "0.1."),
    ("cofferdam:tool/tool-call", "0.1."),
    ("wasi:cli/", "0.2."),
    ("wasi:clocks/", "0.2."),
    ("wasi:filesystem/", "0.2."),
    ("wasi:http/", "0.2."),
    ("wasi:io/", "0.2."),
    ("wasi:random/", "0.2."),
    ("wasi:sockets/", "0.2."),
];

/// True for the export of a component that describes its tools itself.
pub(crate) fn is_sdk(export: &str) -> bool {
    export
        .strip_prefix(TOOLS)
        .is_some_and(|version| version.starts_with(TRACK))
}

/// True for an import that asks nothing of the host: a type, or an interface of types alone. Both are
/// how a world's types reach a component, whoever owns the interface.
pub(super) fn is_types_alone(types: &Types, import: &str) -> bool {
    let Some(item) = types.component_item_for_import(import) else {
        return false;
    };
    match item.ty {
        ComponentEntityType::Instance(id) => types[id].exports.values().all(is_type),
        _ => is_type(item),
    }
}

fn is_type(item: &ComponentItem) -> bool {
    // A resource is the host's to make.
    matches!(item.ty, ComponentEntityType::Type { created, .. }
        if !matches!(created, ComponentAnyTypeId::Resource(_)))
}

/// How many functions these exports are or hold.
pub(super) fn functions(types: &Types, exports: &[String]) -> Result<usize, Error> {
    let mut count = 0;
    for export in exports {
        match types.component_item_for_export(export).map(|item| item.ty) {
            Some(ComponentEntityType::Func(_)) => count += 1,
            Some(ComponentEntityType::Instance(id)) => {
                for (name, item) in &types[id].exports {
                    if matches!(item.ty, ComponentEntityType::Func(_)) {
                        super::short(name)?;
                        count += 1;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(count)
}

/// Refuses imports that this host does not have, by name, and tells what kind of tools these are.
pub(super) fn check(found: &Inspection) -> Result<Kind, Error> {
    for import in &found.imports {
        if !is_known(import) {
            return Err(Error::Component(format!(
                "it imports `{import}`, which this host does not have{}",
                advice(import)
            )));
        }
    }
    match found
        .exports
        .iter()
        .find(|export| export.starts_with(TOOLS))
    {
        Some(export) if is_sdk(export) => Ok(Kind::Sdk),
        Some(export) => Err(Error::Component(format!(
            "it exports `{export}`; this host runs `{TOOLS}{TRACK}x`"
        ))),
        None if found.exports.is_empty() => Err(Error::Component(
            "it exports nothing that could be called".to_owned(),
        )),
        None => Ok(Kind::Plain),
    }
}

fn is_known(import: &str) -> bool {
    IMPORTS.iter().any(|(name, track)| {
        import.split_once('@').is_some_and(|(interface, version)| {
            (interface == *name || name.ends_with('/') && interface.starts_with(name))
                && version.starts_with(track)
                // `0.2.0-rc-2023-12-05` is another interface under the same name.
                && !version.contains('-')
        })
    })
}

/// What to do about an import that people meet with real toolchains.
fn advice(import: &str) -> &'static str {
    let version = import.split_once('@').map_or("", |(_, version)| version);
    if import.starts_with("wasi:") && version.contains('-') {
        "; that is a release candidate of WASI: build with a toolchain of WASI 0.2"
    } else if import.starts_with("wasi:") && version.starts_with("0.3") {
        "; build for WASI 0.2 (target wasm32-wasip2)"
    } else if import.starts_with("wasi_snapshot_preview1") {
        "; adapt the module with `wasm-tools component new --adapt`"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn importing(import: &str) -> Result<Kind, Error> {
        check(&Inspection {
            imports: vec![import.to_owned()],
            exports: vec!["add".to_owned()],
            ..Inspection::default()
        })
    }

    #[test]
    fn an_unknown_import_is_refused_by_name() {
        for unknown in [
            "acme:billing/charge@1.0.0",
            "wasi:cli/run@0.3.0",
            "wasi:cli/run",
            "wasi:clixx@0.2.0",
            "wasi:cli/environment@0.2.0-rc-2023-12-05",
            "cofferdam:tool/log@0.2.0",
            "add",
        ] {
            let refused = importing(unknown).expect_err(unknown).to_string();
            assert!(refused.contains(unknown), "{refused}");
        }
        for known in [
            "wasi:http/types@0.2.3",
            "wasi:io/poll@0.2.12",
            "cofferdam:tool/log@0.1.4",
        ] {
            assert_eq!(importing(known), Ok(Kind::Plain), "{known}");
        }
    }

    #[test]
    fn the_export_tells_the_kind() {
        let kind = |exports: &[&str]| {
            check(&Inspection {
                exports: exports.iter().map(|&export| export.to_owned()).collect(),
                ..Inspection::default()
            })
        };
        assert_eq!(kind(&["cofferdam:tool/tools@0.1.3"]), Ok(Kind::Sdk));
        assert_eq!(kind(&["docs:calc/ops@0.1.0"]), Ok(Kind::Plain));
        assert!(kind(&["cofferdam:tool/tools@0.2.0"]).is_err());
        assert!(kind(&[]).is_err());
    }
}
