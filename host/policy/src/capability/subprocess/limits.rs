use schemars::JsonSchema;
use serde::Deserialize;

use crate::capability::Fault;
use crate::quantity::{Bytes, Span};
use crate::slice::Caps;

/// How much one start of a program may use, its descendants included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Processor time in milliseconds of all its processes together.
    pub cpu_ms: u64,
    /// Address space of each process, and resident memory of all together, in bytes.
    pub memory_bytes: u64,
    /// Processes and threads at once.
    pub processes: u64,
    /// Open descriptors of each process.
    pub open_files: u64,
    /// Longest file that it can write, in bytes.
    pub file_bytes: u64,
    /// Kept of each of stdout and stderr, in bytes; the rest is read, counted and dropped.
    pub output_bytes: u64,
    /// From the start to the end in milliseconds, never past the call's own deadline.
    pub time_ms: u64,
}

/// Limits as people write them. What is left out isn't narrowed.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsEntry {
    /// Processor time of all its processes together: `60s`.
    #[serde(default)]
    pub cpu: Option<Span>,
    /// Address space of each process and resident memory of all: `1GiB`.
    #[serde(default)]
    pub memory: Option<Bytes>,
    /// Processes and threads at once: 32.
    #[serde(default)]
    pub processes: Option<u64>,
    /// Open descriptors of each process: 256.
    #[serde(default)]
    pub open_files: Option<u64>,
    /// Longest file: `1GiB`.
    #[serde(default)]
    pub file_size: Option<Bytes>,
    /// Kept of each of stdout and stderr: `1MiB`.
    #[serde(default)]
    pub output: Option<Bytes>,
    /// From start to end: `300s`, which is also the most.
    #[serde(default)]
    pub time: Option<Span>,
}

impl Limits {
    /// What a program gets when nobody said otherwise: enough for a build step or a fetch of a
    /// repository, too little to be in the way of a host with other work.
    pub const DEFAULT: Self = Self {
        cpu_ms: 60_000,
        memory_bytes: 1 << 30,
        processes: 32,
        open_files: 256,
        file_bytes: 1 << 30,
        output_bytes: 1 << 20,
        time_ms: Self::TIME_MS_MAX,
    };
    /// The longest any program may run.
    pub const TIME_MS_MAX: u64 = 300_000;
    /// The most of its output that can be kept: more is a file's business.
    pub const OUTPUT_BYTES_MAX: u64 = 64 << 20;
    /// Fewer descriptors than these and no program with a library starts.
    const OPEN_FILES_MIN: u64 = 8;

    /// No limit at all: what narrows nothing.
    pub const NONE: Self = Self {
        cpu_ms: u64::MAX,
        memory_bytes: u64::MAX,
        processes: u64::MAX,
        open_files: u64::MAX,
        file_bytes: u64::MAX,
        output_bytes: u64::MAX,
        time_ms: u64::MAX,
    };

    /// What is written, over `otherwise` where it isn't.
    pub(super) fn new(entry: &LimitsEntry, otherwise: Self) -> Result<Self, Fault> {
        let limits = Self {
            cpu_ms: entry.cpu.map_or(otherwise.cpu_ms, Span::as_millis),
            memory_bytes: entry.memory.map_or(otherwise.memory_bytes, |size| size.0),
            processes: entry.processes.unwrap_or(otherwise.processes),
            open_files: entry.open_files.unwrap_or(otherwise.open_files),
            file_bytes: entry.file_size.map_or(otherwise.file_bytes, |size| size.0),
            output_bytes: entry.output.map_or(otherwise.output_bytes, |size| size.0),
            time_ms: entry.time.map_or(otherwise.time_ms, Span::as_millis),
        };
        let fault = |key: &str, reason: &str| Err(Fault::at(format!("/limits/{key}"), reason));
        if entry.time.is_some() && limits.time_ms > Self::TIME_MS_MAX {
            return fault("time", "no program runs for longer than 300s");
        }
        if entry.output.is_some() && limits.output_bytes > Self::OUTPUT_BYTES_MAX {
            return fault("output", "at most 64MiB of it are kept");
        }
        if limits.open_files < Self::OPEN_FILES_MIN {
            return fault("open_files", "no program starts with fewer than 8");
        }
        for (key, value) in [
            ("cpu", limits.cpu_ms),
            ("memory", limits.memory_bytes),
            ("processes", limits.processes),
            ("time", limits.time_ms),
        ] {
            if value == 0 {
                return fault(key, "with none of it, no program starts");
            }
        }
        Ok(limits)
    }

    fn merged(self, other: Self, of: fn(u64, u64) -> u64) -> Self {
        Self {
            cpu_ms: of(self.cpu_ms, other.cpu_ms),
            memory_bytes: of(self.memory_bytes, other.memory_bytes),
            processes: of(self.processes, other.processes),
            open_files: of(self.open_files, other.open_files),
            file_bytes: of(self.file_bytes, other.file_bytes),
            output_bytes: of(self.output_bytes, other.output_bytes),
            time_ms: of(self.time_ms, other.time_ms),
        }
    }
}

impl Caps for Limits {
    fn widest(self, other: Self) -> Self {
        self.merged(other, u64::max)
    }

    fn narrowest(self, other: Self) -> Self {
        self.merged(other, u64::min)
    }
}
