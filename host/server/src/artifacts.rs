//! Where a host keeps compiled components, and the key that tells its own from others.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use cofferdam_runtime::Artifacts;
use cofferdam_types::Ambient;
use rustix::fs::OFlags;
use rustix::process::geteuid;

use crate::ambient::System;
use crate::data_dir::{DataDir, write_whole};

/// The permissions of everybody but the owner.
const OTHERS: u32 = 0o077;

/// Where compiled components are kept. A host without them is slow to start and not wrong.
pub(crate) fn artifacts(dir: &DataDir) -> Option<Artifacts> {
    match key(&dir.compiled_key_file()) {
        Ok(key) => Some(Artifacts {
            directory: dir.compiled(),
            key,
            bytes_max: Artifacts::BYTES_MAX,
        }),
        Err(error) => {
            tracing::warn!(%error, "compiled components are not kept: there is no key for them");
            None
        }
    }
}

/// The key in this file: made once, and again when the file is not one that only this user can have
/// written and read. What was sealed with another key is compiled again.
fn key(path: &Path) -> io::Result<[u8; 32]> {
    match read(path) {
        Ok(Some(key)) => return Ok(key),
        Ok(None) => {}
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "the key of compiled components is made anew");
        }
    }
    let mut key = [0; 32];
    System.fill(&mut key);
    write_whole(path, &key)?;
    Ok(key)
}

/// The key in this file; `None` when there is no file.
fn read(path: &Path) -> io::Result<Option<[u8; 32]>> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let about = file.metadata()?;
    let is_ours = about.uid() == geteuid().as_raw() && about.mode() & OTHERS == 0;
    let mut key = [0; 32];
    if !about.is_file() || !is_ours || about.len() != key.len() as u64 {
        let reason = "it is no key that only this user can read";
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    file.read_exact(&mut key)?;
    Ok(Some(key))
}
