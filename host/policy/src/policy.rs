use std::path::{Path, PathBuf};
use std::sync::Arc;

use cofferdam_types::call::Denial;
use cofferdam_types::tool::{Capability, ToolSpec};
use cofferdam_types::workspace::{Access, Offer, Place};
use cofferdam_types::{Digest, Limits};

use crate::capability::filesystem::{self, Files, Filesystem, MountName, Mounts, Workspace};
use crate::decision::{Request, denial};
use crate::grant::Grant;
use crate::origin::{Located, Origin};
use crate::slice::{Layer, Party, Slice};

/// What an operator allows. The built-in one holds when nobody wrote another.
#[derive(Debug, Clone)]
pub struct Policy {
    name: &'static str,
    workspaces: PathBuf,
    ceiling: Ceiling,
}

/// The most any call can be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceiling {
    /// Limits nobody can go over.
    pub limits: Limits,
    /// True when a caller may offer any directory of this machine: right for the person at the
    /// command line, who could read it anyway, and never for a server.
    pub any_directory: bool,
}

impl Policy {
    /// Largest limits that an author's own defaults can ask for under the built-in policy: ten
    /// times the product's for fuel and time, eight times for memory and results.
    pub const AUTHOR_MAX: Limits = Limits {
        fuel: 10 * Limits::DEFAULT.fuel,
        deadline_ms: 10 * Limits::DEFAULT.deadline_ms,
        memory_bytes: 8 * Limits::DEFAULT.memory_bytes,
        result_bytes: 8 * Limits::DEFAULT.result_bytes,
        ..Limits::DEFAULT
    };

    /// The built-in policy of a server: a workspace by name below `workspaces`, clocks, randomness,
    /// each only if the tool declares it. Nothing else.
    pub fn builtin(workspaces: &Path) -> Self {
        let ceiling = Ceiling {
            limits: Self::AUTHOR_MAX,
            any_directory: false,
        };
        Self {
            name: "built-in",
            workspaces: workspaces.to_owned(),
            ceiling,
        }
    }

    /// The built-in policy of a one-shot call at the command line: any directory its owner names.
    pub fn builtin_local() -> Self {
        let ceiling = Ceiling {
            limits: Self::AUTHOR_MAX,
            any_directory: true,
        };
        Self {
            name: "built-in",
            workspaces: PathBuf::new(),
            ceiling,
        }
    }

    /// What people call it: `built-in`.
    pub fn name(&self) -> &str {
        self.name
    }

    /// Decides about one call: the intersection of what the tool declares, what this policy allows
    /// and what the caller offers.
    ///
    /// **Errors**: every denial that stands in the way, never only the first.
    pub fn decide(
        &self,
        digest: Digest,
        spec: &ToolSpec,
        request: &Request<'_>,
    ) -> Result<Grant, Vec<Denial>> {
        let mut denials = Vec::new();
        let mut grant = Grant::bare(
            format!("{}@{}", spec.name, spec.version),
            self.name.to_owned(),
            digest,
            self.limits(spec, request),
        );
        for capability in &spec.capabilities {
            match capability {
                Capability::Clocks => grant.clocks = true,
                Capability::Random => grant.random = true,
                Capability::Workspace { access, optional } => {
                    match self.workspace(*access, *optional, request.workspace) {
                        Ok(files) => grant.files = files,
                        Err(denial) => denials.push(denial),
                    }
                }
                Capability::Network
                | Capability::Subprocess
                | Capability::Environment
                | Capability::Secret
                | Capability::KeyValue
                | Capability::ToolCall => denials.push(self.not_granted(capability)),
            }
        }
        if denials.is_empty() {
            Ok(grant)
        } else {
            Err(denials)
        }
    }

    /// The tool's own limits up to the ceiling, then whatever the caller tightens.
    fn limits(&self, spec: &ToolSpec, request: &Request<'_>) -> Limits {
        let asked = &spec.limits;
        let max = &self.ceiling.limits;
        let own = Limits {
            fuel: asked.fuel.unwrap_or(Limits::DEFAULT.fuel).min(max.fuel),
            deadline_ms: asked
                .deadline_ms
                .unwrap_or(Limits::DEFAULT.deadline_ms)
                .min(max.deadline_ms),
            memory_bytes: asked
                .memory_bytes
                .unwrap_or(Limits::DEFAULT.memory_bytes)
                .min(max.memory_bytes),
            result_bytes: asked
                .result_bytes
                .unwrap_or(Limits::DEFAULT.result_bytes)
                .min(max.result_bytes),
            ..*max
        };
        own.narrowed(request.limits)
    }

    fn workspace(
        &self,
        needed: Access,
        optional: bool,
        offer: Option<&Offer>,
    ) -> Result<Files, Denial> {
        let Some(offer) = offer else {
            return if optional {
                Ok(Files::none())
            } else {
                Err(denial::no_workspace(self, needed))
            };
        };
        let path = match &offer.place {
            Place::Named(name) => self.workspaces.join(name.as_str()),
            Place::Directory(path) if self.ceiling.any_directory => path.clone(),
            Place::Directory(path) => return Err(denial::directory(self, needed, path)),
        };
        // A tool that also works without a workspace works with less of one.
        if offer.access < needed && !optional {
            return Err(denial::read_only(self, offer));
        }
        let access = needed.min(offer.access);
        let whole = Filesystem::whole(MountName::WORKSPACE, filesystem::rights(access));
        let layer = Layer {
            party: Party::Policy,
            allows: Arc::new([Located {
                value: whole,
                origin: Origin::builtin("workspace"),
            }]),
        };
        Ok(Files::new(
            Slice::new(layer, Arc::new([])),
            needed,
            Some(Workspace { path, access }),
            &Mounts::default(),
        ))
    }

    fn not_granted(&self, capability: &Capability) -> Denial {
        denial::unknown(self, capability)
    }
}
