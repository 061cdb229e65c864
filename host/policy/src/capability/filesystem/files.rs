use std::path::{Path, PathBuf};

use cofferdam_types::call::{Denial, DenialCode};
use cofferdam_types::workspace::Access;

use super::{FileAsk, Filesystem, MountName, Mounts, Quota, Writes};
use crate::capability::{Capability, denial};
use crate::slice::{Caps, Layer, Slice};

/// The mounts that one call sees, and what it may do there.
#[derive(Debug, Clone)]
pub struct Files {
    slice: Slice<Filesystem>,
    mounts: Vec<Mount>,
    declared: Access,
}

/// A mount of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    name: MountName,
    place: Place,
    /// The most that is offered of it.
    offered: Access,
    writes: Writes,
}

/// Where a mount's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a directory of the host.
    Directory(PathBuf),
    /// In a directory that is made for the call and goes with it.
    Scratch,
}

/// The directory that a call offers as its workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Where it is on the host.
    pub path: PathBuf,
    /// The most that may be done there.
    pub access: Access,
}

impl Mount {
    /// What the guest calls it: it is at `/<name>`.
    pub fn name(&self) -> &MountName {
        &self.name
    }

    /// Where its files are.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Where changes go.
    pub fn writes(&self) -> Writes {
        self.writes
    }
}

impl Files {
    /// No files.
    pub fn none() -> Self {
        Self {
            slice: Slice::nothing(),
            mounts: Vec::new(),
            declared: Access::ReadOnly,
        }
    }

    /// What `slice` allows a tool that declares `declared`, of the mounts that exist for this call:
    /// those of `mounts`, `scratch`, and what the call offers as `workspace`.
    ///
    /// A mount on which nothing can be allowed is not seen. Changes go to an overlay as soon as one
    /// entry that allows changes on the mount says so, whatever others say.
    pub fn new(
        slice: Slice<Filesystem>,
        declared: Access,
        workspace: Option<&Workspace>,
        mounts: &Mounts,
    ) -> Self {
        let mut names: Vec<MountName> = slice
            .layers()
            .iter()
            .flat_map(|layer| layer.allows.iter())
            .filter_map(|allow| allow.value.mount().cloned())
            .collect();
        names.sort();
        names.dedup();
        names.retain(|name| slice.layers().iter().all(|layer| gives(layer, name)));
        let mounts = names.into_iter().filter_map(|name| {
            let (place, offered) = if name == MountName::WORKSPACE {
                let workspace = workspace?;
                (Place::Directory(workspace.path.clone()), workspace.access)
            } else if name == MountName::SCRATCH {
                (Place::Scratch, Access::ReadWrite)
            } else {
                let path = mounts.path(&name)?;
                (Place::Directory(path.to_owned()), Access::ReadWrite)
            };
            let writes = writes(&slice, &name);
            Some(Mount {
                name,
                place,
                offered,
                writes,
            })
        });
        let mounts = mounts.collect();
        Self {
            slice,
            mounts,
            declared,
        }
    }

    /// The same for a tool that another calls, under the slice that is left of its own: of its mounts
    /// those that the caller sees at the same place, each no further than the caller may go there.
    /// Without `caller` it acts in its own right.
    pub(crate) fn below(mut self, caller: Option<&Self>, slice: Slice<Filesystem>) -> Self {
        if slice.is_nothing() {
            return Self::none();
        }
        self.slice = slice;
        if let Some(caller) = caller {
            self.mounts.retain_mut(|mount| {
                let same =
                    |theirs: &&Mount| theirs.name == mount.name && theirs.place == mount.place;
                let Some(theirs) = caller.mounts.iter().find(same) else {
                    return false;
                };
                mount.offered = mount.offered.min(theirs.offered).min(caller.declared);
                if theirs.writes == Writes::Overlay {
                    mount.writes = Writes::Overlay;
                }
                true
            });
        }
        self
    }

    /// What the guest sees, in the order of the names.
    pub fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// Where the workspace is, when there is one.
    pub fn workspace(&self) -> Option<&Path> {
        self.mounts.iter().find_map(|mount| match &mount.place {
            Place::Directory(path) if mount.name == MountName::WORKSPACE => Some(path.as_path()),
            Place::Directory(_) | Place::Scratch => None,
        })
    }

    /// What is allowed and denied, before what the tool declares and the call offers.
    pub fn slice(&self) -> &Slice<Filesystem> {
        &self.slice
    }

