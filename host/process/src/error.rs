use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::message::Wall;

/// Why a program was not started, or did not end by itself.
#[derive(Debug, Error)]
pub enum Error {
    /// The registered file can't be started as it is.
    #[error("{} can't be started: {reason}", path.display())]
    Program {
        /// Which.
        path: PathBuf,
        /// Why, for the operator.
        reason: String,
    },
    /// Its bytes are not those that the policy pins.
    #[error("{} is not the file that the policy pins", path.display())]
    Changed {
        /// Which.
        path: PathBuf,
    },
    /// The machine can't put up walls that the policy demands.
    #[error("this machine can't confine it: {}", words(missing))]
    Unconfinable {
        /// Those that are missing.
        missing: Vec<Wall>,
    },
    /// It used more than it may and was killed with everything it started.
    #[error("it reached its limit of {limit}")]
    Limit {
        /// Of what.
        limit: Limit,
        /// How much it may use, in the unit of the limit.
        value: u64,
    },
    /// It took too long and was killed with everything it started.
    #[error("it ran for longer than {ms} ms")]
    Timeout {
        /// How long it was allowed to.
        ms: u64,
    },
    /// The launcher or its pipes broke.
    #[error("the launcher: {0}")]
    Launcher(String),
}

/// What a program can use too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Processor time, in milliseconds.
    Cpu,
    /// Memory, in bytes.
    Memory,
    /// Processes and threads.
    Processes,
    /// The length of a file, in bytes.
    FileSize,
    /// What is free on the disk of a mount, in percent of what there was at its start: what it has to
    /// leave.
    Disk,
}

impl Limit {
    /// The word in failures.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Processes => "processes",
            Self::FileSize => "file_size",
            Self::Disk => "disk",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Error {
    pub(crate) fn launcher(what: &str, error: impl fmt::Display) -> Self {
        Self::Launcher(format!("{what}: {error}"))
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Launcher(error.to_string())
    }
}

fn words(walls: &[Wall]) -> String {
    let words: Vec<&str> = walls.iter().map(|wall| wall.lacking()).collect();
    words.join("; ")
}
