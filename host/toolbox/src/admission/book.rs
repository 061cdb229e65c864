//! The arithmetic of places: no clock, no waiting.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use cofferdam_policy::{Load, Over, Per};

/// Seats that are remembered though nobody sits there, since calls in a time count; above it those
/// whose time is over are forgotten.
const IDLE_MAX: usize = 1_024;

/// What is counted together: under which limit, and whose calls. A limit is known by what it says,
/// so that it goes on counting when another policy has it in another place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Seat {
    per: Per,
    concurrency: Option<u32>,
    rate: Option<(u32, Duration)>,
    memory: Option<u64>,
    of: String,
}

/// One limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) per: Per,
    pub(crate) concurrency: Option<u32>,
    /// So many in such a time.
    pub(crate) rate: Option<(u32, Duration)>,
    pub(crate) memory: Option<u64>,
    pub(crate) over: Over,
    pub(crate) wait: Duration,
}

/// What a call wants under one limit.
#[derive(Debug, Clone)]
pub(crate) struct Want {
    pub(crate) seat: Seat,
    pub(crate) limit: Limit,
    pub(crate) memory: u64,
}

/// What a call has under one limit.
#[derive(Debug)]
pub(crate) struct Held {
    seat: Seat,
    memory: u64,
}

/// Who sits where.
#[derive(Debug, Default)]
pub(crate) struct Book(HashMap<Seat, Sitting>);

#[derive(Debug, Default)]
struct Sitting {
    running: u32,
    memory: u64,
    /// When the last ones began, oldest first, as far back as the rate looks.
    begun: VecDeque<Instant>,
    within: Duration,
}

impl Limit {
    pub(crate) fn of(load: &Load) -> Self {
        Self {
            per: load.per,
            concurrency: load.concurrency.map(std::num::NonZeroU32::get),
            rate: load.rate.map(|rate| (rate.calls.get(), rate.within.into())),
            memory: load.memory.map(|memory| memory.0),
            over: load.over,
            wait: load.wait.unwrap_or(Load::WAIT).into(),
        }
    }

    /// Where those calls are counted under it.
    pub(crate) fn seat(&self, of: String) -> Seat {
        Seat {
            per: self.per,
            concurrency: self.concurrency,
            rate: self.rate,
            memory: self.memory,
            of,
        }
    }

    pub(crate) fn whose(&self) -> &'static str {
        match self.per {
            Per::Tool => "of this tool",
            Per::Agent => "of this agent",
            Per::Tenant => "of this tenant",
            Per::Total => "of this host",
        }
    }

    /// True when it limits memory and nothing else.
    pub(crate) fn is_memory_alone(&self) -> bool {
        self.concurrency.is_none() && self.rate.is_none()
    }
}

impl Book {
    /// Takes all that is wanted, or nothing.
    ///
    /// **Errors**: the first limit that stands in the way, and when it will not if nobody else comes,
    /// where only time can tell.
    pub(crate) fn enter(
        &mut self,
        now: Instant,
        wants: &[Want],
    ) -> Result<Vec<Held>, (Limit, Option<Instant>)> {
        for want in wants {
            let checked = match self.0.get_mut(&want.seat) {
                Some(sitting) => {
                    sitting.forget(now);
                    sitting.check(want)
                }
                // The first one can want more than there is, too.
                None => Sitting::default().check(want),
            };
            checked.map_err(|retry| (want.limit, retry))?;
        }
        self.tidy(now);
        let held = wants.iter().map(|want| {
            let sitting = self.0.entry(want.seat.clone()).or_default();
            sitting.running += 1;
            sitting.memory += want.memory;
            if let Some((_, within)) = want.limit.rate {
                sitting.within = within;
                sitting.begun.push_back(now);
            }
            Held {
                seat: want.seat.clone(),
                memory: want.memory,
            }
        });
        Ok(held.collect())
    }

    /// The limit to name when others wait for one of the seats already.
    pub(crate) fn first_limit(wants: &[Want]) -> (Limit, Option<Instant>) {
        let throttled = wants.iter().find(|want| want.limit.over == Over::Throttle);
        let limit = throttled.or(wants.first()).map(|want| want.limit);
        (limit.unwrap_or(NO_LIMIT), None)
    }

    pub(crate) fn leave(&mut self, held: &[Held]) {
        for held in held {
            let Some(sitting) = self.0.get_mut(&held.seat) else {
                continue;
            };
            sitting.running -= 1;
            sitting.memory -= held.memory;
            if sitting.is_idle() && sitting.begun.is_empty() {
                self.0.remove(&held.seat);
            }
        }
    }

    fn tidy(&mut self, now: Instant) {
        if self.0.len() > IDLE_MAX {
            self.0.retain(|_, sitting| {
                sitting.forget(now);
                !(sitting.is_idle() && sitting.begun.is_empty())
            });
        }
    }

    #[cfg(test)]
    pub(crate) fn running(&self) -> (u64, u64) {
        let sum = |of: fn(&Sitting) -> u64| self.0.values().map(of).sum();
        (
            sum(|sitting| u64::from(sitting.running)),
            sum(|sitting| sitting.memory),
        )
    }
}

/// Stands where a call wants nothing, which never stands in its way.
const NO_LIMIT: Limit = Limit {
    per: Per::Total,
    concurrency: None,
    rate: None,
    memory: None,
    over: Over::Reject,
    wait: Duration::ZERO,
};

impl Sitting {
    /// **Errors**: when it will fit, where only time can tell.
    fn check(&self, want: &Want) -> Result<(), Option<Instant>> {
        let Limit {
            concurrency,
            rate,
            memory,
            ..
        } = want.limit;
        if concurrency.is_some_and(|most| self.running >= most) {
            return Err(None);
        }
        if memory.is_some_and(|most| self.memory.saturating_add(want.memory) > most) {
            return Err(None);
        }
        match rate {
            Some((calls, within)) if self.begun.len() >= calls as usize => {
                let makes_room = self.begun.len() - calls as usize;
                Err(self.begun.get(makes_room).map(|begun| *begun + within))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Forgets calls that began so long ago that no stretch of the rate's length holds them and now.
    fn forget(&mut self, now: Instant) {
        while let Some(begun) = self.begun.front()
            && *begun + self.within <= now
        {
            self.begun.pop_front();
        }
    }

    fn is_idle(&self) -> bool {
        self.running == 0 && self.memory == 0
    }
}
