use cofferdam_server::types::tool::{Capability, ToolSpec};

use super::list::columns;
use super::{clean, count, first_sentence, schema};
use crate::output::Style;

/// A tool's contract for people: what it does, what it takes and gives, what it needs.
pub(crate) fn tool(spec: &ToolSpec, style: Style) -> String {
    let mut lines = vec![format!("{} {}", style.bold(&spec.name), spec.version)];
    let mut line = |part: String| lines.push(format!("  {part}").trim_end().to_owned());
    for description in spec.description.trim().lines() {
        line(clean(description));
    }
    let needs = capabilities(&spec.capabilities);
    line(format!(
        "needs: {}",
        if needs.is_empty() { "nothing" } else { &needs }
    ));
    let flags = flags(spec);
    if !flags.is_empty() {
        line(format!("is: {flags}"));
    }
    if !spec.tags.is_empty() {
        line(clean(&format!("tags: {}", spec.tags.join(", "))));
    }
    let limits = limits(spec);
    if !limits.is_empty() {
        line(format!("enough: {limits}"));
    }
    let arguments = schema::properties(spec.args_schema.as_value());
    if arguments.is_empty() {
        line("takes: nothing".to_owned());
    } else {
        line("takes:".to_owned());
        let rows = arguments.into_iter().map(|property| {
            let name = if property.is_required {
                property.name
            } else {
                format!("[{}]", property.name)
            };
            [
                name,
                property.kind,
                first_sentence(&property.description, 60),
            ]
        });
        for row in columns(rows) {
            line(format!("  {row}"));
        }
    }
    let returns = spec.returns_schema.as_value();
    line(format!("gives: {}", clean(&schema::kind(returns, returns))));
    lines.join("\n")
}

/// The permissions that a tool declares, in a line.
pub(crate) fn capabilities(capabilities: &[Capability]) -> String {
    let word = |capability: &Capability| match capability {
        Capability::Workspace { access, optional } => {
            let optional = if *optional { ", optional" } else { "" };
            format!("workspace ({}{optional})", access.as_str())
        }
        other => other.kind().to_owned(),
    };
    capabilities.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn flags(spec: &ToolSpec) -> String {
    let flags = [
        (spec.safety.read_only, "read-only"),
        (spec.safety.destructive, "destructive"),
        (spec.safety.idempotent, "idempotent"),
    ];
    let set = flags.iter().filter(|(is_set, _)| *is_set);
    set.map(|(_, word)| *word).collect::<Vec<_>>().join(", ")
}

fn limits(spec: &ToolSpec) -> String {
    let limits = [
        (spec.limits.fuel, "fuel"),
        (spec.limits.deadline_ms, "ms"),
        (spec.limits.memory_bytes, "bytes of memory"),
        (spec.limits.result_bytes, "bytes of result"),
    ];
    let set = limits
        .iter()
        .filter_map(|(limit, unit)| limit.map(|l| format!("{} {unit}", count(l))));
    set.collect::<Vec<_>>().join(", ")
}

/// What a component imports, one below the other, from this column on.
pub(crate) fn imports(imports: &[String], column: usize) -> String {
    if imports.is_empty() {
        return "nothing".to_owned();
    }
    clean(&imports.join(&format!("\n{}", " ".repeat(column))))
}
