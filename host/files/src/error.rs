use rustix::io::Errno;
use thiserror::Error as ThisError;

/// What a call may use of a mount and has used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Bytes written.
    Disk,
    /// Files, directories and links made.
    Files,
    /// Directories deep.
    Depth,
    /// Open at once.
    Handles,
}

/// Why an operation was not done. All that a guest learns of it is which of these it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
#[expect(missing_docs, reason = "the words of the system's own errors")]
pub enum Error {
    #[error("the host may not do it either")]
    Access,
    #[error("the descriptor was not opened for that")]
    BadDescriptor,
    #[error("it is in use")]
    Busy,
    #[error("it lies on another mount, or would have to be copied")]
    CrossDevice,
    #[error("it exists")]
    Exist,
    #[error("the file would be too large")]
    FileTooLarge,
    #[error("the name is not UTF-8")]
    IllegalByteSequence,
    #[error("the argument makes no sense")]
    Invalid,
    #[error("the disk failed")]
    Io,
    #[error("it is a directory")]
    IsDirectory,
    #[error("too many links, or one that is not followed")]
    Loop,
    #[error("the name is too long")]
    NameTooLong,
    #[error("there is nothing of that name")]
    NoEntry,
    #[error("the disk is full")]
    NoSpace,
    #[error("it is no directory")]
    NotDirectory,
    #[error("the directory is not empty")]
    NotEmpty,
    #[error("it is not permitted")]
    NotPermitted,
    #[error("too many hard links")]
    TooManyLinks,
    #[error("this is not offered here")]
    Unsupported,
    #[error("the host has no descriptor left")]
    HostDescriptors,
    /// A quota of the policy is used up, which ends the call.
    #[error("a quota is used up")]
    Limit(Limit, u64),
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::ACCESS => Self::Access,
            Errno::BADF => Self::BadDescriptor,
            Errno::BUSY | Errno::TXTBSY | Errno::AGAIN | Errno::INTR => Self::Busy,
            Errno::XDEV => Self::CrossDevice,
            Errno::EXIST => Self::Exist,
            Errno::FBIG | Errno::OVERFLOW => Self::FileTooLarge,
            Errno::ILSEQ => Self::IllegalByteSequence,
            Errno::INVAL => Self::Invalid,
            Errno::ISDIR => Self::IsDirectory,
            Errno::LOOP => Self::Loop,
            Errno::NAMETOOLONG => Self::NameTooLong,
            Errno::NOENT => Self::NoEntry,
            Errno::NOSPC | Errno::DQUOT => Self::NoSpace,
            Errno::NOTDIR => Self::NotDirectory,
            Errno::NOTEMPTY => Self::NotEmpty,
            Errno::PERM | Errno::ROFS | Errno::NXIO => Self::NotPermitted,
            Errno::MLINK => Self::TooManyLinks,
            Errno::NOSYS | Errno::NOTSUP => Self::Unsupported,
            Errno::MFILE | Errno::NFILE => Self::HostDescriptors,
            _ => Self::Io,
        }
    }
}
