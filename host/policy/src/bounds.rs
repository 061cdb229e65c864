//! Limits as policies have them: they only ever narrow.

use cofferdam_types::Limits;
use cofferdam_types::limits::LimitRequest;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::origin::Origin;
use crate::quantity::{Bytes, Span};

/// Limits of calls. Of several that hold for a call the smallest counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsEntry {
    /// Instructions, roughly; 10⁹ take 0.1 to 0.3 s.
    #[serde(default)]
    pub fuel: Option<u64>,
    /// From the moment the call is taken to its answer.
    #[serde(default)]
    pub deadline: Option<Span>,
    /// Linear memories and tables together.
    #[serde(default)]
    pub memory: Option<Bytes>,
    /// Text of the result.
    #[serde(default)]
    pub result: Option<Bytes>,
    /// Kept of each of stdout and stderr.
    #[serde(default)]
    pub stdio: Option<Bytes>,
    /// Open handles.
    #[serde(default)]
    pub handles: Option<u64>,
    /// Allocated on the host for one host call.
    #[serde(default)]
    pub host_alloc: Option<Bytes>,
}

/// The words of the limits, in the order of `Ceiling`.
pub const LIMITS: [&str; 7] = [
    "fuel",
    "deadline",
    "memory",
    "result",
    "stdio",
    "handles",
    "host_alloc",
];

/// The most a call may have of each limit, and who said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ceiling([(u64, Origin); 7]);

impl LimitsEntry {
    pub(crate) fn values(&self) -> [Option<u64>; 7] {
        let bytes = |size: Option<Bytes>| size.map(|size| size.0);
        [
            self.fuel,
            self.deadline.map(Span::as_millis),
            bytes(self.memory),
            bytes(self.result),
            bytes(self.stdio),
            self.handles,
            bytes(self.host_alloc),
        ]
    }
}

impl Ceiling {
    pub(crate) fn of(limits: &Limits, origin: &Origin) -> Self {
        Self(values(limits).map(|value| (value, origin.clone())))
    }

    /// The operator's word for all calls: it stands where it is given, above or below the default.
    pub(crate) fn set(&mut self, entry: &LimitsEntry, origin: &Origin) {
        for (own, value) in self.0.iter_mut().zip(entry.values()) {
            if let Some(value) = value {
                *own = (value, origin.clone());
            }
        }
    }

    /// The smaller of both. Of equals the one that comes first in its file, so that the order in
    /// which rules are looked at doesn't show.
    pub(crate) fn narrow(&mut self, entry: &LimitsEntry, origin: &Origin) {
        for (own, value) in self.0.iter_mut().zip(entry.values()) {
            if let Some(value) = value
                && value < own.0
            {
                *own = (value, origin.clone());
            }
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        let [
            fuel,
            deadline_ms,
            memory_bytes,
            result_bytes,
            stdio_bytes,
            handles,
            host_alloc_bytes,
        ] = self.0.each_ref().map(|(value, _)| *value);
        Limits {
            fuel,
            deadline_ms,
            memory_bytes,
            result_bytes,
            stdio_bytes,
            handles,
            host_alloc_bytes,
        }
    }

    /// Each limit's word, value and source.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, u64, &Origin)> {
        LIMITS
            .into_iter()
            .zip(&self.0)
            .map(|(word, (value, origin))| (word, *value, origin))
    }
}

/// What a request asks for, in the order of [`LIMITS`].
pub(crate) fn asked(request: &LimitRequest) -> [Option<u64>; 7] {
    [
        request.fuel,
        request.deadline_ms,
        request.memory_bytes,
        request.result_bytes,
        None,
        None,
        None,
    ]
}

/// The fields in the order of [`LIMITS`].
pub(crate) fn values(limits: &Limits) -> [u64; 7] {
    [
        limits.fuel,
        limits.deadline_ms,
        limits.memory_bytes,
        limits.result_bytes,
        limits.stdio_bytes,
        limits.handles,
        limits.host_alloc_bytes,
    ]
}
