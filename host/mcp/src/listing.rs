//! What a tenant's tools look like in `tools/list`, made once for as long as they stay the same.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use cofferdam_registry::Entry;
use cofferdam_toolbox::Toolbox;
use cofferdam_types::caller::Caller;
use cofferdam_types::tool::{ToolRef, ToolSpec};
use cofferdam_types::{Failure, Tenant, ToolName};
use rmcp::model::{JsonObject, MetaObject, ProtocolVersion, Tool, ToolAnnotations};
use serde_json::Value;

use crate::{answer, schema};

/// Most tools of one page. A hundred take some 100 KB, which a client reads at once and a model
/// would not want more of.
pub(crate) const PAGE_TOOLS_MAX: usize = 100;

/// How long a client may take a listing for true without asking again, in milliseconds. Short:
/// whoever wants to know of changes at once can listen for them.
pub(crate) const FRESH_MS: u64 = 5_000;

/// The listings of all tenants that were asked for.
#[derive(Default)]
pub(crate) struct Listings(RwLock<HashMap<Tenant, Arc<Listing>>>);

/// The tools of one tenant, each in the version that a call gets.
pub(crate) struct Listing {
    generation: u64,
    /// By name.
    tools: Vec<Listed>,
}

struct Listed {
    name: ToolName,
    /// Its JSON.
    text: Vec<u8>,
}

impl Listings {
    /// The listing of the caller's tenant.
    pub(crate) async fn get(
        &self,
        toolbox: &Toolbox,
        caller: &Caller,
    ) -> Result<Arc<Listing>, Failure> {
        let generation = toolbox.generation(caller).await?;
        if let Some(listing) = self.known(&caller.tenant, generation) {
            return Ok(listing);
        }
        let listing = Arc::new(Listing::new(toolbox, caller, generation).await?);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(caller.tenant.clone(), listing.clone());
        Ok(listing)
    }

    fn known(&self, tenant: &Tenant, generation: u64) -> Option<Arc<Listing>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let listing = known.get(tenant)?;
        (listing.generation == generation).then(|| listing.clone())
    }
}

