//! Time: which clock a guest reads.

use cofferdam_types::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Capability, Fault};
use crate::slice::{Caps, Pattern};

/// An entry of a policy: `real`, or `{frozen: 2026-01-01T00:00:00Z}`; below `deny` only `any`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ClocksEntry")]
pub enum Entry {
    /// Every clock; below `deny`.
    Any,
    /// The machine's clocks, and timers.
    Real,
    /// The wall clock always shows this time, RFC 3339; timers fire and the monotonic clock runs
    /// on from zero.
    Frozen(#[schemars(with = "String")] Timestamp),
}

/// Which clock. A real one is more than a frozen one, a later frozen time more than an earlier:
/// where several are allowed the guest gets the most, across layers the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClockMode {
    /// Shows one time for ever.
    Frozen(Timestamp),
    /// The machine's.
    Real,
}

/// What one entry covers: every use of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    mode: ClockMode,
}

impl Clocks {
    /// The machine's clocks.
    pub const REAL: Self = Self {
        mode: ClockMode::Real,
    };
}

impl Caps for ClockMode {
    fn widest(self, other: Self) -> Self {
        self.max(other)
    }

    fn narrowest(self, other: Self) -> Self {
        self.min(other)
    }
}

impl Pattern for Clocks {
    type Ask = ();
    type Caps = ClockMode;

    fn covers(&self, (): &()) -> bool {
        true
    }

    fn caps(&self) -> ClockMode {
        self.mode
    }
}

impl Capability for Clocks {
    const NAME: &'static str = "clocks";

    fn slice(grant: &crate::Grant) -> &crate::Slice<Self> {
        &grant.slices.clocks
    }

    type Entry = Entry;

    fn allow(entry: Entry) -> Result<Self, Fault> {
        match entry {
            Entry::Any => Err(Fault::at("", "say which: `real`, or `frozen` and a time")),
            Entry::Real => Ok(Self::REAL),
            Entry::Frozen(time) => Ok(Self {
                mode: ClockMode::Frozen(time),
            }),
        }
    }

    fn deny(entry: Entry) -> Result<Self, Fault> {
        match entry {
            Entry::Any => Ok(Self::REAL),
            Entry::Real | Entry::Frozen(_) => Err(Fault::at("", "a deny of clocks is `any`")),
        }
    }

    fn bound(&self, _: &serde_json::Value) -> Option<Self> {
        Some(*self)
    }

    fn is_bound_by_arguments(&self) -> bool {
        false
    }

    fn dangers(&self) -> Vec<String> {
        Vec::new()
    }

    fn operation((): &()) -> String {
        "read".to_owned()
    }

    fn resource((): &()) -> String {
        "the time".to_owned()
    }

    fn smallest((): &()) -> String {
        "real".to_owned()
    }
}
