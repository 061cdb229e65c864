//! What makes an artifact's file this installation's own.
//!
//! **Shape** of a file: [`MAGIC`] (8 bytes), the artifact's length (8 bytes, little-endian), the seal
//! (32 bytes), the artifact. The seal is HMAC-SHA256 with the installation's key over all that a file
//! could be mistaken in: the format, the component's digest, the engine, the length and the artifact.

use std::hash::{Hash, Hasher};

use cofferdam_types::Digest;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::Fault;
use super::folder::SUFFIX;
use crate::error::Error;

/// The format and its version. It is part of what is sealed, so that no seal of one version is one
/// of another.
const MAGIC: [u8; 8] = *b"coffart\x01";
/// What a seal covers instead of the format when it makes a name.
const NAMING: [u8; 8] = *b"coffname";
/// Bytes before the artifact.
pub(super) const HEADER_BYTES: usize = 48;
/// Bytes of the seal that stand in a name: no two installations or engines meet in 2^64 files.
const NAME_BYTES: usize = 16;

type HmacSha256 = Hmac<Sha256>;

/// Machine code of a component that this installation's own compiler made.
pub(crate) struct Artifact {
    file: Vec<u8>,
    /// Where the code begins.
    start: usize,
}

impl Artifact {
    /// What came over the pipe of a compiler's child that this process started from its own program.
    pub(crate) fn of_child(code: Vec<u8>) -> Self {
        Self {
            file: code,
            start: 0,
        }
    }

    pub(crate) fn code(&self) -> &[u8] {
        &self.file[self.start..]
    }

    /// The component, ready to be linked.
    ///
    /// **Errors**: [`Error::Component`] when the code is not for this engine.
    pub(crate) fn component(&self, engine: &Engine) -> Result<Component, Error> {
        #[expect(unsafe_code, reason = "the engine has no safe way to take an artifact")]
        // SAFETY: `deserialize` runs what it is given, so the bytes must come from this engine's
        // own compiler. They do, since an `Artifact` is made in two places: `of_child`, of what
        // arrived over the pipe of a child that this process started from its own program a moment
        // ago, and `Seal::open`, of a file's bytes that carry this installation's seal for this
        // engine. They are in memory since they were checked, and the file is not looked at again.
        unsafe { Component::deserialize(engine, self.code()) }
            .map_err(|error| Error::Component(format!("the component can't be linked: {error:#}")))
    }
}

/// Seals and names files, with the installation's key, for one engine.
pub(super) struct Seal {
    key: HmacSha256,
    engine: [u8; 32],
}

impl Seal {
    pub(super) fn new(key: &[u8; 32], engine: &Engine) -> Self {
        // HMAC fills a short key with zeros itself.
        let mut block = [0; 64];
        block[..key.len()].copy_from_slice(key);
        Self {
            key: HmacSha256::new(&block.into()),
            engine: settings(engine),
        }
    }

    /// The name of the component's file. Files of other keys and engines have other names, so that
    /// hosts that share a directory don't overwrite each other's in turn.
    pub(super) fn name(&self, digest: &Digest) -> String {
        let mut mac = self.key.clone();
        mac.update(&NAMING);
        mac.update(&self.engine);
        let whose = mac.finalize().into_bytes();
        format!(
            "{}-{}{SUFFIX}",
            hex(digest.as_bytes()),
            hex(&whose[..NAME_BYTES])
        )
    }

    /// What stands before the code in the component's file.
    pub(super) fn header(&self, digest: &Digest, code: &[u8]) -> [u8; HEADER_BYTES] {
        let seal = self.over(digest, code).finalize().into_bytes();
        let mut header = [0; HEADER_BYTES];
        header[..8].copy_from_slice(&MAGIC);
        header[8..16].copy_from_slice(&length(code));
        header[16..].copy_from_slice(&seal);
        header
    }

    /// The artifact in a file, when it is the one that this installation wrote for this component
    /// and this engine.
    pub(super) fn open(&self, digest: &Digest, file: Vec<u8>) -> Result<Artifact, Fault> {
        let (header, code) = file
            .split_first_chunk::<HEADER_BYTES>()
            .ok_or(Fault::Seal)?;
        if header[..8] != MAGIC || header[8..16] != length(code) {
            return Err(Fault::Seal);
        }
        // In constant time, so that nobody finds a seal byte by byte.
        self.over(digest, code)
            .verify_slice(&header[16..])
            .map_err(|_| Fault::Seal)?;
        Ok(Artifact {
            file,
            start: HEADER_BYTES,
        })
    }

    /// All parts but the last have a fixed length, so no two files give the same text.
    fn over(&self, digest: &Digest, code: &[u8]) -> HmacSha256 {
        let mut mac = self.key.clone();
        mac.update(&MAGIC);
        mac.update(digest.as_bytes());
        mac.update(&self.engine);
        mac.update(&length(code));
        mac.update(code);
        mac
    }
}

/// The engine as a compiler sees it: its version, its settings, and the processor features that it
/// found on this machine.
fn settings(engine: &Engine) -> [u8; 32] {
    let mut hash = Settings(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hash);
    hash.0.finalize().into()
}

/// The engine's settings hashed so that two never meet: the standard library's hash of 64 bits is
/// not meant to outlive a process.
struct Settings(Sha256);

impl Hasher for Settings {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.0.clone().finalize()[..8]);
        u64::from_le_bytes(first)
    }
}

fn length(code: &[u8]) -> [u8; 8] {
    (code.len() as u64).to_le_bytes()
}

fn hex(bytes: &[u8]) -> String {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles
        .filter_map(|nibble| char::from_digit(u32::from(nibble), 16))
        .collect()
}