impl Listing {
    /// Tools that came after `generation` was read may be in it already; then the next look makes
    /// it once more.
    async fn new(toolbox: &Toolbox, caller: &Caller, generation: u64) -> Result<Self, Failure> {
        let entries = toolbox.tools(caller).await?;
        let mut names: Vec<_> = entries
            .iter()
            .map(|entry| entry.record().spec.name.clone())
            .collect();
        names.dedup();
        let mut tools = Vec::with_capacity(names.len());
        for name in names {
            let latest = ToolRef { name, range: None };
            let entry = toolbox.tool(caller, &latest).await?;
            tools.push(Listed {
                name: latest.name,
                text: answer::json(&tool(&entry)),
            });
        }
        tools.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Self { generation, tools })
    }

    /// The result of `tools/list` after the tool of this name, whether or not it is still there.
    pub(crate) fn page(&self, after: Option<&ToolName>, version: &ProtocolVersion) -> Vec<u8> {
        let start = after.map_or(0, |after| self.tools.partition_point(|t| t.name <= *after));
        let rest = &self.tools[start..];
        let page = &rest[..rest.len().min(PAGE_TOOLS_MAX)];
        let mut text = b"{\"tools\":[".to_vec();
        for (index, tool) in page.iter().enumerate() {
            if index > 0 {
                text.push(b',');
            }
            text.extend_from_slice(&tool.text);
        }
        text.push(b']');
        if let Some(last) = page.last().filter(|_| rest.len() > page.len()) {
            // A name has nothing that JSON escapes.
            text.extend_from_slice(format!(r#","nextCursor":"{}""#, last.name).as_bytes());
        }
        if !version.has_initialize() {
            let facts =
                format!(r#","resultType":"complete","ttlMs":{FRESH_MS},"cacheScope":"private""#);
            text.extend_from_slice(facts.as_bytes());
        }
        text.push(b'}');
        text
    }
}

/// A tool's name where a `/` is not allowed.
pub(crate) fn outer_name(name: &ToolName) -> String {
    name.as_str().replacen('/', "__", 1)
}

/// The tool that a client means; nothing for what can't be a tool's name here.
pub(crate) fn inner_name(text: &str) -> Option<ToolName> {
    if text.contains('/') {
        return None;
    }
    text.replacen("__", "/", 1).parse().ok()
}

fn tool(entry: &Entry) -> Tool {
    let spec = &entry.record().spec;
    let mut meta = MetaObject::new();
    let mut add = |key: &str, text: String| meta.insert(key.to_owned(), Value::String(text));
    add("cofferdam/version", spec.version.to_string());
    add("cofferdam/digest", entry.identity().digest.to_string());
    Tool::new(
        outer_name(&spec.name),
        visible(&spec.description),
        object(schema::input(spec.args_schema.as_value())),
    )
    .with_title(title(&spec.name))
    .with_raw_output_schema(object(schema::output(spec.returns_schema.as_value())).into())
    .with_annotations(annotations(spec))
    .with_meta(meta)
}

/// What the author says of the tool's effects. It reaches nothing outside: no host function does.
///
/// A tool of which nothing is said may destroy something: the hint is left out then, and the protocol
/// takes that for the worst.
fn annotations(spec: &ToolSpec) -> ToolAnnotations {
    let safety = spec.safety;
    let is_said = safety.read_only || safety.destructive || safety.idempotent;
    ToolAnnotations::from_raw(
        None,
        Some(safety.read_only),
        is_said.then_some(safety.destructive),
        Some(safety.idempotent),
        Some(false),
    )
}

/// The name for people: `acme/files-read` is "Files read".
fn title(name: &ToolName) -> String {
    let name = name.as_str();
    let words = name.split_once('/').map_or(name, |(_, own)| own);
    let mut title = words.replace('-', " ");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title
}

/// The text without what a person would not see and a model would read: tags, directions, controls.
fn visible(text: &str) -> String {
    let hidden = |letter: char| {
        (letter.is_control() && letter != '\n')
            || matches!(letter,
                '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
    };
    text.chars().filter(|letter| !hidden(*letter)).collect()
}

/// Schemas of tools are objects: the registry takes no other for arguments, and [`schema::output`]
/// makes no other.
fn object(schema: Value) -> JsonObject {
    match schema {
        Value::Object(fields) => fields,
        _ => JsonObject::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cross_the_door_and_come_back() {
        for (inner, outer, people) in [
            ("files-read", "files-read", "Files read"),
            ("acme/files-read", "acme__files-read", "Files read"),
            ("a", "a", "A"),
        ] {
            let name: ToolName = inner.parse().expect("a name");
            assert_eq!(outer_name(&name), outer);
            assert_eq!(inner_name(outer), Some(name.clone()));
            assert_eq!(title(&name), people);
        }
        for bad in [
            "",
            "acme/files-read",
            "a__b__c",
            "Files-read",
            "a b",
            "a@1",
            "__a",
        ] {
            assert_eq!(inner_name(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_nobody_sees_is_not_told() {
        let text = "Reads\u{e0049}\u{e0067} a\u{200b} file.\u{1b}[31m\u{202e}\nÄ 👩 ok";
        assert_eq!(visible(text), "Reads a file.[31m\nÄ 👩 ok");
    }

    #[test]
    fn pages_hold_together() {
        let tools = (0..250).map(|n| {
            let name: ToolName = format!("t{n:03}").parse().expect("a name");
            let text = format!(r#"{{"name":"{name}"}}"#).into_bytes();
            Listed { name, text }
        });
        let listing = Listing {
            generation: 0,
            tools: tools.collect(),
        };
        let (mut after, mut seen, mut pages) = (None, Vec::new(), 0);
        loop {
            let text = listing.page(after.as_ref(), &ProtocolVersion::V_2025_11_25);
            let page: Value = serde_json::from_slice(&text).expect("JSON");
            let tools = page["tools"].as_array().expect("tools");
            seen.extend(
                tools
                    .iter()
                    .map(|t| t["name"].as_str().expect("a name").to_owned()),
            );
            pages += 1;
            match page["nextCursor"].as_str() {
                Some(cursor) => after = Some(cursor.parse().expect("a name")),
                None => break,
            }
        }
        assert_eq!((pages, seen.len()), (3, 250));
        assert!(seen.is_sorted());
        let gone = "t1495".parse().expect("a name");
        let text = listing.page(Some(&gone), &ProtocolVersion::V_2026_07_28);
        let page: Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(page["tools"][0]["name"], "t150");
        assert_eq!(page["resultType"], "complete");
        assert_eq!(page["cacheScope"], "private");
    }
}
