use std::fmt;
use std::str::FromStr;

use cofferdam_store_api::KeyRecord;
use cofferdam_types::{Ambient, KeyId};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::hex;

/// Marks our keys, so that a scanner that finds one in a log or a repository knows what it is.
const PREFIX: &str = "cof_";

/// 256 bits can't be guessed, which is why a fast hash of them is enough to keep.
const SECRET_BYTES: usize = 32;

/// An API key as its holder has it.
///
/// **Shape**: `cof_`, the key's id as 32 hexadecimal digits, `_`, and the secret as 64 hexadecimal
/// digits, all lower-case. `Debug` shows the id only; the whole text leaves through
/// [`ApiKey::reveal`] alone.
#[derive(Clone)]
pub struct ApiKey {
    id: KeyId,
    secret: [u8; SECRET_BYTES],
}

/// The text is not an API key. Says no more: the text may be a secret with a typing error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an API key: expected `cof_<id>_<secret>`")]
pub struct BadKey;

impl ApiKey {
    /// Makes a new key from the randomness of `ambient`.
    pub fn generate(ambient: &dyn Ambient) -> Self {
        let mut secret = [0; SECRET_BYTES];
        ambient.fill(&mut secret);
        Self {
            id: KeyId::generate(ambient),
            secret,
        }
    }

    /// Names the key; not secret.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The whole text, to be handed to its holder once.
    pub fn reveal(&self) -> String {
        let mut text = String::with_capacity(PREFIX.len() + 32 + 1 + 2 * SECRET_BYTES);
        text.push_str(PREFIX);
        let written = hex::write(&mut text, self.id.as_bytes())
            .and_then(|()| fmt::Write::write_char(&mut text, '_'))
            .and_then(|()| hex::write(&mut text, &self.secret));
        debug_assert!(written.is_ok(), "writing to a string does not fail");
        text
    }

    /// What a store keeps of the secret.
    pub(crate) fn secret_hash(&self) -> [u8; 32] {
        Sha256::digest(self.secret).into()
    }

    /// Whether the store's record is of this key. Without a record the same work is done, so that
    /// the time of the answer doesn't tell which ids exist.
    pub(crate) fn matches(&self, record: Option<&KeyRecord>) -> bool {
        let kept = record.map_or(&[0; 32], |record| &record.secret_hash);
        let same = bool::from(self.secret_hash().ct_eq(kept));
        same & record.is_some()
    }
}

impl FromStr for ApiKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let (id, secret) = text
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('_'))
            .ok_or(BadKey)?;
        Ok(Self {
            id: id_of(id).ok_or(BadKey)?,
            secret: hex::read(secret).ok_or(BadKey)?,
        })
    }
}

/// An id from its 32 digits, by way of the hyphenated form that ids are read from.
fn id_of(digits: &str) -> Option<KeyId> {
    hex::read::<16>(digits)?;
    let part = |range| digits.get(range);
    let parts = [
        part(0..8)?,
        part(8..12)?,
        part(12..16)?,
        part(16..20)?,
        part(20..32)?,
    ];
    parts.join("-").parse().ok()
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}, …)", self.id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "cof_0192f7a47c5e7d2a8f000123456789ab_\
        000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn reads_back_what_it_reveals_and_hides_it_elsewhere() {
        let key: ApiKey = TEXT.parse().expect("well-formed");
        assert_eq!(key.reveal(), TEXT);
        assert_eq!(
            key.id().to_string(),
            "key_0192f7a4-7c5e-7d2a-8f00-0123456789ab"
        );
        assert_eq!(
            format!("{key:?}"),
            "ApiKey(key_0192f7a4-7c5e-7d2a-8f00-0123456789ab, …)"
        );
    }

    #[test]
    fn refuses_every_other_spelling() {
        let upper = TEXT.to_uppercase();
        let shorter = &TEXT[..TEXT.len() - 1];
        let (longer, spaced) = (format!("{TEXT}0"), format!(" {TEXT}"));
        let hyphenated = TEXT.replace("0192f7a47c5e", "0192f7a4-7c5");
        let other_letter = TEXT.replace("cof_", "c\u{43e}f_");
        let wide = TEXT.replace("1d1e1f", "1d1\u{e9}f");
        for text in [
            "",
            "cof_",
            "cof__",
            &upper,
            shorter,
            &longer,
            &spaced,
            &hyphenated,
            &other_letter,
            &wide,
        ] {
            assert_eq!(text.parse::<ApiKey>().err(), Some(BadKey), "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "(cof_)?[0-9a-fé_]{0,120}") {
            if let Ok(key) = text.parse::<ApiKey>() {
                prop_assert_eq!(key.reveal(), text);
            }
        }
    }
}
