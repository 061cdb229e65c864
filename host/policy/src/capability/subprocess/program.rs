use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use cofferdam_types::Digest;
use schemars::JsonSchema;
use serde::Deserialize;

use super::limits::{Limits, LimitsEntry};
use crate::capability::Fault;

/// Programs that do whatever their arguments say: to allow them is to allow everything that their
/// confinement leaves. Version suffixes are cut off before a name is looked up.
const INTERPRETERS: [&str; 33] = [
    "ash", "awk", "bash", "bun", "busybox", "cargo", "cmake", "csh", "dash", "deno", "env", "fish",
    "gawk", "ksh", "lua", "make", "mawk", "ninja", "node", "nodejs", "nohup", "npm", "npx", "perl",
    "php", "pip", "python", "ruby", "sh", "tclsh", "uv", "xargs", "zsh",
];
/// Programs of which some option, file or hook starts another.
const STARTERS: [(&str, &str); 15] = [
    ("curl", "`-K`, `-o` and `file:` read and write files"),
    ("docker", "it speaks to a daemon that is root"),
    ("find", "`-exec` and `-delete`"),
    ("gcc", "`-wrapper`, `-B` and plugins start programs"),
    (
        "git",
        "hooks, aliases, `-c`, `--upload-pack` and ssh start programs",
    ),
    ("go", "`generate`, `-toolexec` and `run` start programs"),
    ("less", "`!` starts a shell"),
    ("rsync", "`-e` starts a program"),
    ("sed", "`e` and `w` start programs and write files"),
    ("ssh", "`ProxyCommand` starts a program"),
    ("sudo", "it is made to run others"),
    (
        "tar",
        "`--to-command` and `--checkpoint-action` start programs",
    ),
    ("vi", "`:!` starts a shell"),
    ("vim", "`:!` starts a shell"),
    ("zip", "`-TT` starts a program"),
];
/// Variables that make the loader or a common program run what somebody else wrote.
const LOADER_VARIABLES: [&str; 14] = [
    "BASH_ENV",
    "ENV",
    "GIT_EXEC_PATH",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "IFS",
    "LD_AUDIT",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "NODE_OPTIONS",
    "PERL5LIB",
    "PERL5OPT",
    "PYTHONPATH",
    "RUBYOPT",
];

/// A registered program as people write it, below the policy's `programs`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgramEntry {
    /// The file, as an absolute path without `.`, `..` and doubled slashes.
    pub path: String,
    /// The SHA-256 of its bytes as 64 lower-case hexadecimal digits: no other file is started.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Its whole environment; nothing of the host's is added.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// True when it may open connections of its own, to anywhere: rules about addresses hold for
    /// tools, not for programs.
    #[serde(default)]
    pub network: bool,
    /// What happens where the machine can't confine it.
    #[serde(default)]
    pub confinement: Confinement,
    /// How much it may use. Left out: `cpu: 60s`, `memory: 1GiB`, `processes: 32`, `open_files:
    /// 256`, `file_size: 1GiB`, `output: 1MiB`, `time: 300s`.
    #[serde(default)]
    pub limits: LimitsEntry,
    /// Files and directories of the machine that it may read beside its own file and the system's
    /// libraries.
    #[serde(default)]
    pub read: Vec<String>,
    /// Files, and everything in directories, that it may read and start as programs.
    #[serde(default)]
    pub execute: Vec<String>,
}

/// What happens where the machine can't confine a program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Confinement {
    /// It isn't started.
    #[default]
    Required,
    /// It is started with what there is, and the answer says what was missing.
    BestEffort,
}

/// A registered program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    path: PathBuf,
    sha256: Option<Digest>,
    environment: BTreeMap<String, String>,
    network: bool,
    confinement: Confinement,
    limits: Limits,
    read: Vec<PathBuf>,
    execute: Vec<PathBuf>,
}

