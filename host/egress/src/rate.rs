//! So many requests in a span of time, for one tool of one tenant and one host.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cofferdam_policy::capability::network::{Host, Rate};
use tokio::time::Instant;

use crate::session::Owner;

/// Counts that are kept at once. One that has run out is dropped when there is no room; when all
/// still run, a further one is refused: the memory of a limit must have one as well.
const COUNTS_MAX: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Rates {
    /// When the next request would come if all before had come evenly.
    due: Mutex<HashMap<(Owner, Host), Instant>>,
}

/// What the rate says of one request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It may go.
    Now,
    /// It may go in a while, and its place is taken.
    In(Duration),
    /// It may not.
    Never,
}

impl Rates {
    /// Takes a place for one request. One that would have to wait for longer than `patience`, or
    /// whose rate does not wait, takes none.
    pub(crate) fn take(
        &self,
        owner: &Owner,
        host: &Host,
        rate: Rate,
        now: Instant,
        patience: Duration,
    ) -> Turn {
        let mut all = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (owner.clone(), host.clone());
        if all.len() >= COUNTS_MAX && !all.contains_key(&key) {
            all.retain(|_, due| *due > now);
            if all.len() >= COUNTS_MAX {
                return Turn::Never;
            }
        }
        let step = rate.per() / rate.count().get();
        let due = all.get(&key).copied().unwrap_or(now).max(now);
        // The whole count may go at once, if nothing went before.
        let wait = (due + step).saturating_duration_since(now + rate.per());
        if wait.is_zero() {
            all.insert(key, due + step);
            Turn::Now
        } else if rate.waits() && wait <= patience {
            all.insert(key, due + step);
            Turn::In(wait)
        } else {
            Turn::Never
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owner(tool: &str) -> Owner {
        Owner {
            tenant: "default".to_owned(),
            tool: tool.to_owned(),
        }
    }

    fn host() -> Host {
        "api.good.test".parse().expect("a host")
    }

    #[test]
    fn a_count_is_for_one_owner_and_host() {
        let rates = Rates::default();
        let now = Instant::now();
        let one: Rate = "1/min".parse().expect("a rate");
        let take = |tool: &str, host: Host| {
            rates.take(&owner(tool), &host, one, now, Duration::from_secs(30))
        };
        assert_eq!(take("a", host()), Turn::Now);
        assert_eq!(take("a", host()), Turn::Never);
        assert_eq!(take("b", host()), Turn::Now);
        assert_eq!(take("a", "b.test".parse().expect("a host")), Turn::Now);
    }

    #[test]
    fn waiting_is_bounded() {
        let rates = Rates::default();
        let now = Instant::now();
        let rate: Rate = "1/s wait".parse().expect("a rate");
        let take = || rates.take(&owner("a"), &host(), rate, now, Duration::from_secs(2));
        let second = Duration::from_secs(1);
        assert_eq!(take(), Turn::Now);
        assert_eq!(take(), Turn::In(second));
        assert_eq!(take(), Turn::In(2 * second));
        assert_eq!(take(), Turn::Never);
        assert_eq!(take(), Turn::Never, "who is refused takes no place");
    }

    proptest! {
        #[test]
        fn no_span_holds_more_than_twice_the_count(
            gaps in prop::collection::vec(0_u64..400, 1..200),
            count in 1_u32..6,
        ) {
            let rates = Rates::default();
            let rate: Rate = format!("{count}/s").parse().expect("a rate");
            let start = Instant::now();
            let mut at = start;
            let mut went = Vec::new();
            for gap in gaps {
                at += Duration::from_millis(gap);
                if rates.take(&owner("a"), &host(), rate, at, Duration::ZERO) == Turn::Now {
                    went.push(at);
                }
            }
            for first in &went {
                let span = went
                    .iter()
                    .filter(|other| *other >= first && **other < *first + rate.per())
                    .count();
                prop_assert!(span <= 2 * count as usize);
            }
            let all = u32::try_from(went.len()).expect("few");
            let seconds = (at - start).as_secs_f64();
            prop_assert!(f64::from(all) <= f64::from(count) * (seconds + 1.0) + 1.0);
        }
    }
}
