use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cofferdam_types::{Digest, Limits};
use serde_json::Value as Json;

use crate::applicable::Cache;
use crate::bounds::Ceiling;
use crate::capability::Capability as _;
use crate::capability::filesystem::Mounts;
use crate::capability::network::Network;
use crate::capability::subprocess::Program;
use crate::document::Source;
use crate::index::Index;
use crate::load::Load;
use crate::narrowing::{Narrowing, Sourced};
use crate::origin::Origin;
use crate::profile::Profile;
use crate::read::Format;
use crate::rule::Rule;
use crate::schemas::SchemasEntry;

/// What an operator allows. The built-in one holds when nobody wrote another.
///
/// Cheap to clone: clones share what they remember of earlier decisions, and a policy that replaces
/// this one starts with nothing remembered.
#[derive(Debug, Clone)]
pub struct Policy {
    pub(crate) parts: Arc<Parts>,
    pub(crate) cache: Arc<Cache>,
}

/// A policy, checked and ready.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) name: Arc<str>,
    pub(crate) file: Option<Arc<PathBuf>>,
    /// The document with its keys in order.
    pub(crate) canonical: Json,
    pub(crate) digest: Digest,
    /// Below which named workspaces are.
    pub(crate) workspaces: PathBuf,
    /// True when a caller may offer any directory of this machine: right for the person at the
    /// command line, who could read it anyway, and never for a server.
    pub(crate) any_directory: bool,
    pub(crate) mounts: Mounts,
    pub(crate) programs: Arc<BTreeMap<String, Program>>,
    pub(crate) ceiling: Ceiling,
    pub(crate) loads: Arc<[Load]>,
    pub(crate) schemas: SchemasEntry,
    pub(crate) profiles: BTreeMap<String, Arc<Profile>>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) index: Index,
    pub(crate) narrowing: Narrowing,
}

impl Policy {
    /// Largest limits that an author's own defaults can ask for where no policy says otherwise: ten
    /// times the product's for fuel and time, eight times for memory and results.
    pub const AUTHOR_MAX: Limits = Limits {
        fuel: 10 * Limits::DEFAULT.fuel,
        deadline_ms: 10 * Limits::DEFAULT.deadline_ms,
        memory_bytes: 8 * Limits::DEFAULT.memory_bytes,
        result_bytes: 8 * Limits::DEFAULT.result_bytes,
        ..Limits::DEFAULT
    };

    /// The name of the policy that holds when nobody wrote one.
    pub const BUILTIN: &'static str = "built-in";

    /// The built-in policy of a server: a workspace by name below `workspaces`, clocks, randomness,
    /// each only if the tool declares it. Nothing else.
    pub fn builtin(workspaces: &Path) -> Self {
        let source = Source {
            file: None,
            format: Format::Yaml,
            workspaces,
            reserved: &[],
        };
        Self::parse(include_bytes!("builtin.yaml"), &source)
            .expect("the built-in text is a policy, which a test reads")
    }

    /// The built-in policy of a one-shot call at the command line: any directory its owner names.
    pub fn builtin_local() -> Self {
        Self::builtin(Path::new("")).with_any_directory()
    }

    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
            cache: Arc::default(),
        }
    }

    /// The same for the person at the command line, who may offer any directory.
    pub fn with_any_directory(&self) -> Self {
        Self::new(Parts {
            any_directory: true,
            ..(*self.parts).clone()
        })
    }

    /// The same, short of what the environment takes away.
    pub fn narrowed(&self, narrowing: Narrowing) -> Self {
        let mut parts = (*self.parts).clone();
        if let Some(timeout) = &narrowing.timeout_ms {
            let entry = crate::bounds::LimitsEntry {
                deadline: Some(crate::Span::from_millis(timeout.value)),
                ..crate::bounds::LimitsEntry::default()
            };
            parts
                .ceiling
                .narrow(&entry, &Origin::builtin(&timeout.source));
        }
        if narrowing.takes(Network::NAME).is_some() {
            // A program's network is its entry's, which no capability of a call stands for.
            let offline = |(name, program): (&String, &Program)| (name.clone(), program.offline());
            parts.programs = Arc::new(parts.programs.iter().map(offline).collect());
        }
        if let Some(Sourced { value, .. }) = &narrowing.command_ms {
            let short =
                |(name, program): (&String, &Program)| (name.clone(), program.within(*value));
            parts.programs = Arc::new(parts.programs.iter().map(short).collect());
        }
        parts.narrowing = narrowing;
        Self::new(parts)
    }

    /// Limits over many calls.
    pub fn loads(&self) -> &Arc<[Load]> {
        &self.parts.loads
    }

    /// What people call it: `built-in`.
    pub fn name(&self) -> &str {
        &self.parts.name
    }

    /// The file it was read from.
    pub fn file(&self) -> Option<&Path> {
        self.parts.file.as_ref().map(|file| file.as_path())
    }

    /// The directories that it defines.
    pub fn mounts(&self) -> &Mounts {
        &self.parts.mounts
    }

    /// The programs that rules can grant, by name.
    pub fn programs(&self) -> &BTreeMap<String, Program> {
        &self.parts.programs
    }

    /// SHA-256 of the document with its keys in order: the same for the same policy in each format.
    pub fn digest(&self) -> &Digest {
        &self.parts.digest
    }

    /// The document with its keys in order, to be written in any format.
    pub fn to_json(&self) -> &Json {
        &self.parts.canonical
    }

    /// How large the schemas of tools may be.
    pub fn schemas(&self) -> &SchemasEntry {
        &self.parts.schemas
    }
}
