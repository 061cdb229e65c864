//! A workspace as a request names it: by name, never by path.

use std::fmt;

use cofferdam_types::WorkspaceName;
use cofferdam_types::task::TaskWorkspace;
use cofferdam_types::workspace::{Access, Offer, Place};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

/// The workspace a request offers to its tools.
///
/// **Shape**: `"reports"`, which may then be read, or `{"name": "reports", "access":
/// "read_write"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Workspace {
    /// Below the server's data directory.
    pub name: WorkspaceName,
    /// The most a tool can be granted.
    pub access: Access,
}

impl From<Workspace> for Offer {
    fn from(workspace: Workspace) -> Self {
        Self {
            place: Place::Named(workspace.name),
            access: workspace.access,
        }
    }
}

impl From<Workspace> for TaskWorkspace {
    fn from(workspace: Workspace) -> Self {
        Self {
            name: workspace.name,
            access: workspace.access,
        }
    }
}

impl From<TaskWorkspace> for Workspace {
    fn from(workspace: TaskWorkspace) -> Self {
        Self {
            name: workspace.name,
            access: workspace.access,
        }
    }
}

/// The long form. Apart from [`Workspace`], whose own reading also takes the short one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Long {
    name: WorkspaceName,
    #[serde(default = "read_only")]
    access: Access,
}

fn read_only() -> Access {
    Access::ReadOnly
}

struct Either;

impl<'de> Visitor<'de> for Either {
    type Value = Workspace;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a workspace name, or an object with `name` and `access`")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Workspace, E> {
        Ok(Workspace {
            name: text.parse().map_err(E::custom)?,
            access: Access::ReadOnly,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Workspace, A::Error> {
        let long =
            Long::deserialize(MapAccessDeserializer::new(access)).map_err(A::Error::custom)?;
        Ok(Workspace {
            name: long.name,
            access: long.access,
        })
    }
}

impl<'de> Deserialize<'de> for Workspace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either)
    }
}
