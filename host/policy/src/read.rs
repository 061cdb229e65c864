//! Text to nodes: one reader for each format, and what all of them refuse.

mod json;
mod toml;
mod yaml;

use std::path::Path;

use crate::error::{Mistake, PolicyError};
use crate::node::{Node, Place, Value};

/// How a policy is written down. All three carry the same document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2.
    Yaml,
    /// TOML 1.
    Toml,
    /// JSON.
    Json,
}

impl Format {
    /// The format that a file's extension names: `yaml`, `yml`, `toml`, `json`.
    ///
    /// **Errors**: [`PolicyError`] for every other; a guess could read something else than what
    /// its author wrote.
    pub fn of(path: &Path) -> Result<Self, PolicyError> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("yaml" | "yml") => Ok(Self::Yaml),
            Some("toml") => Ok(Self::Toml),
            Some("json") => Ok(Self::Json),
            _ => Err(PolicyError::Extension {
                file: path.display().to_string(),
            }),
        }
    }
}

/// Largest policy text: 10,000 rules of a screen each take about half of it. It also bounds what a
/// reload costs.
pub const TEXT_BYTES_MAX: usize = 4 << 20;
/// How deep a document nests: entries end at about eight.
pub(crate) const DEPTH_MAX: usize = 32;

/// Reads a text. Nodes of a map have different keys.
pub(crate) fn read(text: &[u8], format: Format) -> Result<Node, Vec<Mistake>> {
    let one = |reason: String| vec![Mistake::new(Place::START, reason)];
    if text.len() > TEXT_BYTES_MAX {
        let (size, max) = (text.len(), TEXT_BYTES_MAX);
        return Err(one(format!(
            "a policy of {size} bytes is too large: at most {max}"
        )));
    }
    if text.starts_with(b"\xEF\xBB\xBF") {
        return Err(one(
            "it begins with a byte order mark: save it as UTF-8 without one".to_owned(),
        ));
    }
    let text = std::str::from_utf8(text).map_err(|error| {
        let valid = text.get(..error.valid_up_to()).unwrap_or_default();
        let place = Place::at(&String::from_utf8_lossy(valid), error.valid_up_to());
        vec![Mistake::new(place, "it is not UTF-8".to_owned())]
    })?;
    if text.trim().is_empty() {
        return Err(one(
            "it is empty: a policy starts with `version: 1`".to_owned()
        ));
    }
    let node = match format {
        Format::Yaml => yaml::read(text),
        Format::Toml => toml::read(text),
        Format::Json => json::read(text),
    }?;
    let mut mistakes = Vec::new();
    check(&node, DEPTH_MAX, &mut mistakes);
    if mistakes.is_empty() {
        Ok(node)
    } else {
        Err(mistakes)
    }
}

/// Keys twice, and values nested too deep, whichever the format.
fn check(node: &Node, depth: usize, mistakes: &mut Vec<Mistake>) {
    let too_deep = || Mistake::new(node.place, format!("nested deeper than {DEPTH_MAX}"));
    match &node.value {
        Value::List(_) | Value::Map(_) if depth == 0 => mistakes.push(too_deep()),
        Value::List(items) => items
            .iter()
            .for_each(|item| check(item, depth - 1, mistakes)),
        Value::Map(fields) => {
            let mut seen = std::collections::HashSet::new();
            for (key, node) in fields {
                if !seen.insert(key.text.as_str()) {
                    let reason = format!("key `{}` stands here for the second time", key.text);
                    mistakes.push(Mistake::new(key.place, reason));
                }
                check(node, depth - 1, mistakes);
            }
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) => {}
    }
}

#[cfg(test)]
mod tests;
