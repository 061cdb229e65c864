//! Memory: what one call may hold, and what all calls may hold together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::ResourceLimiter;

use crate::engine::CORE_INSTANCES_MAX;
use crate::meter::Meter;

/// Host bytes of one table element: a pointer.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();

/// The memory set aside for all guests together, so that a crowd within its limits can't take the
/// host down.
#[derive(Clone)]
pub(crate) struct Budget {
    used: Arc<AtomicU64>,
    max: u64,
}

impl Budget {
    pub(crate) fn new(max: u64) -> Self {
        Self {
            used: Arc::default(),
            max,
        }
    }

    fn take(&self, bytes: u64) -> bool {
        let taken = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(bytes).filter(|sum| *sum <= self.max)
            });
        taken.is_ok()
    }

    fn give_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Sums the memories and tables of one store, whatever number of instances they belong to.
pub(crate) struct Limiter {
    meter: Arc<Meter>,
    budget: Budget,
    held: u64,
    /// The growth that was allowed last, in case the engine can't do it.
    allowed: u64,
    max: u64,
}

impl Limiter {
    pub(crate) fn new(meter: Arc<Meter>, budget: Budget, max: u64) -> Self {
        Self {
            meter,
            budget,
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
        if !self.budget.take(more) {
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
    /// The engine could not do what was allowed: its own bound on one memory or table is lower.
    fn failed(&mut self) {
        let taken = std::mem::take(&mut self.allowed);
        self.held -= taken;
        self.budget.give_back(taken);
        self.meter.refuse_memory();
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.budget.give_back(self.held);
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
    use super::*;
    use cofferdam_types::Limits;

    #[test]
    fn memories_and_tables_are_summed_and_given_back() {
        let budget = Budget::new(1_000);
        let meter = Arc::new(Meter::new(&Limits::DEFAULT));
        let mut first = Limiter::new(meter.clone(), budget.clone(), 600);
        assert!(first.grow(0, 400, 1));
        assert!(first.grow(0, 20, 8));
        assert!(!first.grow(400, 500, 1));
        assert!(meter.memory_refused());
        let mut second = Limiter::new(meter.clone(), budget.clone(), 600);
        assert!(!second.grow(0, 500, 1), "the budget of all is used up");
        drop(first);
        assert!(second.grow(0, 500, 1));
    }
}
