//! Puts secrets into what a program is given as input: there alone, never into its arguments or its
//! environment, which others on the machine can see.

use cofferdam_policy::capability::secrets::{Use, Way};
use cofferdam_types::call::Denial;

use super::filling::Filling;
use super::{Held, MARK, PLACEHOLDER_CHARS};

impl Held {
    /// The input of a program with the values of the placeholders that stand in it.
    ///
    /// **Errors**: the denial, not noted yet, when a secret may not go to this program or is not
    /// there.
    pub(crate) async fn fill_stdin(
        &self,
        program: &str,
        stdin: Vec<u8>,
    ) -> Result<Vec<u8>, Denial> {
        let mut values = Filling::of(self);
        let mut filled = Vec::with_capacity(stdin.len());
        let mut rest = stdin.as_slice();
        while let Some(at) = rest
            .windows(MARK.len())
            .position(|part| part == MARK.as_bytes())
        {
            let whole = rest.get(at..at + PLACEHOLDER_CHARS);
            let meant = whole
                .and_then(|whole| std::str::from_utf8(whole).ok())
                .and_then(|whole| self.meant(whole));
            let Some(name) = meant else {
                let (before, after) = rest.split_at(at + MARK.len());
                filled.extend_from_slice(before);
                rest = after;
                continue;
            };
            let ask = Use {
                name: name.to_string(),
                way: Way::Stdin {
                    program: program.to_owned(),
                },
            };
            let value = values.value(&ask).await?;
            filled.extend_from_slice(&rest[..at]);
            filled.extend_from_slice(value.reveal().as_bytes());
            rest = &rest[at + PLACEHOLDER_CHARS..];
        }
        filled.extend_from_slice(rest);
        Ok(filled)
    }

    /// Whether a text has a placeholder of this call in it.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.find(text).is_some()
    }
}
