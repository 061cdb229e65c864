use std::time::{SystemTime, UNIX_EPOCH};

use cofferdam_types::{Ambient, Timestamp};
use rand::Rng;

/// The machine's clock and randomness.
pub(crate) struct System;

impl Ambient for System {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the wall clock"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn fill(&self, bytes: &mut [u8]) {
        // Cryptographically secure and seeded by the kernel, without a system call for every id.
        rand::rng().fill_bytes(bytes);
    }
}
