//! The tools of a table: what each says about itself.

use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::{Capability, SafetyFlags, ToolSpec};
use cofferdam_types::workspace::Access;
use cofferdam_types::{Digest, Payload, ToolName, Version};
use serde::Deserialize;

use super::asked::Use;
use crate::node::Node;
use crate::subject::Kind;
use crate::walk::Walk;

/// What a table says of a tool.
#[derive(Debug, Clone)]
pub(super) struct Description {
    version: Version,
    digest: Option<Digest>,
    pub(super) owner: Option<String>,
    pub(super) imports: Vec<String>,
    pub(super) kind: Kind,
    tags: Vec<String>,
    safety: SafetyFlags,
    capabilities: Vec<Capability>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(default)]
    version: Option<Version>,
    #[serde(default)]
    digest: Option<Digest>,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    capabilities: Vec<String>,
    #[serde(default)]
    imports: Vec<String>,
    #[serde(default)]
    plain: bool,
    #[serde(default)]
    safety: Option<SafetyFlags>,
}

impl Description {
    pub(super) fn read(node: &Node, walk: &mut Walk) -> Option<Self> {
        let text = walk.read::<Text>(node)?;
        let mut capabilities = Vec::new();
        for (index, word) in text.capabilities.iter().enumerate() {
            match capability(word) {
                Some(capability) => capabilities.push(capability),
                None => walk.mistake(
                    node.at(&format!("/capabilities/{index}")).place,
                    format!(
                        "`{word}` is none of `workspace:read_only`, `workspace:read_write`, \
                         `network`, `subprocess`, `environment`, `secret`, `key_value`, \
                         `tool_call`, `clocks`, `random`"
                    ),
                ),
            }
        }
        Some(Self {
            version: text.version.unwrap_or_else(usual_version),
            digest: text.digest,
            owner: text.owner,
            imports: text.imports,
            kind: if text.plain {
                Kind::Plain
            } else {
                Kind::Declared
            },
            tags: text.tags,
            safety: text.safety.unwrap_or_default(),
            capabilities,
        })
    }

    /// Of a tool that the table doesn't describe: it declares what the case uses.
    pub(super) fn of_use(asked: Option<&Use>) -> Self {
        Self {
            version: usual_version(),
            digest: None,
            owner: None,
            imports: Vec::new(),
            kind: Kind::Declared,
            tags: Vec::new(),
            safety: SafetyFlags::default(),
            capabilities: asked.map(Use::declared).into_iter().collect(),
        }
    }

    /// What it does with files, when anything.
    pub(super) fn files(&self) -> Option<Access> {
        self.capabilities.iter().find_map(|own| match own {
            Capability::Workspace { access, .. } => Some(*access),
            _ => None,
        })
    }

    /// The spec of the tool of this name; `version` is the case's own.
    pub(super) fn spec(&self, name: ToolName, version: Option<Version>) -> ToolSpec {
        ToolSpec {
            name,
            function: "tool".to_owned(),
            version: version.unwrap_or_else(|| self.version.clone()),
            description: String::new(),
            args_schema: Payload::empty_object(),
            returns_schema: Payload::empty_object(),
            capabilities: self.capabilities.clone(),
            safety: self.safety,
            tags: self.tags.clone(),
            examples: Vec::new(),
            limits: LimitRequest::default(),
        }
    }

    /// The digest of its component; for one that the table doesn't say, that of its name, which no
    /// policy can name.
    pub(super) fn digest(&self, name: &str) -> Digest {
        self.digest.unwrap_or_else(|| Digest::of(name.as_bytes()))
    }
}

fn usual_version() -> Version {
    Version::new(1, 0, 0)
}

fn capability(word: &str) -> Option<Capability> {
    let workspace = |access| Capability::Workspace {
        access,
        optional: false,
    };
    Some(match word {
        "workspace:read_only" => workspace(Access::ReadOnly),
        "workspace:read_write" => workspace(Access::ReadWrite),
        "network" => Capability::Network,
        "subprocess" => Capability::Subprocess,
        "environment" => Capability::Environment,
        "secret" => Capability::Secret,
        "key_value" => Capability::KeyValue,
        "tool_call" => Capability::ToolCall,
        "clocks" => Capability::Clocks,
        "random" => Capability::Random,
        _ => return None,
    })
}
