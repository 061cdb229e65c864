//! Secrets of the operator: encrypted at rest, given out by name, redacted wherever they would show.
//!
//! Owns the [`Vault`], the only thing that can open what the store keeps sealed, and the
//! [`Redactor`], which takes secrets out of what leaves the host. Refuses to know policy: whoever
//! asks for a value has been allowed to. Start with [`Vault::get`].
//!
//! Where a value comes from, the first that has it: a variable `COFFERDAM_SECRET_<NAME>` or a file
//! named by `COFFERDAM_SECRET_<NAME>_FILE`, for the tenant `default` ([`Sources`]); then the store.

mod error;
mod file;
mod redact;
mod ring;
mod seal;
mod source;
mod vault;

pub use error::{Error, FileFault};
pub use file::read as read_secret_file;
pub use redact::{Redactor, Stream};
pub use source::{Kind, SourceError, Sources};
pub use vault::{Listed, Rotation, Stored, Vault};
