//! What a call changes by name, on an overlay.

use cofferdam_policy::capability::filesystem::MountPath;

use super::{Found, Node, NodeKind, Overlay, State};
use crate::directory::Spot;
use crate::error::Error;
use crate::look::Listing;
use crate::mount::Mount;
use crate::stat::Kind;

impl Overlay {
    pub(crate) fn create_directory(&self, mount: &Mount, path: &MountPath) -> Result<(), Error> {
        let mut state = self.state();
        match state.find(mount, path)? {
            Found::Nothing | Found::Made(NodeKind::Gone) => {}
            Found::Made(_) | Found::Lower(_) => return Err(Error::Exist),
        }
        state.check_parent(mount, path)?;
        let base = state.base(mount, path)?;
        state.put(path, NodeKind::Directory, base)
    }

    pub(crate) fn remove_directory(&self, mount: &Mount, path: &MountPath) -> Result<(), Error> {
        if path.as_str().is_empty() {
            return Err(Error::Busy);
        }
        let mut state = self.state();
        match state.find(mount, path)? {
            Found::Made(NodeKind::Directory) => {}
            Found::Lower(lower) if lower.kind() == Kind::Directory => {}
            Found::Nothing | Found::Made(NodeKind::Gone) => return Err(Error::NoEntry),
            Found::Made(_) | Found::Lower(_) => return Err(Error::NotDirectory),
        }
        if !state.is_empty(mount, path)? {
            return Err(Error::NotEmpty);
        }
        state.take_away(mount, path).map(|_| ())
    }

    pub(crate) fn remove_file(&self, mount: &Mount, path: &MountPath) -> Result<(), Error> {
        let mut state = self.state();
        match state.find(mount, path)? {
            Found::Made(NodeKind::File(_)) => {}
            Found::Lower(lower) if lower.kind() != Kind::Directory => {}
            Found::Nothing | Found::Made(NodeKind::Gone) => return Err(Error::NoEntry),
            Found::Made(NodeKind::Directory) | Found::Lower(_) => return Err(Error::IsDirectory),
        }
        let was = state.take_away(mount, path)?;
        self.forget(was);
        Ok(())
    }

    pub(crate) fn rename(&self, mount: &Mount, from: &Spot, to: &Spot) -> Result<(), Error> {
        let mut state = self.state();
        if to.path == from.path {
            return Ok(());
        }
        if to.path.is_within(&from.path) || from.path.is_within(&to.path) {
            return Err(Error::Invalid);
        }
        state.check_parent(mount, &to.path)?;
        let kind = match state.find(mount, &from.path)? {
            Found::Made(kind @ (NodeKind::File(_) | NodeKind::Directory)) => kind,
            Found::Lower(lower) => match lower.kind() {
                Kind::File => NodeKind::File(
                    self.copy_up(&mut state, mount, &from.path, &lower, from.quota, true)?,
                ),
                Kind::Directory => return Err(Error::CrossDevice),
                Kind::Link | Kind::Other => return Err(Error::Unsupported),
            },
            Found::Nothing | Found::Made(NodeKind::Gone) => return Err(Error::NoEntry),
        };
        state.check_replaced(mount, kind, &to.path)?;
        let base = state.base(mount, &to.path)?;
        let replaced = state.nodes.get(to.path.as_str()).map(|node| node.kind);
        state.put(&to.path, kind, base)?;
        state.move_below(&from.path, &to.path);
        state.take_away(mount, &from.path)?;
        if let Some(replaced) = replaced {
            self.forget(replaced);
        }
        Ok(())
    }
}

impl State {
    /// Takes a path away, leaving a mark where something was before the call. Gives what the call
    /// had put there.
    fn take_away(&mut self, mount: &Mount, path: &MountPath) -> Result<NodeKind, Error> {
        let base = self.base(mount, path)?;
        let was = self.nodes.get(path.as_str()).map(|node| node.kind);
        if base.is_some() {
            self.put(path, NodeKind::Gone, base)?;
        } else {
            self.nodes.remove(path.as_str());
        }
        Ok(was.unwrap_or(NodeKind::Gone))
    }

    /// What a rename may replace: a file by a file, an empty directory by a directory.
    fn check_replaced(&self, mount: &Mount, kind: NodeKind, path: &MountPath) -> Result<(), Error> {
        let there = match self.find(mount, path)? {
            Found::Nothing | Found::Made(NodeKind::Gone) => return Ok(()),
            Found::Made(NodeKind::Directory) => Kind::Directory,
            Found::Made(NodeKind::File(_)) => Kind::File,
            Found::Lower(lower) => lower.kind(),
        };
        match (kind, there) {
            (NodeKind::Directory, Kind::Directory) if self.is_empty(mount, path)? => Ok(()),
            (NodeKind::Directory, Kind::Directory) => Err(Error::NotEmpty),
            (NodeKind::Directory, _) => Err(Error::NotDirectory),
            (_, Kind::Directory) => Err(Error::IsDirectory),
            _ => Ok(()),
        }
    }

    fn is_empty(&self, mount: &Mount, path: &MountPath) -> Result<bool, Error> {
        if self
            .children(path)
            .any(|(_, node)| node.kind != NodeKind::Gone)
        {
            return Ok(false);
        }
        if self.nodes.contains_key(path.as_str()) || self.is_covered(path) {
            return Ok(true);
        }
        let Found::Lower(lower) = self.find(mount, path)? else {
            return Ok(true);
        };
        let hidden = self.children(path).map(|(name, _)| name.to_owned());
        let mut listing = Listing::of(&*lower.directory()?, Vec::new(), hidden.collect())?;
        Ok(listing.next()?.is_none())
    }

    /// Moves what the call made below one directory below another.
    fn move_below(&mut self, from: &MountPath, to: &MountPath) {
        let moved: Vec<(String, Node)> = self
            .below(from)
            .filter(|(_, node)| node.kind != NodeKind::Gone)
            .map(|(key, node)| (key.clone(), node.clone()))
            .collect();
        for (key, node) in moved {
            match node.base {
                Some(_) => {
                    let gone = Node {
                        kind: NodeKind::Gone,
                        base: node.base,
                    };
                    self.nodes.insert(key.clone(), gone);
                }
                None => {
                    self.nodes.remove(&key);
                }
            }
            let target = format!("{to}{}", &key[from.as_str().len()..]);
            let base = self.nodes.get(&target).and_then(|node| node.base);
            let node = Node {
                kind: node.kind,
                base,
            };
            self.nodes.insert(target, node);
        }
    }
}
