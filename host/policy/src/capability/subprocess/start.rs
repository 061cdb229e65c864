use std::fmt;

use thiserror::Error;

/// Most arguments of one start.
pub const ARGUMENTS_MAX: usize = 1_024;
/// Longest single argument in bytes: what Linux takes.
pub const ARGUMENT_BYTES_MAX: usize = 128 << 10;
/// All arguments together in bytes; Linux takes 2 MiB with the environment.
pub const ARGUMENTS_BYTES_MAX: usize = 1 << 20;
/// Longest path inside a mount in bytes.
const PATH_BYTES_MAX: usize = 4_096;

/// The start of a program that a guest asks for.
///
/// Only [`Start::new`] makes one, so whoever holds one holds a form that can be decided about and
/// then used as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    program: String,
    arguments: Vec<Argument>,
    stdin_bytes: u64,
    cwd: Place,
}

/// One argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// Passed on as it is.
    Text(String),
    /// A path inside a mount, which the host turns into one of the machine.
    Path {
        /// What stands before it in the same argument: `--output=`; usually nothing.
        prefix: String,
        /// Which.
        place: Place,
    },
}

/// A directory or file of a mount.
///
/// **Shape**: the mount's name, and a path relative to it without `.`, `..`, empty parts and
/// control characters; an empty path is the mount itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    mount: String,
    path: String,
}

/// Why a start is of no form that could be allowed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Malformed {
    /// A NUL ends an argument early for the system, so what was decided isn't what would start.
    #[error("an argument or a name holds a NUL character")]
    Nul,
    /// Too many or too long.
    #[error("more arguments than a program can be started with")]
    TooLong,
    /// A path that isn't relative, or not in its shortest form.
    #[error("a path inside a mount is relative and without `.`, `..` and empty parts")]
    Path,
    /// What stands before a path in an argument isn't a flag.
    #[error("before a path stands a flag: `--output=` or `-o`")]
    Prefix,
}

impl Start {
    /// Checks what a guest asks for.
    ///
    /// **Errors**: [`Malformed`]; nothing of it may be started.
    pub fn new(
        program: String,
        arguments: Vec<Argument>,
        stdin_bytes: u64,
        cwd: Place,
    ) -> Result<Self, Malformed> {
        let lengths = arguments.iter().map(Argument::len);
        let longest = lengths.clone().max().unwrap_or(0);
        if arguments.len() > ARGUMENTS_MAX
            || longest > ARGUMENT_BYTES_MAX
            || program.len() > ARGUMENT_BYTES_MAX
            || lengths.sum::<usize>() > ARGUMENTS_BYTES_MAX
        {
            return Err(Malformed::TooLong);
        }
        let is_flag = |argument: &Argument| match argument {
            Argument::Text(_) => true,
            Argument::Path { prefix, .. } => is_prefix(prefix),
        };
        if !arguments.iter().all(is_flag) {
            return Err(Malformed::Prefix);
        }
        let texts = arguments.iter().map(Argument::text);
        if texts
            .chain([program.as_str()])
            .any(|text| text.contains('\0'))
        {
            return Err(Malformed::Nul);
        }
        Ok(Self {
            program,
            arguments,
            stdin_bytes,
            cwd,
        })
    }

    /// The registered program's name, as the guest spells it.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// What it is started with, without its own name.
    pub fn arguments(&self) -> &[Argument] {
        &self.arguments
    }

    /// How much it is given to read.
    pub fn stdin_bytes(&self) -> u64 {
        self.stdin_bytes
    }

    /// Where it starts.
    pub fn cwd(&self) -> &Place {
        &self.cwd
    }
}

impl Argument {
    /// The part that is passed on as it is.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Path { prefix, .. } => prefix,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Path { prefix, place } => prefix.len() + place.path.len(),
        }
    }
}

impl Place {
    /// A path inside a mount; `.` and an empty one are the mount itself.
    ///
    /// **Errors**: [`Malformed::Path`].
    pub fn new(mount: impl Into<String>, path: &str) -> Result<Self, Malformed> {
        let place = Self {
            mount: mount.into(),
            path: String::new(),
        };
        if place.mount.contains(['\0', '/']) {
            return Err(Malformed::Path);
        }
        if path.is_empty() {
            return Ok(place);
        }
        place.join(path)
    }

    /// The mount's name.
    pub fn mount(&self) -> &str {
        &self.mount
    }

    /// The path relative to the mount; empty for the mount itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What a program that stands here means by a relative path; `.` is this place.
    ///
    /// **Errors**: [`Malformed::Path`] when it isn't relative and in its shortest form.
    pub fn join(&self, path: &str) -> Result<Self, Malformed> {
        if path == "." {
            return Ok(self.clone());
        }
        let plain = |part: &str| !matches!(part, "" | "." | "..");
        if !path.split('/').all(plain) || path.chars().any(char::is_control) {
            return Err(Malformed::Path);
        }
        let path = match self.path.as_str() {
            "" => path.to_owned(),
            base => format!("{base}/{path}"),
        };
        if path.len() > PATH_BYTES_MAX {
            return Err(Malformed::Path);
        }
        Ok(Self {
            mount: self.mount.clone(),
            path,
        })
    }

    /// Where any spelling of a path leads from here, `.`, `..` and empty parts included. `None` when
    /// it is absolute, too long for the system, or leads out of the mount.
    pub(super) fn walk(&self, path: &str) -> Option<Self> {
        if path.starts_with('/') || path.len() > PATH_BYTES_MAX {
            return None;
        }
        let mut names: Vec<&str> = self
            .path
            .split('/')
            .filter(|name| !name.is_empty())
            .collect();
        for name in path.split('/') {
            match name {
                "" | "." => {}
                ".." => drop(names.pop()?),
                name => names.push(name),
            }
        }
        Some(Self {
            mount: self.mount.clone(),
            path: names.join("/"),
        })
    }

    /// True for this place and everything below it.
    pub fn contains(&self, other: &Self) -> bool {
        self.mount == other.mount
            && match other.path.strip_prefix(self.path.as_str()) {
                Some(rest) => self.path.is_empty() || rest.is_empty() || rest.starts_with('/'),
                None => false,
            }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.mount, self.path)
    }
}

/// Nothing, `--flag=` or `-f`: what programs agree on how to read.
fn is_prefix(prefix: &str) -> bool {
    let letter = |name: &str| name.chars().count() == 2;
    prefix.is_empty()
        || prefix.starts_with('-')
            && match prefix.split_once('=') {
                Some((name, rest)) => rest.is_empty() && !letter(name) && name.len() > 2,
                None => letter(prefix) && prefix != "--",
            }
}
