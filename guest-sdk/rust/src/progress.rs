//! How far a call is.

use crate::host;

/// Says that `done` of `total` is done, in any unit; no total when it is not known. `message` is
/// for people and may be empty.
///
/// Costs next to nothing when nobody watches. In a native test it goes to stderr.
///
/// ```
/// cofferdam_sdk::progress(3, Some(10), "files read");
/// cofferdam_sdk::progress(0.5, None, "");
/// ```
pub fn progress<A: Amount>(done: A, total: Option<A>, message: &str) {
    host::report(done.amount(), total.map(Amount::amount), message);
}

/// A number that progress can be counted in.
pub trait Amount: sealed::Sealed {
    /// The number; above 2⁵³ the nearest one that a float has.
    fn amount(self) -> f64;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! amounts {
    ($($number:ty),*) => {$(
        impl sealed::Sealed for $number {}

        impl Amount for $number {
            #[allow(
                clippy::cast_precision_loss,
                clippy::cast_lossless,
                reason = "no more precise than a progress bar"
            )]
            fn amount(self) -> f64 {
                self as f64
            }
        }
    )*};
}

amounts!(i32, i64, u8, u16, u32, u64, usize, f32, f64);
