use crate::Timestamp;

/// What the host asks of the world: the time and unpredictable bytes.
///
/// Passed in wherever either is needed, so that tests can hold the clock.
pub trait Ambient: Send + Sync + 'static {
    /// The wall clock.
    fn now(&self) -> Timestamp;

    /// Fills `bytes` from a cryptographically secure source.
    fn fill(&self, bytes: &mut [u8]);
}
