use std::fmt;

use thiserror::Error;

use super::MountName;

/// Longest name of one component in bytes: what every file system of the supported systems takes.
pub const COMPONENT_BYTES_MAX: usize = 255;
/// Longest path in bytes: the kernel's `PATH_MAX` without its terminator.
pub const PATH_BYTES_MAX: usize = 4_095;

/// A path below a mount in its one spelling.
///
/// **Shape**: names joined by single `/`, as in `src/main.rs`; empty for the mount itself. Never
/// absolute, no `.`, no `..`, no empty name, no NUL. Bytes are compared as they are: letters of
/// either case and the composed and decomposed forms of a letter are different names.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MountPath(String);

/// Why a text is no path below a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PathFault {
    /// It is empty.
    #[error("a path is empty; the directory itself is `.`")]
    Empty,
    /// It starts at the root.
    #[error("a path is relative to its directory")]
    Absolute,
    /// It goes above where it starts.
    #[error("a path stays below its directory")]
    Escapes,
    /// It has a NUL.
    #[error("a path has no NUL")]
    Nul,
    /// It or one of its names is too long.
    #[error("a path has at most 4,095 bytes and each name in it at most 255")]
    TooLong,
}

impl MountPath {
    /// The mount itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads a relative path, taking `.` and `..` out as if no name in it were a link.
    ///
    /// **Errors**: [`PathFault`].
    pub fn parse(text: &str) -> Result<Self, PathFault> {
        if text.is_empty() {
            return Err(PathFault::Empty);
        }
        if text.starts_with('/') {
            return Err(PathFault::Absolute);
        }
        Self::root().joined(text)
    }

    /// This path and then the components of `text`, in which `..` goes up as far as the mount.
    ///
    /// **Errors**: [`PathFault`], never [`PathFault::Absolute`] or [`PathFault::Empty`].
    pub fn joined(&self, text: &str) -> Result<Self, PathFault> {
        if text.contains('\0') {
            return Err(PathFault::Nul);
        }
        if text.len() > PATH_BYTES_MAX {
            return Err(PathFault::TooLong);
        }
        let mut path = self.clone();
        for name in text.split('/') {
            match name {
                "" | "." => {}
                ".." => path = path.parent().ok_or(PathFault::Escapes)?,
                name => path.push(name)?,
            }
        }
        Ok(path)
    }

    /// This path and one more name.
    ///
    /// **Errors**: [`PathFault`], also for `.`, `..` and a name with `/` in it.
    pub fn child(&self, name: &str) -> Result<Self, PathFault> {
        if name.contains('\0') {
            return Err(PathFault::Nul);
        }
        if matches!(name, "" | "." | "..") || name.contains('/') {
            return Err(PathFault::Escapes);
        }
        let mut path = self.clone();
        path.push(name)?;
        Ok(path)
    }

    fn push(&mut self, name: &str) -> Result<(), PathFault> {
        if name.len() > COMPONENT_BYTES_MAX || self.0.len() + 1 + name.len() > PATH_BYTES_MAX {
            return Err(PathFault::TooLong);
        }
        if !self.0.is_empty() {
            self.0.push('/');
        }
        self.0.push_str(name);
        Ok(())
    }

    /// One level up; nothing for the mount itself.
    pub fn parent(&self) -> Option<Self> {
        if self.0.is_empty() {
            return None;
        }
        let above = self.0.rsplit_once('/').map_or("", |(above, _)| above);
        Some(Self(above.to_owned()))
    }

    /// The last name; nothing for the mount itself.
    pub fn name(&self) -> Option<&str> {
        self.components().next_back()
    }

    /// Its names, from the mount down.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.0.split('/').filter(|name| !name.is_empty())
    }

    /// How many names it has.
    pub fn depth(&self) -> usize {
        self.components().count()
    }

    /// True for `place` itself and for what is below it; `data2` is not within `data`.
    pub fn is_within(&self, place: &Self) -> bool {
        match self.0.strip_prefix(&place.0) {
            Some(rest) => place.0.is_empty() || rest.is_empty() || rest.starts_with('/'),
            None => false,
        }
    }

    /// The path as text; empty for the mount itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What an argument names on a mount. An absolute path starts at the guest's root, so it has to
    /// name the mount; a relative one starts at the mount. Nothing when it names something else.
    pub(super) fn from_guest(mount: Option<&MountName>, text: &str) -> Option<Self> {
        let Some(absolute) = text.strip_prefix('/') else {
            return Self::parse(text).ok();
        };
        let whole = Self::root().joined(absolute).ok()?;
        let (first, rest) = match whole.0.split_once('/') {
            Some((first, rest)) => (first, rest),
            None => (whole.0.as_str(), ""),
        };
        (mount?.as_str() == first).then(|| Self(rest.to_owned()))
    }
}

impl fmt::Display for MountPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "." } else { &self.0 })
    }
}
