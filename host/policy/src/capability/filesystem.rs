//! Files: which mounts a guest sees, and what it may do at which paths.
//!
//! A mount is a directory that the guest sees as `/<name>`. An entry gives rights on the paths of
//! one mount that its globs match. What is decided is always a [`MountPath`], the path below the
//! mount after everything that can be spelled in more than one way is gone.

mod files;
mod glob;
mod mount;
mod path;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Capability, Fault};
use crate::Bytes;
use crate::grant::Grant;
use crate::slice::{Caps, Pattern, Slice};
use cofferdam_types::call::Denial;

pub use files::{Files, Mount, Place, Workspace};
pub use glob::Glob;
pub use mount::{MountEntry, MountName, Mounts};
pub use path::{COMPONENT_BYTES_MAX, MountPath, PATH_BYTES_MAX, PathFault};

/// What may be done with a path.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Contents of a file, its size and times, the target of a link.
    Read,
    /// Change the contents and the times of a file that is there.
    Write,
    /// Make a file, a directory or a link that is not there.
    Create,
    /// Remove what is there, or replace it by a rename.
    Delete,
    /// The names in a directory, and the kind, size and times of what is there.
    List,
}

impl Right {
    /// All five.
    pub const ALL: [Self; 5] = [
        Self::Read,
        Self::Write,
        Self::Create,
        Self::Delete,
        Self::List,
    ];

    /// The word in policies, denials and the audit.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::List => "list",
        }
    }

    /// True when using it leaves the files other than they were.
    pub fn is_change(self) -> bool {
        matches!(self, Self::Write | Self::Create | Self::Delete)
    }
}

/// How far a use reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extent {
    /// The path itself.
    Exact,
    /// The path and everything that is or could be below it, as when a directory is renamed. An
    /// allow must cover all of it; a deny that touches any of it denies.
    Below,
}

/// One use of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAsk {
    /// On which mount.
    pub mount: MountName,
    /// Where below it, every link resolved.
    pub path: MountPath,
    /// To do what.
    pub right: Right,
    /// With the path alone, or with all that is below.
    pub extent: Extent,
}

impl FileAsk {
    /// About one path alone.
    pub fn exact(mount: &MountName, path: &MountPath, right: Right) -> Self {
        Self {
            mount: mount.clone(),
            path: path.clone(),
            right,
            extent: Extent::Exact,
        }
    }

    /// About a path and all that is below it.
    pub fn below(mount: &MountName, path: &MountPath, right: Right) -> Self {
        Self {
            extent: Extent::Below,
            ..Self::exact(mount, path, right)
        }
    }
}

/// Where the changes of a call go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Writes {
    /// To the files themselves, as they happen.
    #[default]
    Direct,
    /// Beside the files; they are applied when the call succeeds and thrown away when it doesn't.
    Overlay,
}

/// How much a call may change on a mount.
///
/// **Limits**: counted per call and mount; the first reached ends the call with `limit_exceeded`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota {
    /// Bytes by which files may grow or be written over, the holes of sparse files included.
    /// Reached: `disk`.
    pub write_bytes: u64,
    /// Files, directories and links made. Reached: `files`.
    pub files: u64,
    /// Directories on the way from the mount to anything that is made. Reached: `depth`.
    pub depth: u64,
    /// Files and directories open at once. Reached: `handles`.
    pub open: u64,
}

impl Quota {
    /// What an entry gives that says nothing.
    ///
    /// 1 GiB is a build's output and less than a full disk; 10,000 files are a checkout of a large
    /// repository; 64 levels are twice the deepest tree of packages; 256 open files are what a
    /// process of a conservative system gets.
    pub const DEFAULT: Self = Self {
        write_bytes: 1 << 30,
        files: 10_000,
        depth: 64,
        open: 256,
    };
}

impl Caps for Quota {
    fn widest(self, other: Self) -> Self {
        Self {
            write_bytes: self.write_bytes.max(other.write_bytes),
            files: self.files.max(other.files),
            depth: self.depth.max(other.depth),
            open: self.open.max(other.open),
        }
    }

    fn narrowest(self, other: Self) -> Self {
        Self {
            write_bytes: self.write_bytes.min(other.write_bytes),
            files: self.files.min(other.files),
            depth: self.depth.min(other.depth),
            open: self.open.min(other.open),
        }
    }
}

