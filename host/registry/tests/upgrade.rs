//! What a new version may change for those who call the one before it.

use cofferdam_registry::{Error, Publication, Registry};
use cofferdam_types::tool::{Contract, Manifest, ToolSpec};
use cofferdam_types::{Digest, Tenant, Timestamp};
use serde_json::{Value, json};

/// A component `notes` with one tool, `notes-add`.
fn manifest(version: &str, args: &Value, returns: &Value) -> Manifest {
    let spec = json!({
        "name": "notes-add", "function": "add", "version": version, "description": "Adds a note.",
        "args_schema": args, "returns_schema": returns,
    });
    let spec: ToolSpec = serde_json::from_value(spec).expect("a spec");
    Manifest {
        component: "notes".parse().expect("a name"),
        version: spec.version.clone(),
        tools: vec![spec],
    }
}

async fn register(
    registry: &Registry,
    version: &str,
    args: &Value,
    returns: &Value,
) -> Result<bool, Error> {
    let manifest = manifest(version, args, returns);
    // Other bytes for each version.
    let bytes = version.as_bytes();
    let publication = Publication {
        manifest,
        contract: Contract::Declared,
        imports: Vec::new(),
        digest: Digest::of(bytes),
        bytes,
        by: "key:1".to_owned(),
        at: Timestamp::from_millis(0),
    };
    registry.register(&Tenant::default(), publication).await
}

fn text() -> Value {
    json!({"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"],
           "additionalProperties": false})
}

/// A version that its number calls compatible is: a breaking one is refused with every break, and
/// leaves nothing behind.
#[tokio::test]
async fn a_breaking_version_needs_a_major_number() {
    let registry = Registry::new(cofferdam_store_memory::open());
    let result = json!({"type": "integer"});
    let answer = register(&registry, "1.0.0", &text(), &result).await;
    assert_eq!(answer, Ok(true));
    let more = json!({
        "type": "object", "required": ["text", "title"], "additionalProperties": false,
        "properties": {"text": {"type": "string", "maxLength": 5}, "title": {"type": "string"}},
    });
    let wider = json!({"type": ["integer", "null"]});
    let refused = register(&registry, "1.1.0", &more, &wider).await;
    let Err(Error::Breaking(component, version, faults)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(
        (component.as_str(), version.to_string().as_str()),
        ("notes", "1.1.0")
    );
    let reasons: Vec<_> = faults.iter().map(|fault| fault.reason.as_str()).collect();
    for word in ["required added", "bound tightened", "type widened"] {
        let told = reasons
            .iter()
            .filter(|reason| reason.starts_with(word))
            .count();
        assert_eq!(told, 1, "{word}: {reasons:?}");
    }
    assert!(
        faults
            .iter()
            .all(|fault| fault.pointer.starts_with("/notes-add")),
        "{faults:?}"
    );
    let listed = registry.list(&Tenant::default()).await.expect("a list");
    assert_eq!(listed.len(), 1);
    // The next major version may, and what is compatible with that one goes on from there.
    assert_eq!(register(&registry, "2.0.0", &more, &wider).await, Ok(true));
    assert_eq!(register(&registry, "2.0.1", &more, &result).await, Ok(true));
    // A pre-release promises nothing.
    assert_eq!(
        register(&registry, "2.1.0-rc.1", &text(), &wider).await,
        Ok(true)
    );
}

/// What only widens the arguments or narrows the result is taken; so is a number below one that it
/// differs from.
#[tokio::test]
async fn a_compatible_version_is_taken() {
    let registry = Registry::new(cofferdam_store_memory::open());
    let result = json!({"type": ["integer", "null"]});
    for (version, args, returns) in [
        (
            "0.2.0",
            json!({"type": "object", "required": ["old"]}),
            json!(true),
        ),
        ("0.3.0", text(), json!({"type": "string"})),
        ("1.0.0", text(), result.clone()),
        (
            "1.1.0",
            json!({
                "type": "object", "required": ["text"], "additionalProperties": false,
                "properties": {"text": {"type": "string"}, "title": {"type": "string"}},
            }),
            json!({"type": "integer"}),
        ),
        (
            "0.2.1",
            json!({"type": "object"}),
            json!({"type": "string"}),
        ),
    ] {
        let answer = register(&registry, version, &args, &returns).await;
        assert_eq!(answer, Ok(true), "{version}");
    }
}
