//! How much a result may carry.

/// What a result may hold in its JSON form. The host stops at 1 MiB; the rest is kept for the
/// fields around the text.
pub(crate) const RESULT_BYTES: usize = 768 * 1024;

/// What is left of a result.
pub(crate) struct Budget {
    left: usize,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { left: bytes }
    }

    /// Takes `bytes`, or nothing when they are too many.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

/// The length of `text` inside a JSON string.
pub(crate) fn escaped(text: &[u8]) -> usize {
    text.iter()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
            0..0x20 => 6,
            _ => 1,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn escaped_is_what_the_serializer_writes(text in "(?s).{0,40}|[\\x00-\\x7f]{0,40}") {
            let written = serde_json::to_string(&text).expect("a string serializes");
            prop_assert_eq!(escaped(text.as_bytes()) + 2, written.len());
        }
    }

    #[test]
    fn a_budget_takes_all_or_nothing() {
        let mut budget = Budget::new(10);
        assert!(budget.take(6));
        assert!(!budget.take(5));
        assert!(budget.take(4));
        assert!(!budget.take(1));
    }
}
