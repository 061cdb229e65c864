use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use crate::capability::Fault;

/// Longest name of a mount in bytes: it is one name of the guest's paths and a word in messages.
const NAME_BYTES_MAX: usize = 64;
/// Directories through which a machine is run rather than where files are kept: what is in them, or
/// what is above them, gives more than the files it seems to.
const SYSTEM: [&str; 5] = ["/proc", "/sys", "/dev", "/run", "/var/run"];

/// What a guest calls a directory that it sees: `references` is at `/references`.
///
/// **Shape**: `[a-z0-9][a-z0-9_-]*`, at most 64 characters. `workspace` and `scratch` are built in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MountName(Cow<'static, str>);

/// Why a text is no name of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no mount name: lower-case letters, digits, `-` and `_`, at most 64 characters")]
pub struct NameFault(String);

impl MountName {
    /// The directory that the call offers.
    pub const WORKSPACE: Self = Self(Cow::Borrowed("workspace"));
    /// A directory of the call's own, empty at its start and gone after it.
    pub const SCRATCH: Self = Self(Cow::Borrowed("scratch"));

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for the two that no policy defines.
    pub fn is_builtin(&self) -> bool {
        *self == Self::WORKSPACE || *self == Self::SCRATCH
    }
}

impl FromStr for MountName {
    type Err = NameFault;

    fn from_str(text: &str) -> Result<Self, NameFault> {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let fits = text.len() <= NAME_BYTES_MAX
            && text.bytes().next().is_some_and(is_plain)
            && text.bytes().all(|b| is_plain(b) || b == b'-' || b == b'_');
        match text {
            "workspace" => Ok(Self::WORKSPACE),
            "scratch" => Ok(Self::SCRATCH),
            text if fits => Ok(Self(Cow::Owned(text.to_owned()))),
            text => Err(NameFault(text.chars().take(80).collect())),
        }
    }
}

impl<'de> Deserialize<'de> for MountName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for MountName {
    fn schema_name() -> Cow<'static, str> {
        "MountName".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$",
        })
    }
}

impl fmt::Display for MountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A directory as a policy file defines it, below `mounts` and its name.
///
/// **Shape**: `references: {path: /srv/references}`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MountEntry {
    /// Where it is on the host: absolute, without `.`, `..`, `~` and `$`, which nothing expands.
    path: String,
    /// True when the directory may be one through which the machine or this host is run.
    #[serde(default)]
    dangerous: bool,
}

/// The directories that a policy defines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mounts {
    directories: BTreeMap<MountName, Arc<Directory>>,
}

/// A directory on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Directory {
    path: PathBuf,
    dangerous: bool,
}

impl Mounts {
    /// Adds a directory. `reserved` are the host's own: its data, its keys, its sockets.
    ///
    /// **Errors**: a [`Fault`] with its place inside `mounts`, when the path could mean something
    /// else than it says, or gives more than files and isn't marked as `dangerous`.
    pub fn define(
        &mut self,
        name: &MountName,
        entry: &MountEntry,
        reserved: &[PathBuf],
    ) -> Result<(), Fault> {
        if name.is_builtin() {
            return Err(Fault::at(
                format!("/{name}"),
                format!("`{name}` is built in and can't be defined"),
            ));
        }
        let at = |reason: String| Fault::at(format!("/{name}/path"), reason);
        let path = read(&entry.path).map_err(at)?;
        let directory = Directory {
            path,
            dangerous: entry.dangerous,
        };
        directory.check(&directory.path, reserved).map_err(at)?;
        self.directories.insert(name.clone(), Arc::new(directory));
        Ok(())
    }

    /// Where a mount is; nothing for one that is not defined.
    pub fn path(&self, name: &MountName) -> Option<&Path> {
        self.directories
            .get(name)
            .map(|directory| directory.path.as_path())
    }

    /// Each mount, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&MountName, &Path)> {
        self.directories
            .iter()
            .map(|(name, directory)| (name, directory.path.as_path()))
    }

    /// Checks where a mount is once every link on the way is resolved, which only whoever can look
    /// at the disk knows.
    ///
    /// **Errors**: as [`Self::define`], so that a link can't hide what a path would show.
    pub fn check_resolved(
        &self,
        name: &MountName,
        resolved: &Path,
        reserved: &[PathBuf],
    ) -> Result<(), Fault> {
        match self.directories.get(name) {
            None => Err(Fault::at(format!("/{name}"), "no such mount")),
            Some(directory) => directory
                .check(resolved, reserved)
                .map_err(|reason| Fault::at(format!("/{name}/path"), reason)),
        }
    }

    /// What gives more than it seems to. One sentence each.
    pub fn dangers(&self) -> Vec<String> {
        let dangerous = self.directories.iter().filter(|(_, it)| it.dangerous);
        let dangerous = dangerous.map(|(name, it)| {
            format!(
                "the mount `{name}` is marked `dangerous`: {} may be any directory of the host",
                it.path.display()
            )
        });
        let nested = self.directories.iter().flat_map(|(name, it)| {
            let above = |other: &Directory| it.path != other.path && it.path.starts_with(&other.path);
            let outer = self.directories.iter().filter(move |(_, other)| above(other));
            outer.map(move |(outer, _)| {
                format!(
                    "the mount `{name}` lies in `{outer}`: who can change that one can put a link in \
                     its place"
                )
            })
        });
        dangerous.chain(nested).collect()
    }
}

impl Directory {
    fn check(&self, path: &Path, reserved: &[PathBuf]) -> Result<(), String> {
        if self.dangerous {
            return Ok(());
        }
        let shown = path.display();
        let hint = "set `dangerous: true` if that is meant";
        let system = SYSTEM.iter().map(Path::new);
        if let Some(place) = system.clone().find(|place| path.starts_with(place)) {
            return Err(format!("{shown} lies in {}; {hint}", place.display()));
        }
        if let Some(place) = system.clone().find(|place| place.starts_with(path)) {
            return Err(format!("{shown} contains {}; {hint}", place.display()));
        }
        let touches = |own: &&PathBuf| path.starts_with(own) || own.starts_with(path);
        if reserved.iter().any(|own| touches(&own)) {
            return Err(format!(
                "{shown} holds files of this host itself, or lies among them; {hint}"
            ));
        }
        Ok(())
    }
}

/// An absolute path in its one spelling.
fn read(text: &str) -> Result<PathBuf, String> {
    let refuse = |why: &str| Err(format!("`{text}` {why}"));
    if text.is_empty() {
        return Err("a mount has a path".to_owned());
    }
    if text.contains('\0') {
        return Err("a path has no NUL".to_owned());
    }
    if text.starts_with('~') || text.contains("/~") {
        return refuse("has `~` in it, which is not expanded; write the path in full");
    }
    if text.contains('$') {
        return refuse("has `$` in it, which is not expanded; write the path in full");
    }
    if !text.starts_with('/') {
        return refuse("is not absolute");
    }
    if text.split('/').any(|name| name == "." || name == "..") {
        return refuse("has `.` or `..` in it; write the path without them");
    }
    let names = Path::new(text)
        .components()
        .filter(|name| matches!(name, Component::RootDir | Component::Normal(_)));
    Ok(names.collect())
}
