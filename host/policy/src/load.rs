//! Limits over many calls: how many at once, how many in a time, how much memory together.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::quantity::{Bytes, Span};

/// A limit over the calls of each tool, each agent, each tenant, or all of them.
///
/// ```yaml
/// - per: tenant
///   concurrency: 20
///   rate: {calls: 600, within: 1m}
///   memory: 1GiB
///   over: throttle
///   wait: 5s
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Whose calls are counted together.
    pub per: Per,
    /// Calls at once, waiting ones of theirs excluded. No limit when left out.
    #[serde(default)]
    pub concurrency: Option<NonZeroU32>,
    /// Calls in a time. No limit when left out.
    #[serde(default)]
    pub rate: Option<Rate>,
    /// The memory limits of the calls that run, summed. No limit when left out.
    #[serde(default)]
    pub memory: Option<Bytes>,
    /// What happens to a call over it. Left out: it is rejected.
    #[serde(default)]
    pub over: Over,
    /// How long a call waits that is throttled, within its deadline. Left out: a second.
    #[serde(default)]
    pub wait: Option<Span>,
}

/// Whose calls are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Those of one tool, in every version, in one tenant.
    Tool,
    /// Those on behalf of one agent. Other calls are not counted.
    Agent,
    /// Those of one tenant.
    Tenant,
    /// All.
    Total,
}

/// So many calls in a time: in every stretch of that length, wherever it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// How many, 1 to 10,000.
    #[schemars(range(max = 10_000))]
    pub calls: NonZeroU32,
    /// In which time.
    pub within: Span,
}

impl Rate {
    /// Most calls of a rate: the time of each is remembered.
    pub const CALLS_MAX: u32 = 10_000;
}

/// What happens to a call over a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// It is refused at once.
    #[default]
    Reject,
    /// It waits its turn for a bounded time, and is refused then.
    Throttle,
    /// A person has to agree.
    Ask,
}

impl Load {
    /// How long a throttled call waits where nothing is said: a pause that a person doesn't notice
    /// much and that smooths a burst.
    pub const WAIT: Span = Span::from_millis(1_000);

    /// What is wrong with it, and where inside it.
    pub fn fault(&self) -> Option<(&'static str, &'static str)> {
        let limits_nothing =
            self.concurrency.is_none() && self.rate.is_none() && self.memory.is_none();
        let too_many = self
            .rate
            .is_some_and(|rate| rate.calls.get() > Rate::CALLS_MAX);
        if limits_nothing {
            Some(("", "expected `concurrency`, `rate` or `memory`"))
        } else if too_many {
            Some(("/rate/calls", "expected at most 10000"))
        } else if self.rate.is_some_and(|rate| rate.within.as_millis() == 0) {
            Some(("/rate/within", "expected some time"))
        } else if self.wait.is_some() && self.over != Over::Throttle {
            Some(("/wait", "only a call that is throttled waits"))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_says_what_it_limits() {
        let read = |yaml: &str| serde_saphyr::from_str::<Load>(yaml);
        let load = read("{per: tool, rate: {calls: 5, within: 1s}, over: throttle, wait: 2s}")
            .expect("a load");
        assert_eq!(
            (load.per, load.over, load.fault()),
            (Per::Tool, Over::Throttle, None)
        );
        for (yaml, pointer) in [
            ("{per: total}", ""),
            (
                "{per: total, rate: {calls: 10001, within: 1s}}",
                "/rate/calls",
            ),
            ("{per: total, rate: {calls: 1, within: 0s}}", "/rate/within"),
            ("{per: total, concurrency: 1, wait: 1s}", "/wait"),
        ] {
            let fault = read(yaml).expect(yaml).fault();
            assert_eq!(fault.map(|(pointer, _)| pointer), Some(pointer), "{yaml}");
        }
        for unreadable in [
            "{}",
            "{per: total, concurrency: 0}",
            "{per: all, concurrency: 1}",
        ] {
            assert!(read(unreadable).is_err(), "{unreadable}");
        }
    }
}