impl Program {
    /// Checks an entry.
    ///
    /// **Errors**: a [`Fault`], with the pointer of what is wrong inside the entry.
    pub fn new(entry: ProgramEntry) -> Result<Self, Fault> {
        let sha256 = entry
            .sha256
            .map(|text| format!("sha256:{text}").parse())
            .transpose()
            .map_err(|_| Fault::at("/sha256", "a SHA-256 is 64 lower-case hexadecimal digits"))?;
        for (name, value) in &entry.environment {
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                return Err(Fault::at(
                    "/environment",
                    format!("`{name}` can't be an environment variable"),
                ));
            }
        }
        Ok(Self {
            path: absolute(&entry.path, "/path")?,
            sha256,
            environment: entry.environment,
            network: entry.network,
            confinement: entry.confinement,
            limits: Limits::new(&entry.limits, Limits::DEFAULT)?,
            read: absolutes(&entry.read, "/read")?,
            execute: absolutes(&entry.execute, "/execute")?,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What its bytes have to be.
    pub fn sha256(&self) -> Option<&Digest> {
        self.sha256.as_ref()
    }

    /// Its whole environment.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// True when it may open connections.
    pub fn network(&self) -> bool {
        self.network
    }

    /// The same, without a network.
    pub(crate) fn offline(&self) -> Self {
        Self {
            network: false,
            ..self.clone()
        }
    }

    /// The same, running for no longer.
    pub(crate) fn within(&self, time_ms: u64) -> Self {
        let mut program = self.clone();
        program.limits.time_ms = program.limits.time_ms.min(time_ms);
        program
    }

    /// What happens where the machine can't confine it.
    pub fn confinement(&self) -> Confinement {
        self.confinement
    }

    /// How much it may use, before any rule narrows it.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// What it may read beside its own file and the system's libraries.
    pub fn read(&self) -> &[PathBuf] {
        &self.read
    }

    /// What it may read and start as programs.
    pub fn execute(&self) -> &[PathBuf] {
        &self.execute
    }

    /// What gives more than it seems to. One sentence each.
    pub fn dangers(&self) -> Vec<String> {
        let path = self.path.display();
        let mut dangers: Vec<String> = self
            .path
            .file_name()
            .and_then(|name| danger(&name.to_string_lossy()))
            .into_iter()
            .collect();
        if self.network {
            dangers.push(format!(
                "`{path}` may open any connection: rules about addresses don't hold for programs"
            ));
        }
        if self.confinement == Confinement::BestEffort {
            dangers.push(format!(
                "`{path}` starts with the host's own rights where the machine can't confine it"
            ));
        }
        for name in self.environment.keys() {
            if LOADER_VARIABLES.contains(&name.as_str()) {
                dangers.push(format!("`{name}` makes `{path}` run what it points to"));
            }
        }
        let wide = |path: &&PathBuf| {
            let text = path.to_string_lossy();
            matches!(
                &*text,
                "/" | "/etc" | "/home" | "/proc" | "/root" | "/sys" | "/var"
            )
        };
        for open in self.read.iter().chain(&self.execute).filter(wide) {
            dangers.push(format!(
                "`{path}` can read `{}`, where machines keep their secrets",
                open.display()
            ));
        }
        dangers
    }
}

/// Why a program of this name gives more than it seems to.
pub(super) fn danger(name: &str) -> Option<String> {
    let versionless = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-');
    let stem = name.trim_end_matches(versionless);
    if INTERPRETERS.contains(&stem) {
        return Some(format!(
            "`{name}` runs whatever its arguments or files say: it can do all that its \
             confinement leaves"
        ));
    }
    STARTERS
        .iter()
        .find(|(starter, _)| *starter == stem)
        .map(|(_, how)| format!("`{name}` can do more than its name says: {how}"))
}

fn absolutes(paths: &[String], pointer: &str) -> Result<Vec<PathBuf>, Fault> {
    paths
        .iter()
        .enumerate()
        .map(|(index, path)| absolute(path, &format!("{pointer}/{index}")))
        .collect()
}

fn absolute(text: &str, pointer: &str) -> Result<PathBuf, Fault> {
    let path: PathBuf = Path::new(text).components().collect();
    let plain = path
        .components()
        .all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    if !path.is_absolute() || !plain || path.as_os_str() != text || text.contains('\0') {
        return Err(Fault::at(
            pointer,
            "a path of the machine is absolute and without `.`, `..` and doubled slashes",
        ));
    }
    Ok(path)
}
