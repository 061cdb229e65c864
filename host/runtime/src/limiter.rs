//! Memory: what one call may hold.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use crate::budget::Reservation;
use crate::engine::CORE_INSTANCES_MAX;
use crate::meter::Meter;

/// Host bytes of one table element: a pointer.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();

/// Sums the memories and tables of one store, whatever number of instances they belong to.
pub(crate) struct Limiter {
    meter: Arc<Meter>,
    /// Of all guests' memory, this one's part: what it holds, the host's copy of its arguments, and
    /// what it is expected to need.
    reservation: Reservation,
    /// The host's copy of its arguments.
    host_bytes: u64,
    held: u64,
    /// The growth that was allowed last, in case the engine can't do it.
    allowed: u64,
    max: u64,
}

impl Limiter {
    /// For a guest that may hold `max`, of whose reservation `host_bytes` are not its own.
    pub(crate) fn new(
        meter: Arc<Meter>,
        reservation: Reservation,
        host_bytes: u64,
        max: u64,
    ) -> Self {
        Self {
            meter,
            reservation,
            host_bytes,
            held: 0,
            allowed: 0,
            max,
        }
    }

    fn grow(&mut self, current: usize, desired: usize, unit: usize) -> bool {
        self.allowed = 0;
        let more = desired.saturating_sub(current).saturating_mul(unit) as u64;
        let sum = self.held.saturating_add(more);
        if sum > self.max {
            self.meter.refuse_memory();
            return false;
        }
        let needed = self.host_bytes.saturating_add(sum);
        let lacks = needed.saturating_sub(self.reservation.bytes());
        if lacks > 0 && !self.reservation.extend(lacks) {
            self.meter.refuse_host_memory();
            return false;
        }
        self.held = sum;
        self.allowed = more;
        self.meter.saw_memory(sum);
        true
    }
}

impl Limiter {
    /// What its memories and tables hold.
    pub(crate) fn held(&self) -> u64 {
        self.held
    }

    /// The engine could not do what was allowed: its own bound on one memory or table is lower.
    fn failed(&mut self) {
        let taken = std::mem::take(&mut self.allowed);
        self.held -= taken;
        self.meter.refuse_memory();
    }
}

/// A refused growth is an answer, not a trap: a guest may free something and try again. When it
/// gives up instead, the call ends with the refusal as its cause.
impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, 1))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, TABLE_ELEMENT_BYTES))
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.failed();
        Ok(())
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.failed();
        Ok(())
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES_MAX as usize
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_types::Limits;

    use super::*;
    use crate::budget::Budget;
    use crate::ledger::Ledger;

    #[test]
    fn memories_and_tables_are_summed_and_given_back() {
        let budget = Budget::new(1_000);
        let meter = Arc::new(Meter::new(&Limits::DEFAULT, Ledger::default()));
        let limiter = |expected: u64| {
            let reservation = budget.try_reserve(expected).expect("free");
            Limiter::new(meter.clone(), reservation, 10, 600)
        };
        let mut first = limiter(110);
        assert!(first.grow(0, 400, 1));
        assert!(first.grow(0, 20, 8));
        assert!(!first.grow(400, 500, 1));
        assert!(meter.memory_refused());
        assert_eq!((first.held(), budget.used()), (560, 570));
        let mut second = limiter(10);
        assert!(!second.grow(0, 421, 1), "the budget of all is used up");
        assert!(meter.host_memory_refused());
        drop(first);
        assert!(second.grow(0, 421, 1));
    }

    #[test]
    fn what_was_reserved_is_there() {
        let budget = Budget::new(1_000);
        let meter = Arc::new(Meter::new(&Limits::DEFAULT, Ledger::default()));
        let reservation = budget.try_reserve(500).expect("free");
        let mut limiter = Limiter::new(meter, reservation, 100, 600);
        let rest = budget.try_reserve(500).expect("free");
        assert!(limiter.grow(0, 400, 1), "within its reservation");
        assert!(!limiter.grow(400, 401, 1));
        drop(rest);
        assert!(limiter.grow(400, 401, 1));
    }
}