    /// Decides about one use, for the tool `subject` under the policy of this name. Gives how much
    /// may be changed there.
    pub(crate) fn decide(
        &self,
        subject: &str,
        policy: &str,
        ask: &FileAsk,
    ) -> Result<Quota, Box<Denial>> {
        if ask.right.is_change() && self.declared == Access::ReadOnly {
            return Err(Box::new(Denial {
                code: DenialCode::NotDeclared,
                rule: "declared capabilities".to_owned(),
                reason: "the tool declares that it changes no files".to_owned(),
                smallest_grant: "the tool declares `workspace` with `read_write`".to_owned(),
                ..blank(ask)
            }));
        }
        let Some(mount) = self.mounts.iter().find(|mount| mount.name == ask.mount) else {
            return Err(Box::new(self.missing(subject, policy, ask)));
        };
        if ask.right.is_change() && mount.offered == Access::ReadOnly {
            return Err(Box::new(Denial {
                code: DenialCode::NotOffered,
                rule: "what the call offers".to_owned(),
                reason: format!("the call offers `{}` read-only", mount.name),
                smallest_grant: format!("a {} offered as `read_write`", mount.name),
                ..blank(ask)
            }));
        }
        match self.slice.decide(ask) {
            Ok(allowed) => Ok(allowed.caps),
            Err(refused) => Err(Box::new(denial::<Filesystem>(
                subject, policy, refused, ask,
            ))),
        }
    }

    /// True when it is allowed, without a word about why not.
    pub fn allows(&self, ask: &FileAsk) -> bool {
        self.decide("", "", ask).is_ok()
    }

    fn missing(&self, subject: &str, policy: &str, ask: &FileAsk) -> Denial {
        match self.slice.decide(ask) {
            Err(refused) => denial::<Filesystem>(subject, policy, refused, ask),
            Ok(_) => Denial {
                code: DenialCode::NotOffered,
                rule: "what the call offers".to_owned(),
                reason: format!("this call has no `{}`", ask.mount),
                smallest_grant: format!("a call that offers `{}`", ask.mount),
                ..blank(ask)
            },
        }
    }

    /// How much may be changed on a mount at most, whatever the path.
    pub fn quota(&self, mount: &MountName) -> Quota {
        let of = |layer: &Layer<Filesystem>| {
            let entries = layer.allows.iter().map(|allow| &allow.value);
            entries
                .filter(|entry| entry.mount() == Some(mount) && entry.has_changes())
                .map(crate::Pattern::caps)
                .reduce(Quota::widest)
        };
        let nothing = Quota {
            write_bytes: 0,
            files: 0,
            depth: 0,
            open: Quota::DEFAULT.open,
        };
        let layers = self.slice.layers().iter();
        layers
            .map(|layer| of(layer).unwrap_or(nothing))
            .reduce(Quota::narrowest)
            .unwrap_or(nothing)
    }

    /// What is granted, in words: `filesystem:workspace:read_only`.
    pub(crate) fn words(&self) -> impl Iterator<Item = String> {
        self.mounts.iter().map(|mount| {
            let access = self.access(mount).as_str();
            format!("{}:{}:{access}", Filesystem::NAME, mount.name)
        })
    }

    /// The first mount on which a change is one at once, for everybody: no overlay keeps it back,
    /// and it doesn't go with the call.
    pub fn changed_directly(&self) -> Option<&MountName> {
        let mut mounts = self.mounts.iter();
        let found = mounts.find(|mount| match (&mount.place, mount.writes) {
            (Place::Directory(_), Writes::Direct) => self.access(mount) == Access::ReadWrite,
            (Place::Directory(_), Writes::Overlay) | (Place::Scratch, _) => false,
        });
        found.map(Mount::name)
    }

    /// The most that can be done on a mount, whatever the path.
    fn access(&self, mount: &Mount) -> Access {
        let changes = |layer: &Layer<Filesystem>| {
            layer
                .allows
                .iter()
                .any(|allow| allow.value.mount() == Some(&mount.name) && allow.value.has_changes())
        };
        let most = if self.slice.layers().iter().all(changes) {
            Access::ReadWrite
        } else {
            Access::ReadOnly
        };
        most.min(self.declared).min(mount.offered)
    }
}

/// Whether a party allows anything at all on a mount.
fn gives(layer: &Layer<Filesystem>, mount: &MountName) -> bool {
    layer.allows.iter().any(|allow| {
        allow.value.mount() == Some(mount)
            && !allow.value.rights().is_empty()
            && !allow.value.paths.is_empty()
    })
}

fn writes(slice: &Slice<Filesystem>, mount: &MountName) -> Writes {
    let mut entries = slice
        .layers()
        .iter()
        .flat_map(|layer| layer.allows.iter())
        .map(|allow| &allow.value)
        .filter(|entry| entry.mount() == Some(mount) && entry.has_changes());
    if entries.any(|entry| entry.writes() == Writes::Overlay) {
        Writes::Overlay
    } else {
        Writes::Direct
    }
}

fn blank(ask: &FileAsk) -> Denial {
    Denial {
        capability: Filesystem::NAME.to_owned(),
        operation: Filesystem::operation(ask),
        resource: Filesystem::resource(ask),
        code: DenialCode::NotGranted,
        rule: String::new(),
        file: None,
        line: None,
        reason: String::new(),
        smallest_grant: String::new(),
    }
}
