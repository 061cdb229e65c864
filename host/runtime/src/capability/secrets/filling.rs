use cofferdam_policy::capability::secrets::Use;
use cofferdam_types::SecretValue;
use cofferdam_types::call::Denial;

use super::Held;
use super::inject::refused;

/// Placeholders that are filled in one request or one input, at most: each may stand for 64 KiB, and
/// no protocol wants more than a few.
const FILLED_MAX: usize = 64;

/// The values that go into one request or one input. Each use is decided and its value read once,
/// however often the placeholder stands there.
pub(super) struct Filling<'a> {
    held: &'a Held,
    known: Vec<(Use, SecretValue)>,
    filled: usize,
}

impl<'a> Filling<'a> {
    pub(super) fn of(held: &'a Held) -> Self {
        Self {
            held,
            known: Vec::new(),
            filled: 0,
        }
    }

    /// The value for one placeholder.
    ///
    /// **Errors**: the denial, not noted yet, when it may not go there, is not there, or is one too
    /// many.
    pub(super) async fn value(&mut self, ask: &Use) -> Result<SecretValue, Denial> {
        self.filled += 1;
        if self.filled > FILLED_MAX {
            return Err(refused(ask, "too many placeholders stand in one place"));
        }
        if let Some((_, value)) = self.known.iter().find(|(known, _)| known == ask) {
            return Ok(value.clone());
        }
        let value = self.held.allowed(ask).await?;
        self.known.push((ask.clone(), value.clone()));
        Ok(value)
    }
}
