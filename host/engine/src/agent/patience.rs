//! How long the engine puts up with a store that does not answer.

use std::future::Future;
use std::time::Duration;

use cofferdam_store_api::StoreError;

/// Attempts before a driver gives its run up; with the waits below about sixteen seconds, longer
/// than a store takes to restart or to fail over.
pub(crate) const TRIES: u32 = 10;
/// First wait; doubles each time.
const WAIT_FIRST: Duration = Duration::from_millis(50);
/// Longest wait.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// How long a run that was given up rests before somebody drives it again.
pub(crate) const REST: Duration = Duration::from_secs(5);

/// How long to wait after the `failed`th attempt in a row failed, from 1.
pub(crate) fn wait_after(failed: u32) -> Duration {
    let doubled = 1_u32
        .checked_shl(failed.saturating_sub(1))
        .unwrap_or(u32::MAX);
    WAIT_FIRST.saturating_mul(doubled).min(WAIT_MAX)
}

/// Repeats `attempt` while the store is unavailable, at most `tries` times.
pub(crate) async fn patiently<T, F>(
    tries: u32,
    mut attempt: impl FnMut() -> F + Send,
) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>> + Send,
{
    let mut failed = 0;
    loop {
        match attempt().await {
            Err(StoreError::Unavailable(reason)) => {
                failed += 1;
                if failed >= tries {
                    return Err(StoreError::Unavailable(reason));
                }
                tokio::time::sleep(wait_after(failed)).await;
            }
            other => return other,
        }
    }
}
