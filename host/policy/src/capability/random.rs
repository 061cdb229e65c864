//! Randomness: where a guest's random bytes come from.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Capability, Fault};
use crate::slice::{Caps, Pattern};

/// An entry of a policy: `real`, or `{seeded: 7}`; below `deny` only `any`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "RandomEntry")]
pub enum Entry {
    /// Every source; below `deny`.
    Any,
    /// The machine's secure generator.
    Real,
    /// A generator that starts from this number at each call, so that a call can be repeated. What
    /// it gives is no secret.
    Seeded(u64),
}

/// Which source. A real one is more than a seeded one, a larger seed more than a smaller: where
/// several are allowed the guest gets the most, across layers the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RandomMode {
    /// The same bytes at each call.
    Seeded(u64),
    /// The machine's.
    Real,
}

/// What one entry covers: every use of randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Random {
    mode: RandomMode,
}

impl Random {
    /// The machine's secure generator.
    pub const REAL: Self = Self {
        mode: RandomMode::Real,
    };
}

impl Caps for RandomMode {
    fn widest(self, other: Self) -> Self {
        self.max(other)
    }

    fn narrowest(self, other: Self) -> Self {
        self.min(other)
    }
}

impl Pattern for Random {
    type Ask = ();
    type Caps = RandomMode;

    fn covers(&self, (): &()) -> bool {
        true
    }

    fn caps(&self) -> RandomMode {
        self.mode
    }
}

impl Capability for Random {
    const NAME: &'static str = "random";

    fn slice(grant: &crate::Grant) -> &crate::Slice<Self> {
        &grant.slices.random
    }

    type Entry = Entry;

    fn allow(entry: Entry) -> Result<Self, Fault> {
        match entry {
            Entry::Any => Err(Fault::at("", "say which: `real`, or `seeded` and a number")),
            Entry::Real => Ok(Self::REAL),
            Entry::Seeded(seed) => Ok(Self {
                mode: RandomMode::Seeded(seed),
            }),
        }
    }

    fn deny(entry: Entry) -> Result<Self, Fault> {
        match entry {
            Entry::Any => Ok(Self::REAL),
            Entry::Real | Entry::Seeded(_) => Err(Fault::at("", "a deny of randomness is `any`")),
        }
    }

    fn bound(&self, _: &serde_json::Value) -> Option<Self> {
        Some(*self)
    }

    fn is_bound_by_arguments(&self) -> bool {
        false
    }

    fn dangers(&self) -> Vec<String> {
        match self.mode {
            RandomMode::Real => Vec::new(),
            RandomMode::Seeded(_) => vec![
                "bytes of a seeded generator are known to whoever reads the policy: a key made of \
                 them protects nothing"
                    .to_owned(),
            ],
        }
    }

    fn operation((): &()) -> String {
        "read".to_owned()
    }

    fn resource((): &()) -> String {
        "random bytes".to_owned()
    }

    fn smallest((): &()) -> String {
        "real".to_owned()
    }
}
