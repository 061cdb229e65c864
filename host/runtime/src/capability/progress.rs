//! Progress of a guest.

use cofferdam_types::call::Progress;

use crate::bindings::cofferdam::tool::progress::Host;
use crate::fuel;
use crate::state::State;

/// Longest message in characters: a line on a screen.
const MESSAGE_CHARS_MAX: usize = 256;

impl Host for State {
    fn report(&mut self, done: f64, total: Option<f64>, message: String) -> wasmtime::Result<()> {
        self.meter.charge(fuel::RECORD);
        // JSON has no word for a number that is not finite.
        if done.is_finite() {
            let total = total.filter(|total| total.is_finite());
            let message = message.chars().take(MESSAGE_CHARS_MAX).collect();
            self.observer.progress(Progress {
                done,
                total,
                message,
            });
        }
        Ok(())
    }
}
