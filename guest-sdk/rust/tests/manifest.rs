//! What a component says about itself.

use cofferdam_sdk::serde_json::{Value, json};
use cofferdam_sdk::{ToolError, data, tool, tools};

/// How rows are put in order.
#[data(input)]
#[serde(rename_all = "snake_case")]
enum Order {
    Rising,
    Falling,
}

/// One row.
#[data(output)]
struct Row {
    /// Its number.
    id: u32,
    share: f64,
    parent: Option<Box<Row>>,
}

/// Finds rows.
///
/// Two paragraphs,
/// as they are written.
#[tool(
    read_only,
    idempotent,
    tags("data", "table"),
    capabilities(workspace(read_only, optional), clocks, key_value),
    limits(fuel = 1_000_000_000, deadline_ms = 5000, memory_bytes = 16 << 20, result_bytes = 1024),
    example(title = "All", arguments = r#"{"path": "a.csv"}"#),
    example(arguments = r#"{"path": "a.csv", "limit": 1}"#, result = "[]")
)]
fn query_rows(
    /// The file.
    path: String,
    #[default(100)]
    #[schemars(range(min = 1, max = 1000))]
    limit: u32,
    order: Option<Order>,
    r#type: u8,
) -> Result<Vec<Row>, ToolError> {
    let mut row = Row {
        id: limit,
        share: 0.5,
        parent: None,
    };
    if matches!(order, Some(Order::Falling)) {
        row.parent = Some(Box::new(Row {
            id: u32::from(r#type),
            share: 1.0,
            parent: None,
        }));
    }
    if matches!(order, Some(Order::Rising)) {
        return Err(ToolError::new("no_order", path));
    }
    Ok(vec![row])
}

/// Does nothing.
#[tool(name = "stop", destructive, capabilities(workspace(read_write)))]
fn nothing() {}

tools! { component = "sample"; query_rows, nothing }

fn manifest() -> Value {
    cofferdam_sdk::serde_json::from_str(&TOOLS.describe()).expect("a manifest is JSON")
}

#[test]
fn a_component_says_its_name_and_version() {
    let manifest = manifest();
    assert_eq!(manifest["name"], "sample");
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(manifest["tools"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_manifest_is_always_the_same() {
    assert_eq!(TOOLS.describe(), TOOLS.describe());
    assert!(
        TOOLS
            .describe()
            .starts_with(r#"{"name":"sample","version":"#)
    );
}

#[test]
fn options_stand_in_the_manifest() {
    let mut tool = manifest()["tools"][0].take();
    for key in ["args_schema", "returns_schema"] {
        assert!(
            tool.as_object_mut()
                .and_then(|tool| tool.remove(key))
                .is_some()
        );
    }
    let want = json!({
        "function": "query-rows",
        "description": "Finds rows.\n\nTwo paragraphs,\nas they are written.",
        "capabilities": [
            {"kind": "workspace", "access": "read_only", "optional": true},
            {"kind": "clocks"},
            {"kind": "key_value"},
        ],
        "safety": {"read_only": true, "destructive": false, "idempotent": true},
        "tags": ["data", "table"],
        "examples": [
            {"title": "All", "arguments": {"path": "a.csv"}},
            {"title": "", "arguments": {"path": "a.csv", "limit": 1}, "result": []},
        ],
        "limits": {
            "fuel": 1_000_000_000,
            "deadline_ms": 5000,
            "memory_bytes": 16_777_216,
            "result_bytes": 1024,
        },
    });
    assert_eq!(tool, want);
}

#[test]
fn options_that_nobody_gave_say_nothing() {
    let tool = &manifest()["tools"][1];
    let want = json!({
        "function": "stop",
        "description": "Does nothing.",
        "args_schema": {"type": "object", "properties": {}, "additionalProperties": false},
        "returns_schema": {"type": "null"},
        "capabilities": [{"kind": "workspace", "access": "read_write", "optional": false}],
        "safety": {"read_only": false, "destructive": true, "idempotent": false},
        "tags": [],
        "examples": [],
        "limits": {},
    });
    assert_eq!(*tool, want);
}

#[test]
fn parameters_become_the_schema_of_arguments() {
    let want = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["path", "type"],
        "properties": {
            "path": {"type": "string", "description": "The file."},
            "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
            "order": {
                "type": ["string", "null"],
                "enum": ["rising", "falling", null],
                "description": "How rows are put in order.",
            },
            "type": {"type": "integer", "minimum": 0, "maximum": 255},
        },
    });
    assert_eq!(manifest()["tools"][0]["args_schema"], want);
}

#[test]
fn a_result_type_becomes_its_schema() {
    let row = json!({
        "type": "object",
        "description": "One row.",
        "required": ["id", "share", "parent"],
        "properties": {
            "id": {
                "type": "integer",
                "minimum": 0,
                "maximum": 4_294_967_295_u32,
                "description": "Its number.",
            },
            "share": {"type": "number"},
            "parent": {"anyOf": [{"$ref": "#/$defs/Row"}, {"type": "null"}]},
        },
    });
    let want = json!({
        "type": "array",
        "items": row,
        "$defs": {"Row": row},
    });
    assert_eq!(manifest()["tools"][0]["returns_schema"], want);
}
