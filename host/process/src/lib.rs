//! Programs of the machine: started confined, watched, and killed as a tree.
//!
//! Owns the way from a decided start to its outcome. The host side ([`Launcher::run`]) opens the
//! program once, hands that very file to a launcher, a re-executed copy of this same program
//! ([`launcher_main`]), and reads what comes back. The launcher has one thread, so that it can put
//! up walls that hold for everything below it, and stays as the ancestor of all that the program
//! starts. Refuses to know policies and guests: who may start what is decided before. Start with
//! [`Launcher::run`].

mod channel;
mod directory;
mod error;
mod host;
mod launcher;
mod message;
mod output;
mod program;

pub use directory::open_beneath;
pub use error::{Error, Limit};
pub use host::{Finished, Launcher, Mount, Order};
pub use launcher::launcher_main;
pub use message::{Ended, Wall};
pub use output::Output;
pub use program::Opened;
