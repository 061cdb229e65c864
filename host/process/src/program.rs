//! The registered file, opened once: what was checked is what is started.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use cofferdam_policy::capability::subprocess::Program;
use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags, fcntl_add_seals, memfd_create, open};
use sha2::{Digest, Sha256};

use crate::error::Error;

/// Longest program that can be pinned: its bytes are copied at each start.
const PINNED_BYTES_MAX: u64 = 256 << 20;
/// Set-user-id and set-group-id.
const SET_ID: u32 = 0o6000;
/// Any of the three rights to execute.
const EXECUTE: u32 = 0o111;

/// A program's file, which no change of the path it was opened by can exchange.
///
/// A pinned one is a sealed copy in memory of the bytes that were checked: also whoever may write
/// to the file can't change what is started.
#[derive(Debug)]
pub struct Opened(OwnedFd);

impl Opened {
    /// Opens the file and checks it against its pin.
    ///
    /// **Errors**: [`Error::Program`] when it is no file that could be started; [`Error::Changed`]
    /// when its bytes are not the pinned ones.
    pub fn new(program: &Program) -> Result<Self, Error> {
        let path = program.path();
        let fail = |error: io::Error| refused(path, error.to_string());
        let mut file = File::from(
            open(
                path,
                OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY,
                Mode::empty(),
            )
            .map_err(|error| fail(error.into()))?,
        );
        check(path, &file.metadata().map_err(fail)?)?;
        let mut mark = [0; 2];
        let read = file.read_at(&mut mark, 0).map_err(fail)?;
        if mark[..read] == *b"#!" {
            return Err(refused(
                path,
                "it is a script: register its interpreter and pass the script as an argument"
                    .to_owned(),
            ));
        }
        match program.sha256() {
            None => Ok(Self(file.into())),
            Some(pin) => {
                let (copy, digest) = copied(&mut file, path)?;
                if digest == *pin.as_bytes() {
                    Ok(Self(copy))
                } else {
                    Err(Error::Changed {
                        path: path.to_owned(),
                    })
                }
            }
        }
    }
}

impl AsFd for Opened {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn check(path: &Path, metadata: &Metadata) -> Result<(), Error> {
    let refuse = |reason: &str| Err(refused(path, reason.to_owned()));
    if !metadata.is_file() {
        return refuse("it is not a file");
    }
    if metadata.mode() & SET_ID != 0 {
        return refuse("it runs with the rights of its owner, which no tool may have");
    }
    if metadata.mode() & EXECUTE == 0 {
        return refuse("it is not executable");
    }
    Ok(())
}

/// A sealed copy in memory, and the digest of exactly its bytes.
fn copied(file: &mut File, path: &Path) -> Result<(OwnedFd, [u8; 32]), Error> {
    let fail = |error: io::Error| refused(path, error.to_string());
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Some kernels refuse a memory file that doesn't say whether it is to be executed, old ones
    // don't know the word.
    let memory = memfd_create("program", flags | MemfdFlags::EXEC)
        .or_else(|_| memfd_create("program", flags))
        .map_err(|error| fail(error.into()))?;
    let mut copy = File::from(memory);
    let mut limited = file.take(PINNED_BYTES_MAX + 1);
    let length = io::copy(&mut limited, &mut copy).map_err(fail)?;
    if length > PINNED_BYTES_MAX {
        return Err(refused(path, "it is too long to be pinned".to_owned()));
    }
    copy.flush().map_err(fail)?;
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    fcntl_add_seals(&copy, seals).map_err(|error| fail(error.into()))?;
    // The digest is of what is sealed, not of what was read on the way there.
    copy.seek(SeekFrom::Start(0)).map_err(fail)?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; 64 << 10];
    loop {
        let count = copy.read(&mut chunk).map_err(fail)?;
        if count == 0 {
            break;
        }
        hasher.update(&chunk[..count]);
    }
    // A file that is open for writing can't be executed: only a reopened one is.
    let reopened = reopen(&copy).map_err(fail)?;
    Ok((reopened, hasher.finalize().into()))
}

fn reopen(copy: &File) -> io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", copy.as_raw_fd());
    let file = open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(file)
}

fn refused(path: &Path, reason: String) -> Error {
    Error::Program {
        path: path.to_owned(),
        reason,
    }
}
