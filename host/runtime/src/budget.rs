//! The memory set aside for all guests together, so that a crowd within its limits can't take the
//! host down.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Memory of all guests. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Budget(Arc<Shared>);

struct Shared {
    max: u64,
    ledger: Mutex<Ledger>,
}

#[derive(Default)]
struct Ledger {
    used: u64,
    waiting: VecDeque<Waiter>,
}

struct Waiter {
    bytes: u64,
    place: oneshot::Sender<Reservation>,
}

/// Memory that one call holds, used or not. Given back when dropped, wherever that is.
pub(crate) struct Reservation {
    budget: Budget,
    bytes: u64,
}

impl Budget {
    pub(crate) fn new(max: u64) -> Self {
        Self(Arc::new(Shared {
            max,
            ledger: Mutex::default(),
        }))
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets memory aside if it is free and nobody waits for it.
    pub(crate) fn try_reserve(&self, bytes: u64) -> Option<Reservation> {
        let mut ledger = self.ledger();
        if !ledger.waiting.is_empty() || !self.take(&mut ledger, bytes) {
            return None;
        }
        drop(ledger);
        Some(self.reservation(bytes))
    }

    /// Sets memory aside if it is free, whoever waits: for those without whom nobody gives any back.
    pub(crate) fn reserve_first(&self, bytes: u64) -> Option<Reservation> {
        let taken = self.take(&mut self.ledger(), bytes);
        taken.then(|| self.reservation(bytes))
    }

    /// Sets memory aside, in the order of asking. Cancel-safe. What is more than all there is is cut
    /// to that.
    pub(crate) async fn reserve(&self, bytes: u64) -> Reservation {
        let bytes = bytes.min(self.0.max);
        let arrival = {
            let mut ledger = self.ledger();
            if ledger.waiting.is_empty() && self.take(&mut ledger, bytes) {
                None
            } else {
                let (place, arrival) = oneshot::channel();
                ledger.waiting.push_back(Waiter { bytes, place });
                Some(arrival)
            }
        };
        match arrival {
            None => self.reservation(bytes),
            // The sender is dropped only after it has sent.
            Some(arrival) => arrival.await.unwrap_or_else(|_| self.reservation(0)),
        }
    }

    fn take(&self, ledger: &mut Ledger, bytes: u64) -> bool {
        let sum = ledger.used.checked_add(bytes);
        let sum = sum.filter(|sum| *sum <= self.0.max);
        ledger.used = sum.unwrap_or(ledger.used);
        sum.is_some()
    }

    fn reservation(&self, bytes: u64) -> Reservation {
        Reservation {
            budget: self.clone(),
            bytes,
        }
    }

    /// Gives back, and lets those in whose turn it is.
    fn give_back(&self, bytes: u64) {
        let mut ready = Vec::new();
        {
            let mut ledger = self.ledger();
            ledger.used -= bytes;
            while let Some(waiter) = ledger.waiting.pop_front() {
                if waiter.place.is_closed() {
                    continue;
                }
                if !self.take(&mut ledger, waiter.bytes) {
                    ledger.waiting.push_front(waiter);
                    break;
                }
                ready.push(waiter);
            }
        }
        for Waiter { bytes, place } in ready {
            // Whoever went away meanwhile gives it back by dropping it.
            drop(place.send(self.reservation(bytes)));
        }
    }

    #[cfg(test)]
    pub(crate) fn used(&self) -> u64 {
        self.ledger().used
    }
}

impl Reservation {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes more, at once or not at all; as [`Budget::reserve_first`].
    pub(crate) fn extend(&mut self, bytes: u64) -> bool {
        let taken = self.budget.take(&mut self.budget.ledger(), bytes);
        if taken {
            self.bytes += bytes;
        }
        taken
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.budget.give_back(self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn first_come_first_served_and_those_that_run_first_of_all() {
        let budget = Budget::new(100);
        let mut first = budget.try_reserve(60).expect("free");
        let mut large = Box::pin(budget.reserve(80));
        let mut small = Box::pin(budget.reserve(10));
        assert!(large.as_mut().now_or_never().is_none());
        assert!(small.as_mut().now_or_never().is_none(), "behind the large");
        assert!(budget.try_reserve(1).is_none(), "behind both");
        assert!(first.extend(40) && !first.extend(1));
        drop(first);
        let large = large.now_or_never().expect("its turn");
        let small = small.now_or_never().expect("its turn");
        assert_eq!(budget.used(), 90);
        drop((large, small));
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn whoever_goes_away_holds_nothing_up() {
        let budget = Budget::new(10);
        let first = budget.try_reserve(10).expect("free");
        let mut gone = Box::pin(budget.reserve(10));
        let mut next = Box::pin(budget.reserve(10));
        assert!(gone.as_mut().now_or_never().is_none());
        assert!(next.as_mut().now_or_never().is_none());
        drop(gone);
        drop(first);
        drop(next.now_or_never().expect("its turn"));
        let first = budget.try_reserve(10).expect("free");
        let mut gone = Box::pin(budget.reserve(10));
        assert!(gone.as_mut().now_or_never().is_none());
        drop(first);
        assert_eq!(budget.used(), 10, "it is its turn");
        drop(gone);
        assert_eq!(budget.used(), 0);
    }

    proptest! {
        #[test]
        fn never_more_than_there_is_and_nothing_leaks(
            steps in prop::collection::vec((0_u8..4, 0_u64..60, any::<prop::sample::Index>()), 1..80),
        ) {
            let budget = Budget::new(100);
            let mut held: Vec<Reservation> = Vec::new();
            let mut waiting = Vec::new();
            for (step, bytes, at) in steps {
                match step {
                    0 => waiting.push(Box::pin({
                        let budget = budget.clone();
                        async move { budget.reserve(bytes).await }
                    })),
                    1 if !held.is_empty() => drop(held.swap_remove(at.index(held.len()))),
                    2 if !waiting.is_empty() => drop(waiting.swap_remove(at.index(waiting.len()))),
                    3 if !held.is_empty() => {
                        let index = at.index(held.len());
                        held[index].extend(bytes);
                    }
                    _ => {}
                }
                let mut still = Vec::new();
                for mut future in waiting {
                    match future.as_mut().now_or_never() {
                        Some(reservation) => held.push(reservation),
                        None => still.push(future),
                    }
                }
                waiting = still;
                let sum: u64 = held.iter().map(Reservation::bytes).sum();
                prop_assert_eq!(budget.used(), sum);
                prop_assert!(sum <= 100);
                prop_assert!(waiting.is_empty() || !held.is_empty(), "nobody waits for nothing");
            }
            drop(waiting);
            held.clear();
            prop_assert_eq!(budget.used(), 0);
        }
    }
}