/// An entry of a policy: rights on paths of a mount.
///
/// **Shape**: `{mount: workspace, paths: ["src/**"], rights: [read, list, write], under: args.dir,
/// quota: {write_bytes: 10MiB, files: 100}, writes: overlay}`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FilesystemEntry")]
pub struct Entry {
    /// The mount: `workspace`, `scratch`, or one that the policy defines. Required below `allow`;
    /// below `deny`, absent means each.
    #[serde(default)]
    mount: Option<String>,
    /// Globs of paths relative to the mount, `.` for the mount itself. `*` stands for any part of
    /// one name, `**` for any number of names, none included. Absent means all paths.
    #[serde(default)]
    paths: Option<Vec<String>>,
    /// What may be done. Absent means `[read, list]` below `allow` and all five below `deny`.
    #[serde(default)]
    rights: Option<Vec<Right>>,
    /// Only what is below the path that an argument of the call names, as in `args.dir`.
    #[serde(default)]
    under: Option<String>,
    /// How much may be changed.
    #[serde(default)]
    quota: Option<QuotaEntry>,
    /// Where changes go.
    #[serde(default)]
    writes: Option<Writes>,
}

/// How much a call may change on a mount. What is left out has its default.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FilesystemQuota")]
pub struct QuotaEntry {
    /// Bytes by which files may grow or be written over; 1GiB by default.
    #[serde(default)]
    write_bytes: Option<Bytes>,
    /// Files, directories and links that may be made; 10,000 by default.
    #[serde(default)]
    files: Option<u64>,
    /// How many directories deep something may be made; 64 by default.
    #[serde(default)]
    depth: Option<u64>,
    /// Files and directories open at once; 256 by default.
    #[serde(default)]
    open: Option<u64>,
}

impl From<QuotaEntry> for Quota {
    fn from(entry: QuotaEntry) -> Self {
        let default = Self::DEFAULT;
        Self {
            write_bytes: entry
                .write_bytes
                .map_or(default.write_bytes, |bytes| bytes.0),
            files: entry.files.unwrap_or(default.files),
            depth: entry.depth.unwrap_or(default.depth),
            open: entry.open.unwrap_or(default.open),
        }
    }
}

/// Whether an entry stands below `allow` or `deny`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sense {
    Allow,
    Deny,
}

/// The argument that an entry is narrowed by, and what it came to in this call.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Under {
    keys: Vec<String>,
    place: Option<MountPath>,
}

/// What one entry covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filesystem {
    sense: Sense,
    mount: Option<MountName>,
    paths: Vec<Glob>,
    rights: Vec<Right>,
    under: Option<Under>,
    quota: Quota,
    writes: Writes,
}

impl Filesystem {
    /// All paths of a mount, for what is built in.
    pub fn whole(mount: MountName, rights: &[Right]) -> Self {
        Self {
            sense: Sense::Allow,
            mount: Some(mount),
            paths: vec![Glob::everything()],
            rights: rights.to_vec(),
            under: None,
            quota: Quota::DEFAULT,
            writes: Writes::Direct,
        }
    }

    /// The mount it is about; absent for a deny of each.
    pub fn mount(&self) -> Option<&MountName> {
        self.mount.as_ref()
    }

    /// What may be done, in no order.
    pub fn rights(&self) -> &[Right] {
        &self.rights
    }

    /// Where changes go.
    pub fn writes(&self) -> Writes {
        self.writes
    }

    /// True when it lets something be changed.
    pub fn has_changes(&self) -> bool {
        !self.paths.is_empty() && self.rights.iter().any(|right| right.is_change())
    }

    fn covers_path(&self, path: &MountPath, extent: Extent) -> bool {
        let place = match &self.under {
            None => None,
            Some(under) => match &under.place {
                Some(place) => Some(place),
                // Not narrowed to a call: an allow gives nothing, a deny everything it could.
                None => return self.sense == Sense::Deny,
            },
        };
        let inside = place.is_none_or(|place| path.is_within(place));
        match (extent, self.sense) {
            (Extent::Exact, _) => inside && self.paths.iter().any(|glob| glob.matches(path)),
            (Extent::Below, Sense::Allow) => {
                inside && self.paths.iter().any(|glob| glob.matches_all_below(path))
            }
            (Extent::Below, Sense::Deny) => {
                let touches = inside || place.is_some_and(|place| place.is_within(path));
                touches && self.paths.iter().any(|glob| glob.matches_any_below(path))
            }
        }
    }

    fn read(entry: Entry, sense: Sense) -> Result<Self, Fault> {
        let mount = entry.mount.map(|name| {
            name.parse()
                .map_err(|reason: mount::NameFault| Fault::at("/mount", reason.to_string()))
        });
        let paths = match entry.paths {
            None => vec![Glob::everything()],
            Some(texts) => texts
                .iter()
                .enumerate()
                .map(|(index, text)| {
                    text.parse().map_err(|reason: glob::GlobFault| {
                        Fault::at(format!("/paths/{index}"), reason.to_string())
                    })
                })
                .collect::<Result<_, _>>()?,
        };
        let default: &[Right] = match sense {
            Sense::Allow => &[Right::Read, Right::List],
            Sense::Deny => &Right::ALL,
        };
        Ok(Self {
            sense,
            mount: mount.transpose()?,
            paths,
            rights: entry.rights.unwrap_or_else(|| default.to_vec()),
            under: entry.under.as_deref().map(argument).transpose()?,
            quota: entry.quota.map_or(Quota::DEFAULT, Quota::from),
            writes: entry.writes.unwrap_or_default(),
        })
    }
}

