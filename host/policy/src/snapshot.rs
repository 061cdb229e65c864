//! The effective policy as data, for people who look at a running host.

use serde_json::{Map, Value as Json, json};

use crate::bounds::LIMITS;
use crate::narrowing::Sourced;
use crate::origin::Origin;
use crate::permissions::Written;
use crate::policy::Policy;
use crate::rule::{Body, Rule};

/// What stands in the place of values that may be secret.
const REDACTED: &str = "[redacted]";

impl Policy {
    /// The effective policy: every value with its source, and nothing that may be secret. Values of
    /// environment variables are replaced by `[redacted]`.
    pub fn snapshot(&self) -> Json {
        let parts = &self.parts;
        let limits = parts.ceiling.iter().map(|(word, value, origin)| {
            let field = json!({ "value": value, "source": origin.to_string() });
            (word.to_owned(), field)
        });
        let profiles = parts.profiles.values().map(|profile| {
            let mut field = body(&profile.body);
            field.insert("source".to_owned(), source(&profile.origin));
            (profile.name.clone(), Json::Object(field))
        });
        let section = |name: &str| parts.canonical.get(name).cloned().unwrap_or(json!({}));
        json!({
            "name": self.name(),
            "file": self.file().map(|file| file.display().to_string()),
            "digest": self.digest().to_string(),
            "default": "deny",
            "limits": limits.collect::<Map<_, _>>(),
            "admission": parts.canonical.get("admission").cloned().unwrap_or(json!([])),
            "schemas": {
                "depth": parts.schemas.depth_max(),
                "parameters": parts.schemas.parameters_max(),
            },
            "mounts": section("mounts"),
            "programs": redacted(section("programs")),
            "profiles": profiles.collect::<Map<_, _>>(),
            "rules": parts.rules.iter().map(rule).collect::<Vec<_>>(),
            "environment": self.narrowing(),
        })
    }

    /// What the environment of the host takes away, by variable.
    fn narrowing(&self) -> Json {
        fn put(all: &mut Map<String, Json>, source: &str, value: Json) {
            all.insert(source.to_owned(), value);
        }
        let narrowing = &self.parts.narrowing;
        let mut all = Map::new();
        let switches = [
            &narrowing.network,
            &narrowing.filesystem,
            &narrowing.subprocess,
        ];
        for Sourced { value, source } in switches.into_iter().flatten() {
            put(&mut all, source, json!(value));
        }
        if let Some(Sourced { value, source }) = &narrowing.callables {
            let tools: Vec<_> = value.iter().map(ToString::to_string).collect();
            put(&mut all, source, json!(tools));
        }
        for Sourced { value, source } in [&narrowing.timeout_ms, &narrowing.command_ms]
            .into_iter()
            .flatten()
        {
            put(&mut all, source, json!(value));
        }
        if let Some(Sourced { value, source }) = &narrowing.policy_file {
            put(&mut all, source, json!(value.display().to_string()));
        }
        Json::Object(all)
    }
}

fn source(origin: &Origin) -> Json {
    Json::String(origin.to_string())
}

fn rule(rule: &Rule) -> Json {
    let mut all = body(&rule.body);
    all.insert("name".to_owned(), json!(rule.name()));
    all.insert("source".to_owned(), source(&rule.origin));
    let tools: Vec<_> = rule.tools.iter().map(ToString::to_string).collect();
    all.insert("tools".to_owned(), json!(tools));
    if let Some(callers) = &rule.callers {
        all.insert("callers".to_owned(), callers.to_json());
    }
    let names = |profiles: &[std::sync::Arc<crate::profile::Profile>]| {
        let names = profiles.iter().map(|profile| profile.name.clone());
        json!(names.collect::<Vec<_>>())
    };
    for (key, profiles) in [("use", &rule.uses), ("environments", &rule.environments)] {
        if !profiles.is_empty() {
            all.insert(key.to_owned(), names(profiles));
        }
    }
    if let Some(until) = rule.until {
        all.insert("until".to_owned(), json!(until));
    }
    if rule.asks {
        all.insert("approval".to_owned(), json!("ask"));
    }
    if let Some(safety) = &rule.safety {
        all.insert("safety".to_owned(), json!(safety));
    }
    Json::Object(all)
}

/// Entries by side and capability, limits, and where each stands.
fn body(body: &Body) -> Map<String, Json> {
    let mut all = Map::new();
    if body.lets_run {
        all.insert("allow".to_owned(), json!({}));
    }
    if let Some(origin) = &body.denies_call {
        all.insert("deny".to_owned(), json!({ "call": source(origin) }));
    }
    for written in &body.written {
        let side = all.entry(written.side.as_str()).or_insert(json!({}));
        let entries = side
            .as_object_mut()
            .map(|side| side.entry(written.capability).or_insert(json!([])));
        if let Some(Json::Array(entries)) = entries {
            entries.push(entry(written));
        }
    }
    if let Some(limits) = &body.limits {
        let values = LIMITS.into_iter().zip(limits.value.values());
        let values = values.filter_map(|(word, value)| Some((word.to_owned(), json!(value?))));
        let mut values: Map<_, _> = values.collect();
        values.insert("source".to_owned(), source(&limits.origin));
        all.insert("limits".to_owned(), Json::Object(values));
    }
    all
}

fn entry(written: &Written) -> Json {
    let mut entry = written.entry.clone();
    if let (Some(fields), "environment") = (entry.as_object_mut(), written.capability)
        && let Some(value) = fields.get_mut("value")
    {
        *value = json!(REDACTED);
    }
    json!({ "entry": entry, "source": written.origin.to_string() })
}

fn redacted(mut programs: Json) -> Json {
    let programs_of = programs.as_object_mut().into_iter().flatten();
    for (_, program) in programs_of {
        let variables = program.get_mut("environment");
        let variables = variables.and_then(Json::as_object_mut);
        for (_, value) in variables.into_iter().flatten() {
            *value = json!(REDACTED);
        }
    }
    programs
}

#[cfg(test)]
mod tests;
