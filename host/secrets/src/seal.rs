//! How a value is sealed.
//!
//! **Shape** of a sealed value: the format (1 byte, `0x02`), the nonce (12 bytes, random), the
//! AES-256-GCM ciphertext, its tag (16 bytes).
//!
//! The authenticated data ties it to its place: `cofferdam-secret`, the format, the tenant and the
//! name (each with its length as 4 bytes before it), the version, the time of the first value in
//! milliseconds and the key's id (8 bytes each); all numbers big-endian. So a sealed value that is
//! moved to another name or tenant, or put in the place of a newer one, doesn't open; neither where
//! the secret was removed in between and its versions began anew. A record that is put back as a
//! whole does: only a rotation of the key tells that apart. Random nonces are right for 2^32 values
//! under one key (NIST SP 800-38D, 8.3), far above what a vault holds between two rotations.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use cofferdam_store_api::{SealKeyId, SecretHead};
use cofferdam_types::{Ambient, SecretName, SecretValue, Tenant, Timestamp};
use zeroize::Zeroizing;

/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;
const FORMAT: u8 = 2;
const TAG_BYTES: usize = 16;

/// What a sealed value is tied to.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) tenant: &'a Tenant,
    pub(crate) name: &'a SecretName,
    pub(crate) version: u64,
    /// When the secret got its first value: versions begin anew with another one.
    pub(crate) created_at: Timestamp,
}

impl<'a> Place<'a> {
    pub(crate) fn of(head: &'a SecretHead) -> Self {
        Self {
            tenant: &head.tenant,
            name: &head.name,
            version: head.version,
            created_at: head.created_at,
        }
    }
}

/// A key, and the name that sealed values have for it.
pub(crate) struct SealKey {
    pub(crate) id: SealKeyId,
    pub(crate) created_at: Timestamp,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    key: LessSafeKey,
}

impl SealKey {
    pub(crate) fn new(
        id: SealKeyId,
        created_at: Timestamp,
        bytes: Zeroizing<[u8; KEY_BYTES]>,
    ) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, &*bytes)
            .expect("an array of the length that the cipher takes");
        Self {
            id,
            created_at,
            bytes,
            key: LessSafeKey::new(key),
        }
    }

    pub(crate) fn generate(ambient: &dyn Ambient) -> Self {
        let (mut id, mut bytes) = ([0; 8], Zeroizing::new([0; KEY_BYTES]));
        ambient.fill(&mut id);
        ambient.fill(&mut *bytes);
        Self::new(SealKeyId::new(id), ambient.now(), bytes)
    }

    pub(crate) fn duplicate(&self) -> Self {
        Self::new(self.id, self.created_at, self.bytes.clone())
    }

    /// The key itself, for the file it is kept in.
    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.bytes
    }

    pub(crate) fn seal(
        &self,
        place: Place<'_>,
        value: &SecretValue,
        ambient: &dyn Ambient,
    ) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        ambient.fill(&mut nonce);
        let text = value.reveal().as_bytes();
        // All the room at once: growing would leave the text behind.
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + text.len() + TAG_BYTES);
        sealed.push(FORMAT);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(text);
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                self.tie(place),
                &mut sealed[1 + NONCE_LEN..],
            )
            .expect("a text of at most 64 KiB, which the cipher takes");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// The value; an error for anything but what [`Self::seal`] made for this place.
    pub(crate) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<SecretValue, Unspecified> {
        let (format, rest) = sealed.split_first().ok_or(Unspecified)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Unspecified)?;
        if *format != FORMAT {
            return Err(Unspecified);
        }
        let mut text = Zeroizing::new(rest.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self
            .key
            .open_in_place(nonce, self.tie(place), &mut text)?
            .len();
        text.truncate(length);
        SecretValue::from_bytes(std::mem::take(&mut *text)).map_err(|_| Unspecified)
    }

    fn tie(&self, place: Place<'_>) -> Aad<Vec<u8>> {
        let mut tie = b"cofferdam-secret".to_vec();
        tie.push(FORMAT);
        for text in [place.tenant.as_str(), place.name.as_str()] {
            let length = u32::try_from(text.len()).expect("a name of at most 64 bytes");
            tie.extend_from_slice(&length.to_be_bytes());
            tie.extend_from_slice(text.as_bytes());
        }
        tie.extend_from_slice(&place.version.to_be_bytes());
        tie.extend_from_slice(&place.created_at.as_millis().to_be_bytes());
        tie.extend_from_slice(self.id.as_bytes());
        Aad::from(tie)
    }
}

#[cfg(test)]
mod tests;