/// `args.dir` or `args.options.dir`.
fn argument(text: &str) -> Result<Under, Fault> {
    let mut words = text.split('.');
    let keys: Vec<String> = match words.next() {
        Some("args") => words.map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    if keys.is_empty() || keys.iter().any(String::is_empty) {
        return Err(Fault::at(
            "/under",
            format!("`{text}` is no argument; write `args.` and its name, as in `args.dir`"),
        ));
    }
    Ok(Under { keys, place: None })
}

impl Pattern for Filesystem {
    type Ask = FileAsk;
    type Caps = Quota;

    fn covers(&self, ask: &FileAsk) -> bool {
        self.mount.as_ref().is_none_or(|mount| *mount == ask.mount)
            && self.rights.contains(&ask.right)
            && self.covers_path(&ask.path, ask.extent)
    }

    fn caps(&self) -> Quota {
        self.quota
    }
}

impl Capability for Filesystem {
    const NAME: &'static str = "filesystem";

    type Entry = Entry;

    fn slice(grant: &Grant) -> &Slice<Self> {
        grant.files().slice()
    }

    /// What the tool doesn't declare and the call doesn't offer is refused before any rule.
    fn decide(grant: &Grant, ask: &FileAsk) -> Result<Quota, Denial> {
        grant
            .files()
            .decide(&grant.subject, &grant.policy, ask)
            .map_err(|denial| *denial)
    }

    fn allow(entry: Entry) -> Result<Self, Fault> {
        if entry.mount.is_none() {
            return Err(Fault::at(
                "",
                "an allow names its mount: `workspace`, `scratch` or one below `mounts`",
            ));
        }
        Self::read(entry, Sense::Allow)
    }

    fn deny(entry: Entry) -> Result<Self, Fault> {
        if entry.quota.is_some() {
            return Err(Fault::at(
                "/quota",
                "a deny gives nothing, so it has no quota",
            ));
        }
        if entry.writes.is_some() {
            return Err(Fault::at("/writes", "a deny has no writes to place"));
        }
        Self::read(entry, Sense::Deny)
    }

    fn bound(&self, arguments: &serde_json::Value) -> Option<Self> {
        let Some(under) = &self.under else {
            return Some(self.clone());
        };
        let value = under
            .keys
            .iter()
            .try_fold(arguments, |value, key| value.as_object()?.get(key))
            .and_then(serde_json::Value::as_str);
        let place = value.and_then(|text| MountPath::from_guest(self.mount.as_ref(), text));
        match (place, self.sense) {
            (Some(place), _) => {
                let mut bound = self.clone();
                bound.under = Some(Under {
                    keys: under.keys.clone(),
                    place: Some(place),
                });
                Some(bound)
            }
            (None, Sense::Allow) => None,
            // A deny that can't be narrowed denies all it could have been about.
            (None, Sense::Deny) => Some(Self {
                under: None,
                ..self.clone()
            }),
        }
    }

    fn is_bound_by_arguments(&self) -> bool {
        self.under.is_some()
    }

    fn dangers(&self) -> Vec<String> {
        let everything = self.under.is_none() && self.paths.iter().any(Glob::is_everything);
        let own = self.mount.as_ref().is_some_and(MountName::is_builtin);
        if self.sense == Sense::Allow && everything && !own && self.has_changes() {
            let mount = self.mount.as_ref().map_or("each", MountName::as_str);
            return vec![format!(
                "every file of the mount `{mount}` can be changed; name `paths`, or set \
                 `writes: overlay`"
            )];
        }
        Vec::new()
    }

    fn operation(ask: &FileAsk) -> String {
        ask.right.as_str().to_owned()
    }

    fn resource(ask: &FileAsk) -> String {
        ask.to_string()
    }

    fn smallest(ask: &FileAsk) -> String {
        let glob = Glob::of(&ask.path, ask.extent);
        // JSON's strings are YAML's double-quoted ones.
        let glob = serde_json::Value::from(glob);
        format!(
            "{{mount: {}, paths: [{glob}], rights: [{}]}}",
            ask.mount,
            ask.right.as_str()
        )
    }
}

impl fmt::Display for FileAsk {
    /// As the guest spells it: `/workspace/src/main.rs`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.mount)?;
        match self.path.as_str() {
            "" => Ok(()),
            path => write!(f, "/{path}"),
        }
    }
}

#[cfg(test)]
mod tests;
