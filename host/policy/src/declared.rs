//! What a tool declares, in the words of policies.

use cofferdam_types::tool::Capability;
use cofferdam_types::workspace::Access;

use crate::subject::{Kind, Subject};

/// The capabilities that a tool can be granted at all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Declared {
    /// What it does with files, and whether it also works without.
    pub(crate) files: Option<(Access, bool)>,
    kinds: [Need; KINDS.len()],
}

/// Whether a tool needs a capability.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    #[default]
    No,
    Optional,
    Required,
}

/// Each kind of declaration and the capabilities that answer it: one of them is enough.
const KINDS: [&[&str]; 9] = [
    &["filesystem"],
    &["network", "sockets"],
    &["subprocess"],
    &["environment"],
    &["secrets"],
    &["key_value"],
    &["tool_call"],
    &["clocks"],
    &["random"],
];

/// What an import says about the component's needs. Secrets go with requests: the host puts them in
/// without the component's knowing.
const IMPORTS: [(&str, usize); 14] = [
    ("wasi:filesystem/", 0),
    ("wasi:http/", 1),
    ("wasi:http/", 4),
    ("cofferdam:tool/secrets@", 4),
    ("wasi:sockets/", 1),
    ("cofferdam:tool/tls@", 1),
    ("cofferdam:tool/process@", 2),
    ("wasi:cli/environment", 3),
    ("wasi:keyvalue/", 5),
    ("cofferdam:tool/key-value@", 5),
    ("cofferdam:tool/tool-call@", 6),
    ("wasi:config/", 3),
    ("wasi:clocks/", 7),
    ("wasi:random/", 8),
];

/// The place of secrets in [`KINDS`].
const SECRETS: usize = 4;

impl Declared {
    pub(crate) fn of(subject: &Subject<'_>) -> Self {
        let mut declared = Self::default();
        let need = match subject.kind {
            Kind::Declared => Need::Required,
            Kind::Plain => Need::Optional,
        };
        for capability in &subject.spec.capabilities {
            declared.add(capability, need);
        }
        if subject.kind == Kind::Plain {
            declared.add_imports(subject.imports);
        }
        declared
    }

    fn add(&mut self, capability: &Capability, need: Need) {
        let (kind, need) = match capability {
            Capability::Workspace { access, optional } => {
                let (most, least) = self.files.unwrap_or((*access, *optional));
                self.files = Some((most.max(*access), least && *optional));
                let need = if *optional { Need::Optional } else { need };
                (0, need)
            }
            Capability::Network => {
                // A bound secret is put into the request by the host, whether or not the tool knows.
                self.kinds[SECRETS] = self.kinds[SECRETS].max(Need::Optional);
                (1, need)
            }
            Capability::Subprocess => (2, need),
            Capability::Environment => (3, need),
            Capability::Secret => (4, need),
            Capability::KeyValue => (5, need),
            Capability::ToolCall => (6, need),
            Capability::Clocks => (7, need),
            Capability::Random => (8, need),
        };
        if let Some(own) = self.kinds.get_mut(kind) {
            *own = (*own).max(need);
        }
    }

    fn add_imports(&mut self, imports: &[String]) {
        for (prefix, kind) in IMPORTS {
            let Some(own) = self.kinds.get_mut(kind) else {
                continue;
            };
            if imports.iter().any(|import| import.starts_with(prefix)) {
                *own = (*own).max(Need::Optional);
                if kind == 0 {
                    self.files.get_or_insert((Access::ReadWrite, true));
                }
            }
        }
    }

    /// The capabilities of each kind that the tool can't do without.
    pub(crate) fn required(self) -> impl Iterator<Item = &'static [&'static str]> {
        let all = KINDS.into_iter().zip(self.kinds);
        all.filter(|(_, need)| *need == Need::Required)
            .map(|(words, _)| words)
    }

    /// Whether the tool declares a capability, by its word.
    pub(crate) fn has(self, word: &str) -> bool {
        let mut all = KINDS.into_iter().zip(self.kinds);
        all.any(|(words, need)| need != Need::No && words.contains(&word))
    }
}
