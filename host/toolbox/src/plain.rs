//! Plain components: from the types of their functions to the specs of tools.

use std::collections::HashMap;

use cofferdam_registry::manifest::{self, Draft, DraftTool};
use cofferdam_runtime::{Function, Inspection, Interface, Skipped};
use cofferdam_types::failure::Fault;
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::{Capability, SafetyFlags};
use cofferdam_types::workspace::Access;
use cofferdam_types::{Code, ComponentName, Failure, Payload, ToolName, Version};

/// What whoever adds a component says about it. A component made with the SDK says it itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// Its name, whatever the component says.
    pub name: Option<ComponentName>,
    /// Its version, whatever the component says.
    pub version: Option<Version>,
    /// The functions that become tools, by export or by function name; all when empty.
    pub exports: Vec<String>,
    /// Its name when the component says nothing.
    pub fallback_name: Option<ComponentName>,
}

/// Most functions that a message lists, and most characters of a name that it repeats.
const SHOWN_MAX: usize = 30;
const SHOWN_CHARS_MAX: usize = 200;
/// The version of a component that nobody gave one.
const FIRST_VERSION: Version = Version::new(0, 1, 0);

impl Labels {
    /// Refuses labels for a component that describes itself.
    pub(crate) fn check_sdk(&self) -> Result<(), Failure> {
        let given = [
            ("name", self.name.is_some()),
            ("version", self.version.is_some()),
            ("export", !self.exports.is_empty()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((label, _)) => Err(Failure::invalid_at(
                format!("/{label}"),
                "this component describes itself; leave it out",
            )),
            None => Ok(()),
        }
    }
}

/// What a plain component offers as tools, and what of it is left out.
pub(crate) fn draft(
    labels: &Labels,
    inspection: &Inspection,
    interface: Interface,
) -> Result<(Draft, Vec<Skipped>), Failure> {
    let Interface {
        functions,
        mut skipped,
    } = interface;
    check_exports(&labels.exports, &functions, &skipped)?;
    check_count(&labels.exports, &functions)?;
    let name = name(labels, inspection)?;
    let version = version(labels, inspection);
    let words = words(&functions);
    let mut tools = Vec::new();
    for function in functions {
        let word = words[&function.export].clone();
        match tool(&name, word, &function, inspection, labels) {
            Ok(tool) => tools.push(tool),
            Err(reason) => skipped.push(Skipped {
                export: function.export,
                reason,
            }),
        }
    }
    if tools.is_empty() {
        let faults: Vec<_> = skipped
            .iter()
            .map(|skipped| Fault {
                pointer: skipped.export.clone(),
                reason: skipped.reason.clone(),
            })
            .collect();
        let first = faults
            .first()
            .map(|fault| format!(": `{}`: {}", fault.pointer, fault.reason));
        let message = format!(
            "none of the component's exports can be a tool{}",
            first.unwrap_or_default()
        );
        return Err(Failure::new(Code::ComponentInvalid, message)
            .with("skipped", serde_json::json!(faults)));
    }
    let draft = Draft {
        name: name.to_string(),
        version: version.to_string(),
        tools,
    };
    Ok((draft, skipped))
}

fn tool(
    component: &ComponentName,
    word: String,
    function: &Function,
    inspection: &Inspection,
    labels: &Labels,
) -> Result<DraftTool, String> {
    if !is_chosen(&labels.exports, &function.export) {
        return Err("not in the list of exports".to_owned());
    }
    ToolName::of(component, &word).map_err(|error| error.to_string())?;
    let args_schema = Payload::from(function.signature.args_schema());
    let returns_schema = Payload::from(function.signature.returns_schema());
    for schema in [&args_schema, &returns_schema] {
        if let Some(fault) = manifest::schema_fault(schema) {
            return Err(format!("its types are too large for a tool: {fault}"));
        }
    }
    let docs = inspection.labels.docs_of(&function.export);
    let description = docs
        .filter(|docs| manifest::is_short(docs))
        .map_or_else(|| undocumented(&function.export), str::to_owned);
    Ok(DraftTool {
        word: Some(word),
        function: function.export.clone(),
        description,
        args_schema,
        returns_schema,
        capabilities: capabilities(&inspection.imports),
        safety: SafetyFlags::default(),
        tags: Vec::new(),
        examples: Vec::new(),
        limits: LimitRequest::default(),
    })
}

fn undocumented(export: &str) -> String {
    match export.split_once('#') {
        Some((interface, function)) => format!("The function `{function}` of `{interface}`."),
        None => format!("The function `{export}`."),
    }
}

/// The function's own name, and the interface that it is in.
fn parts(export: &str) -> (Option<&str>, &str) {
    let Some((interface, function)) = export.split_once('#') else {
        return (None, export);
    };
    let interface = interface
        .split_once('@')
        .map_or(interface, |(path, _)| path);
    let interface = interface
        .rsplit_once('/')
        .map_or(interface, |(_, name)| name);
    (Some(interface), function)
}

fn is_chosen(exports: &[String], export: &str) -> bool {
    exports.is_empty() || exports.iter().any(|name| is_named(export, name))
}

fn is_named(export: &str, name: &str) -> bool {
    export == name || parts(export).1 == name
}

/// Refuses a name that is none of the component's, so that a slip does not leave a tool out.
fn check_exports(
    exports: &[String],
    functions: &[Function],
    skipped: &[Skipped],
) -> Result<(), Failure> {
    let mut known: Vec<&str> = functions
        .iter()
        .map(|function| function.export.as_str())
        .chain(skipped.iter().map(|skipped| skipped.export.as_str()))
        .collect();
    let missing = exports
        .iter()
        .find(|name| !known.iter().any(|export| is_named(export, name)));
    let Some(missing) = missing else {
        return Ok(());
    };
    known.truncate(SHOWN_MAX);
    let missing: String = missing.chars().take(SHOWN_CHARS_MAX).collect();
    Err(Failure::invalid_at(
        "/export",
        format!(
            "the component exports no function `{missing}`; it has `{}`",
            known.join("`, `")
        ),
    ))
}

/// Refuses more tools than a component may have, before their schemas are made.
fn check_count(exports: &[String], functions: &[Function]) -> Result<(), Failure> {
    let count = functions
        .iter()
        .filter(|function| is_chosen(exports, &function.export))
        .count();
    if count <= manifest::TOOLS_MAX {
        return Ok(());
    }
    let message = format!(
        "it has {count} functions and a component at most {} tools; choose some with the parameter \
         `export`",
        manifest::TOOLS_MAX
    );
    Err(Failure::new(Code::ComponentInvalid, message))
}

/// The second part of each tool's name: the function's, with its interface before it where two
/// interfaces have a function of the same name.
fn words(functions: &[Function]) -> HashMap<String, String> {
    let mut seen = HashMap::<String, usize>::new();
    for function in functions {
        *seen
            .entry(parts(&function.export).1.to_ascii_lowercase())
            .or_default() += 1;
    }
    let word = |function: &Function| {
        let (interface, name) = parts(&function.export);
        let word = name.to_ascii_lowercase();
        match interface {
            Some(interface) if seen[&word] > 1 => {
                format!("{}-{word}", interface.to_ascii_lowercase())
            }
            _ => word,
        }
    };
    functions
        .iter()
        .map(|function| (function.export.clone(), word(function)))
        .collect()
}

/// The package of the component's one interface, as `(name, version)`.
fn package(inspection: &Inspection) -> Option<(&str, Option<&str>)> {
    let mut interfaces = inspection
        .exports
        .iter()
        .filter(|export| export.contains('/') && !export.starts_with("wasi:"));
    let (Some(interface), None) = (interfaces.next(), interfaces.next()) else {
        return None;
    };
    let (path, version) = match interface.split_once('@') {
        Some((path, version)) => (path, Some(version)),
        None => (interface.as_str(), None),
    };
    let (_, package) = path.split_once('/')?.0.split_once(':')?;
    Some((package, version))
}

fn name(labels: &Labels, inspection: &Inspection) -> Result<ComponentName, Failure> {
    let parsed = |text: &str| text.parse::<ComponentName>().ok();
    let own = inspection.labels.name.as_deref().and_then(parsed);
    let of_package = || package(inspection).and_then(|(name, _)| parsed(name));
    labels
        .name
        .clone()
        .or(own)
        .or_else(of_package)
        .or_else(|| labels.fallback_name.clone())
        .ok_or_else(|| {
            Failure::new(
                Code::ComponentInvalid,
                "the component does not say its name; give it one with the parameter `name`",
            )
        })
}

fn version(labels: &Labels, inspection: &Inspection) -> Version {
    let parsed = |text: &str| text.parse::<Version>().ok();
    let own = inspection.labels.version.as_deref().and_then(parsed);
    let of_package = || package(inspection).and_then(|(_, version)| version.and_then(parsed));
    labels
        .version
        .clone()
        .or(own)
        .or_else(of_package)
        .unwrap_or(FIRST_VERSION)
}

/// What a plain component may ask for: it can't declare anything, so its imports do. What no policy
/// grants is left out and refused when it is used, since toolchains import more than their guests
/// ever call.
fn capabilities(imports: &[String]) -> Vec<Capability> {
    let imports = |prefix: &str| imports.iter().any(|import| import.starts_with(prefix));
    let workspace = Capability::Workspace {
        access: Access::ReadWrite,
        optional: true,
    };
    [
        ("wasi:filesystem/", workspace),
        ("wasi:clocks/", Capability::Clocks),
        ("wasi:random/", Capability::Random),
    ]
    .into_iter()
    .filter(|(prefix, _)| imports(prefix))
    .map(|(_, capability)| capability)
    .collect()
}
