//! Append-only record of every decision, written in batches.
//!
//! Owns the chain: each entry names the digest of the one before, so that a missing or changed one
//! shows. Refuses to lose a record silently: whoever is about to act takes a [`Slot`] first, and
//! gets none while the audit can't keep up. Start with [`Audit::slot`].

mod chain;
mod writer;

pub use chain::digest;
pub use cofferdam_store_api::AuditEntry;
pub use writer::{Audit, Full, Slot, Writer};
