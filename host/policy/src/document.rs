//! A policy's text as a whole: what it may say, and how it becomes a policy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cofferdam_types::Digest;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::bounds::{Ceiling, LimitsEntry};
use crate::capability::filesystem::{MountEntry, MountName, Mounts};
use crate::capability::subprocess::{Program, ProgramEntry};
use crate::error::PolicyError;
use crate::index::Index;
use crate::load::Load;
use crate::node::{Node, Place, Value};
use crate::opaque::Opaque;
use crate::permissions::Written;
use crate::policy::{Parts, Policy};
use crate::profile::{self, Profile};
use crate::read::{self, Format};
use crate::rule::{self, Rule};
use crate::schemas::SchemasEntry;
use crate::walk::{Site, Walk};

/// A policy file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map with the keys of a policy")]
#[schemars(rename = "Policy")]
struct Text {
    /// The version of this language: 1.
    #[schemars(range(min = 1, max = 1))]
    version: u64,
    /// What denials and the audit call the policy; the file's name when left out.
    #[serde(default)]
    name: Option<String>,
    /// Directories that rules can grant, by name.
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "each is read by itself, to say all that is wrong at once"
    )]
    mounts: Option<Opaque<BTreeMap<String, MountEntry>>>,
    /// Programs that rules can grant, by name.
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "each is read by itself, to say all that is wrong at once"
    )]
    programs: Option<Opaque<BTreeMap<String, ProgramEntry>>>,
    /// Limits of every call: the most that any can have.
    #[serde(default)]
    limits: Option<LimitsEntry>,
    /// Limits over many calls: at once, in a time, in memory.
    #[serde(default)]
    admission: Option<Vec<Load>>,
    /// How large the schemas of tools may be.
    #[serde(default)]
    schemas: Option<SchemasEntry>,
    /// Bundles of grants and limits, by name.
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "each is read by itself, to say all that is wrong at once"
    )]
    profiles: Option<Opaque<BTreeMap<String, profile::Text>>>,
    /// Who may do what with which tools. Their order never matters.
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "each is read by itself, to say all that is wrong at once"
    )]
    rules: Option<Opaque<Vec<rule::Text>>>,
}

/// Where a policy's text comes from and what stands around it.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The file, for denials to point at; absent for a text that stands in none.
    pub file: Option<&'a Path>,
    /// How it is written.
    pub format: Format,
    /// Below which named workspaces are.
    pub workspaces: &'a Path,
    /// Directories of the host itself, which no mount may show.
    pub reserved: &'a [PathBuf],
}

impl Source<'_> {
    /// What mistakes are told of.
    pub(crate) fn shown(&self) -> String {
        self.file
            .map_or_else(|| "policy".to_owned(), |file| file.display().to_string())
    }
}

/// The only version of the language.
const VERSION: u64 = 1;

impl Policy {
    /// Reads a policy. Everything in the text takes effect, or nothing does.
    ///
    /// **Errors**: [`PolicyError::Invalid`] with every mistake and its place.
    /// **Limits**: [`crate::TEXT_BYTES_MAX`] of text.
    pub fn parse(text: &[u8], source: &Source<'_>) -> Result<Self, PolicyError> {
        let shown = source.shown();
        let node = read::read(text, source.format)
            .map_err(|mistakes| PolicyError::invalid(&shown, mistakes))?;
        let mut walk = Walk::default();
        let parts = parts(&node, source, &mut walk);
        match parts {
            Some(parts) if walk.is_clean() => Ok(Self::new(parts)),
            _ => Err(PolicyError::invalid(&shown, walk.finish())),
        }
    }
}

fn parts(node: &Node, source: &Source<'_>, walk: &mut Walk) -> Option<Parts> {
    let text = walk.read::<Text>(node);
    let file = source.file.map(|file| Arc::new(file.to_owned()));
    let profiles = profiles(node, file.as_ref(), walk);
    let rules = rules(node, file.as_ref(), &profiles, walk);
    let mounts = mounts(node, source.reserved, walk);
    let programs = programs(node, walk);
    let bodies = profiles.values().map(|profile| &profile.body);
    let bodies = bodies.chain(rules.iter().map(|rule| &rule.body));
    for written in bodies.flat_map(|body| &body.written) {
        resolve(written, node, walk);
    }
    let text = text?;
    if text.version != VERSION {
        let place = node.at("/version").place;
        walk.mistake(place, "this host reads version 1 of the language");
    }
    let name = name(&text, node, source, walk);
    let site = Site {
        rule: "limits".into(),
        file: file.clone(),
    };
    let mut ceiling = Ceiling::of(&Policy::AUTHOR_MAX, &crate::Origin::builtin("limits"));
    if let (Some(limits), Some(node)) = (&text.limits, node.get("limits")) {
        ceiling.set(limits, &site.origin(node.place));
    }
    let loads = text.admission.unwrap_or_default();
    for (index, load) in loads.iter().enumerate() {
        if let Some((pointer, reason)) = load.fault() {
            let place = node.at(&format!("/admission/{index}{pointer}")).place;
            walk.mistake(place, reason);
        }
    }
    let canonical = canonical(node, &name);
    Some(Parts {
        loads: loads.into(),
        digest: Digest::of(canonical.to_string().as_bytes()),
        name: name.as_str().into(),
        file,
        canonical,
        workspaces: source.workspaces.to_owned(),
        any_directory: false,
        mounts,
        programs: Arc::new(programs),
        ceiling,
        schemas: text.schemas.unwrap_or_default(),
        profiles,
        index: Index::of(&rules),
        rules,
        narrowing: crate::narrowing::Narrowing::default(),
    })
}

