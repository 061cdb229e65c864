use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much one call may use. Every field holds at once; the first one reached ends the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Instructions, roughly; 10⁹ take 0.1 to 0.3 s. Reached: `fuel_exhausted`.
    pub fuel: u64,
    /// From the moment the call is taken to the answer, waiting and host I/O included, in
    /// milliseconds. Reached: `timeout`.
    pub deadline_ms: u64,
    /// Linear memories and tables together. Reached: the guest's growth fails, and a guest that
    /// gives up over it ends with `memory_exceeded`.
    pub memory_bytes: u64,
    /// Text of the result. Reached: `output_too_large`.
    pub result_bytes: u64,
    /// Kept of each of stdout and stderr; the rest is dropped and counted, the call goes on.
    pub stdio_bytes: u64,
    /// Open handles (files, streams, timers). Reached: `limit_exceeded` with `handles`.
    pub handles: u64,
    /// Allocated on the host for one host call. Reached: `limit_exceeded` with `host_alloc`.
    pub host_alloc_bytes: u64,
}

impl Limits {
    /// What a tool gets when nobody said otherwise.
    ///
    /// Fuel is a few seconds of computing; 64 MiB holds a document and its parse; 1,000 handles
    /// and 8 MiB a host call are more than a tool needs and less than hurts at full concurrency.
    pub const DEFAULT: Self = Self {
        fuel: 10_000_000_000,
        deadline_ms: 30_000,
        memory_bytes: 64 << 20,
        result_bytes: 1 << 20,
        stdio_bytes: 64 << 10,
        handles: 1_000,
        host_alloc_bytes: 8 << 20,
    };

    /// The smaller of both in every field: a request can narrow, never widen.
    pub fn narrowed(self, request: &LimitRequest) -> Self {
        let least = |own: u64, asked: Option<u64>| asked.map_or(own, |asked| own.min(asked));
        Self {
            fuel: least(self.fuel, request.fuel),
            deadline_ms: least(self.deadline_ms, request.deadline_ms),
            memory_bytes: least(self.memory_bytes, request.memory_bytes),
            result_bytes: least(self.result_bytes, request.result_bytes),
            ..self
        }
    }

    /// The deadline as a duration.
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Limits somebody asks for: a tool's author by default, a caller for one call. Absent fields ask
/// for nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitRequest {
    /// See [`Limits::fuel`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// See [`Limits::deadline_ms`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    /// See [`Limits::memory_bytes`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// See [`Limits::result_bytes`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_bytes: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_never_widens() {
        let asked = LimitRequest {
            fuel: Some(u64::MAX),
            deadline_ms: Some(5),
            ..LimitRequest::default()
        };
        let limits = Limits::DEFAULT.narrowed(&asked);
        assert_eq!((limits.fuel, limits.deadline_ms), (Limits::DEFAULT.fuel, 5));
    }
}
