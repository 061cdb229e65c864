//! Append-only record of every decision, written in batches.
//!
//! Owns the chain: each entry names the digest of the one before, so that a missing or changed one
//! shows, and [`Verifier`] says which. Refuses to lose a record silently: whoever is about to act
//! takes a [`Slot`] first, and gets none while the audit can't keep up; details that don't wait for
//! one are counted when they are lost. Start with [`Audit::slot`].

mod audit;
mod chain;
mod export;
mod gap;
mod line;
mod retention;
mod verify;
mod writer;

pub use audit::{Audit, Full, Slot, Written};
pub use chain::digest;
pub use cofferdam_store_api::{AuditEntry, CallKey};
pub use export::Export;
pub use line::Line;
pub use retention::PruneError;
pub use verify::{Flaw, FlawKind, Summary, Verifier};
pub use writer::Writer;
