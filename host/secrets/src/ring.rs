//! The keys that secrets are sealed with, and the file they are kept in.
//!
//! **Shape** of the file: JSON,
//! `{"version": 1, "active": "9f86…", "keys": [{"id": "9f86…", "created_at": "…", "key": "…"}]}`,
//! a key being base64 of its 32 bytes. One key is active; there are more only while secrets are
//! being resealed, or when that was cut off.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_store_api::SealKeyId;
use cofferdam_types::{Ambient, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::error::FileFault;
use crate::file;
use crate::seal::{KEY_BYTES, SealKey};

/// The version of the file's form.
const VERSION: u32 = 1;
/// Most keys in the file. A rotation that is cut off leaves two, and the next one ends it first.
const KEYS_MAX: usize = 64;
/// Most bytes of the file: room for that many keys.
const FILE_BYTES_MAX: usize = 16 << 10;

/// The keys, the active one first.
pub(crate) struct KeyRing(Vec<SealKey>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RingFile {
    version: u32,
    active: SealKeyId,
    keys: Vec<KeyText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyText {
    id: SealKeyId,
    created_at: Timestamp,
    key: String,
}

impl Drop for KeyText {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl KeyRing {
    /// One fresh key.
    pub(crate) fn generate(ambient: &dyn Ambient) -> Self {
        Self(vec![SealKey::generate(ambient)])
    }

    /// Reads the file; `None` when there is none.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, FileFault> {
        let Some(bytes) = file::read_own(path, FILE_BYTES_MAX)? else {
            return Ok(None);
        };
        let parsed: RingFile =
            serde_json::from_slice(&bytes).map_err(|_| FileFault::Damaged("it is not its form"))?;
        if parsed.version != VERSION {
            return Err(FileFault::Damaged("a newer host wrote it"));
        }
        let mut keys = Vec::new();
        for text in &parsed.keys {
            let bytes = decode(&text.key).ok_or(FileFault::Damaged("a key is not 32 bytes"))?;
            if keys.iter().any(|key: &SealKey| key.id == text.id) {
                return Err(FileFault::Damaged("two keys have one id"));
            }
            keys.push(SealKey::new(text.id, text.created_at, bytes));
        }
        if keys.len() > KEYS_MAX {
            return Err(FileFault::Damaged("it has too many keys"));
        }
        let active = keys.iter().position(|key| key.id == parsed.active);
        let active = active.ok_or(FileFault::Damaged("the active key is not there"))?;
        keys.swap(0, active);
        Ok(Some(Self(keys)))
    }

    /// Writes the file, whole and for good before this answers.
    pub(crate) fn write(&self, path: &Path) -> Result<(), FileFault> {
        let text = |key: &SealKey| KeyText {
            id: key.id,
            created_at: key.created_at,
            key: STANDARD.encode(key.bytes()),
        };
        let ring = RingFile {
            version: VERSION,
            active: self.active().id,
            keys: self.0.iter().map(text).collect(),
        };
        // All the room at once: growing would leave copies of the keys behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES_MAX));
        serde_json::to_writer(&mut *bytes, &ring).map_err(|error| FileFault::Io(error.into()))?;
        bytes.push(b'\n');
        file::write_own(path, &bytes)
    }

    /// The key that values are sealed with from here on.
    pub(crate) fn active(&self) -> &SealKey {
        &self.0[0]
    }

    pub(crate) fn key(&self, id: SealKeyId) -> Option<&SealKey> {
        self.0.iter().find(|key| key.id == id)
    }

    /// True when a rotation is under way or was cut off.
    pub(crate) fn has_old_keys(&self) -> bool {
        self.0.len() > 1
    }

    /// The same keys behind a fresh one.
    ///
    /// **Errors**: when there are too many already.
    pub(crate) fn with_fresh(&self, ambient: &dyn Ambient) -> Result<Self, FileFault> {
        if self.0.len() >= KEYS_MAX {
            return Err(FileFault::Damaged("it has too many keys"));
        }
        let fresh = SealKey::generate(ambient);
        let old = self.0.iter().map(SealKey::duplicate);
        Ok(Self(std::iter::once(fresh).chain(old).collect()))
    }

    /// The active key alone.
    pub(crate) fn without_old(&self) -> Self {
        Self(vec![self.active().duplicate()])
    }
}

fn decode(text: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
    bytes.as_slice().try_into().ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::*;
    use crate::vault::tests::Random;

    fn scratch() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("secrets.key");
        (directory, path)
    }

    fn ids(ring: &KeyRing) -> Vec<SealKeyId> {
        ring.0.iter().map(|key| key.id).collect()
    }

    #[test]
    fn reads_back_what_it_writes() {
        let (_directory, path) = scratch();
        assert!(KeyRing::read(&path).expect("no file").is_none());
        let first = KeyRing::generate(&Random);
        let both = first.with_fresh(&Random).expect("room");
        assert_eq!(ids(&both)[1], ids(&first)[0]);
        assert_ne!(both.active().bytes(), first.active().bytes());
        for ring in [&first, &both, &both.without_old()] {
            ring.write(&path).expect("written");
            let read = KeyRing::read(&path).expect("readable").expect("there");
            assert_eq!(ids(&read), ids(ring));
            assert_eq!(read.active().bytes(), ring.active().bytes());
        }
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_not_its_form_is_refused() {
        let (_directory, path) = scratch();
        let id = "0000000000000001";
        let key = STANDARD.encode([1; 32]);
        let entry = |id: &str, key: &str| {
            format!(r#"{{"id":"{id}","created_at":"2026-11-21T10:00:00.000Z","key":"{key}"}}"#)
        };
        let file = |version: u32, active: &str, keys: &str| {
            format!(r#"{{"version":{version},"active":"{active}","keys":[{keys}]}}"#)
        };
        let good = entry(id, &key);
        let check = |text: &str| {
            file::write_own(&path, text.as_bytes()).expect("written");
            KeyRing::read(&path).map(|ring| ring.is_some())
        };
        assert!(check(&file(1, id, &good)).expect("a good file"));
        let many: Vec<_> = (0..65).map(|n| entry(&format!("{n:016x}"), &key)).collect();
        for bad in [
            "",
            "{}",
            "[]",
            &file(1, id, "")[..],
            &file(2, id, &good),
            &file(1, "0000000000000002", &good),
            &file(1, id, &format!("{good},{good}")),
            &file(1, id, &entry(id, &STANDARD.encode([1; 31]))),
            &file(1, id, &entry(id, "*")),
            &file(1, id, &entry("1", &key)),
            &file(1, id, &many.join(",")),
            &file(1, id, &good).replace("\"version\"", "\"also\":1,\"version\""),
            &" ".repeat(FILE_BYTES_MAX + 1),
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
