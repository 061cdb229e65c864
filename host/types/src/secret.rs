//! The value of a secret, which shows itself to nobody by accident.

use std::fmt;

use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

/// The text of a secret.
///
/// **Shape**: UTF-8 of 8 bytes to 64 KiB. `Debug` and `Display` hide it, equality takes the same
/// time wherever two values of one length differ, and its memory is overwritten when it is dropped.
/// It leaves through [`SecretValue::reveal`] alone.
#[derive(Clone)]
pub struct SecretValue(Zeroizing<String>);

/// Why a text can't be kept as a secret. Says nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadSecret {
    /// Too short.
    #[error(
        "a secret has at least 8 bytes: a shorter one can be guessed, and can't be searched for in \
         what tools print without hitting ordinary text"
    )]
    Short,
    /// Too long.
    #[error("a secret has at most 64 KiB")]
    Long,
    /// Not text.
    #[error("a secret is UTF-8 text: encode other bytes, as in base64")]
    NotText,
}

impl SecretValue {
    /// Fewest bytes; see [`BadSecret::Short`].
    pub const BYTES_MIN: usize = 8;
    /// Most bytes: room for a chain of certificates and its key.
    pub const BYTES_MAX: usize = 64 << 10;

    /// Takes a text over.
    ///
    /// **Errors**: [`BadSecret`]; the text is overwritten then too.
    pub fn new(text: String) -> Result<Self, BadSecret> {
        let text = Zeroizing::new(text);
        match text.len() {
            0..Self::BYTES_MIN => Err(BadSecret::Short),
            Self::BYTES_MIN..=Self::BYTES_MAX => Ok(Self(text)),
            _ => Err(BadSecret::Long),
        }
    }

    /// Takes bytes over, as they come from a file or a cipher.
    ///
    /// **Errors**: as [`Self::new`], and [`BadSecret::NotText`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, BadSecret> {
        match String::from_utf8(bytes) {
            Ok(text) => Self::new(text),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                Err(BadSecret::NotText)
            }
        }
    }

    /// The text itself: for the one place that uses it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl PartialEq for SecretValue {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for SecretValue {}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_itself_to_nobody() {
        #[derive(Debug)]
        #[expect(dead_code, reason = "read by Debug")]
        struct Settings {
            token: Option<SecretValue>,
        }
        let token = SecretValue::new("hunter2-hunter2".to_owned()).expect("long enough");
        let shown = [
            format!("{token}"),
            format!("{token:?}"),
            format!("{token:#?}"),
            format!("{:?}", Settings { token: Some(token) }),
            format!("{:?}", SecretValue::new("hunter2".to_owned())),
            format!("{:?}", SecretValue::from_bytes(b"hunter2-\xff".to_vec())),
        ];
        for text in shown {
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn has_bounds() {
        let of = |length: usize| SecretValue::new("x".repeat(length)).err();
        assert_eq!(of(7), Some(BadSecret::Short));
        assert_eq!(of(8), None);
        assert_eq!(of(64 << 10), None);
        assert_eq!(of((64 << 10) + 1), Some(BadSecret::Long));
        let bytes = SecretValue::from_bytes(vec![0xff; 9]);
        assert_eq!(bytes, Err(BadSecret::NotText));
    }

    #[test]
    fn equality_is_that_of_the_text() {
        let value = |text: &str| SecretValue::new(text.to_owned()).expect("long enough");
        assert_eq!(value("12345678"), value("12345678"));
        assert_ne!(value("12345678"), value("12345679"));
        assert_ne!(value("12345678"), value("123456789"));
    }
}
