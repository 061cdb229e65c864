/// How many runs at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Runs that are driven at the same time; further ones wait, the most urgent first. A driver
    /// is cheap, but each may hold results of its run in memory. With 0, runs rest; one that is
    /// cancelled is still brought to its end.
    pub drivers_max: usize,
    /// Runs that wait for a driver; a start beyond it is refused with `unavailable`. A waiting run
    /// costs some hundred bytes; the bound keeps a client that never waits from filling the store.
    pub waiting_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            drivers_max: 64,
            waiting_max: 10_000,
        }
    }
}