/// The document as JSON with its keys in order: the same for the same policy, whatever the format
/// it was written in.
fn canonical(node: &Node, name: &str) -> serde_json::Value {
    let mut json = node.to_json();
    json.sort_all_objects();
    if let Some(fields) = json.as_object_mut() {
        fields.insert("name".to_owned(), name.into());
    }
    json.sort_all_objects();
    json
}

fn name(text: &Text, node: &Node, source: &Source<'_>, walk: &mut Walk) -> String {
    if let Some(name) = &text.name {
        let place = node.at("/name").place;
        profile::check_name(name, place, walk);
        if source.file.is_some() && name == Policy::BUILTIN {
            walk.mistake(
                place,
                "only the policy of the host itself is called `built-in`",
            );
        }
        return name.clone();
    }
    let stem = source.file.and_then(Path::file_stem);
    let stem = stem.map(|stem| stem.to_string_lossy());
    stem.filter(|stem| stem != Policy::BUILTIN)
        .map_or_else(|| "policy".to_owned(), std::borrow::Cow::into_owned)
}

fn profiles(
    node: &Node,
    file: Option<&Arc<PathBuf>>,
    walk: &mut Walk,
) -> BTreeMap<String, Arc<Profile>> {
    let isolated = Profile::isolated();
    let mut all = BTreeMap::from([(isolated.name.clone(), Arc::new(isolated))]);
    let Some(node) = node.get("profiles") else {
        return all;
    };
    expect_map(node, walk);
    for (key, node) in node.fields() {
        if let Some(profile) = Profile::read(&key.text, key.place, node, file, walk) {
            all.entry(key.text.clone()).or_insert(Arc::new(profile));
        }
    }
    all
}

fn rules(
    node: &Node,
    file: Option<&Arc<PathBuf>>,
    profiles: &BTreeMap<String, Arc<Profile>>,
    walk: &mut Walk,
) -> Vec<Rule> {
    let Some(node) = node.get("rules") else {
        return Vec::new();
    };
    let mut all = Vec::new();
    let mut names: BTreeMap<String, Place> = BTreeMap::new();
    for (index, node) in walk.list(node).iter().enumerate() {
        let Some(rule) = Rule::read(node, index + 1, file, profiles, walk) else {
            continue;
        };
        if let Some(first) = names.insert(rule.name().to_owned(), node.place) {
            let place = node.get("name").unwrap_or(node).place;
            let (name, line) = (rule.name(), first.line);
            walk.mistake(
                place,
                format!("the rule of line {line} is called `{name}` too"),
            );
        }
        all.push(rule);
    }
    all
}

fn mounts(node: &Node, reserved: &[PathBuf], walk: &mut Walk) -> Mounts {
    let mut mounts = Mounts::default();
    let Some(node) = node.get("mounts") else {
        return mounts;
    };
    expect_map(node, walk);
    for (key, entry) in node.fields() {
        let name: MountName = match key.text.parse() {
            Ok(name) => name,
            Err(error) => {
                walk.mistake(key.place, format!("{error}"));
                continue;
            }
        };
        if let Some(entry) = walk.read::<MountEntry>(entry)
            && let Err(fault) = mounts.define(&name, &entry, reserved)
        {
            walk.fault(node, fault);
        }
    }
    mounts
}

fn programs(node: &Node, walk: &mut Walk) -> BTreeMap<String, Program> {
    let mut programs = BTreeMap::new();
    let Some(node) = node.get("programs") else {
        return programs;
    };
    expect_map(node, walk);
    for (key, node) in node.fields() {
        profile::check_name(&key.text, key.place, walk);
        let Some(entry) = walk.read::<ProgramEntry>(node) else {
            continue;
        };
        match Program::new(entry) {
            Ok(program) => {
                programs.insert(key.text.clone(), program);
            }
            Err(fault) => walk.fault(node, fault),
        }
    }
    programs
}

fn expect_map(node: &Node, walk: &mut Walk) {
    if !matches!(node.value, Value::Map(_)) {
        let kind = node.kind();
        walk.mistake(node.place, format!("expected a map by name, found {kind}"));
    }
}

/// An entry that names a mount or a program which nobody defines would never be of any use.
fn resolve(written: &Written, root: &Node, walk: &mut Walk) {
    let (key, defined) = match written.capability {
        "filesystem" => ("mount", "mounts"),
        "subprocess" => ("program", "programs"),
        _ => return,
    };
    let Some(name) = written.entry.get(key).and_then(serde_json::Value::as_str) else {
        return;
    };
    let is_builtin = name.parse().is_ok_and(|name: MountName| name.is_builtin());
    let is_defined = root.get(defined).is_some_and(|all| all.get(name).is_some());
    let is_known = is_defined || (is_builtin && key == "mount");
    if !is_known {
        let reason = format!("no {key} is called `{name}`: define it below `{defined}`");
        walk.mistake(written.place, reason);
    }
}

/// The JSON Schema of policy files, draft 2020-12.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Text).to_value();
    without_null(&mut schema);
    schema
}

/// A key with nothing behind it is a mistake, though a field that may be left out is one that may
/// be null to whoever derives a schema.
fn without_null(schema: &mut serde_json::Value) {
    use serde_json::Value as Json;
    match schema {
        Json::Object(fields) => {
            if let Some(Json::Array(types)) = fields.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    fields.insert("type".to_owned(), only);
                }
            }
            if let Some(Json::Array(choices)) = fields.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
            }
            if fields.get("default").is_some_and(Json::is_null) {
                fields.remove("default");
            }
            fields.values_mut().for_each(without_null);
        }
        Json::Array(items) => items.iter_mut().for_each(without_null),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

#[cfg(test)]
mod tests;
