//! What host functions cost in fuel, beside what the guest burns itself.
//!
//! A unit of fuel is an instruction of the guest, some 0.2 ns. A host function costs about what the
//! guest could have computed meanwhile, rounded up, so that a guest that does nothing but call the
//! host ends as soon as one that computes. The costs are the same at every call: what a call burns
//! depends on what it does and not on the machine.
//!
//! They are owed in the [`Meter`](crate::meter::Meter) and paid before a tool is called and at the end
//! of the call. A guest that owes more than it has left is stopped at the end of its slice.

/// Any function of the host: leaving the guest, decoding and coming back.
pub(crate) const HOST_CALL: u64 = 1_000;
/// A byte that a host function takes from the guest or gives it.
pub(crate) const BYTE: u64 = 1;
/// A log record or a report of progress, which others hear.
pub(crate) const RECORD: u64 = 5_000;
/// Asking the store for a key, or for a secret.
pub(crate) const READ: u64 = 100_000;
/// Asking it for a page of keys, or for a change, which it writes down.
pub(crate) const WRITE: u64 = 500_000;
/// Looking up a name, or opening a connection on which the host speaks TLS.
pub(crate) const CONNECT: u64 = 500_000;
/// Calling a tool, beside what the tool burns.
pub(crate) const TOOL_CALL: u64 = 1_000_000;

/// For so many bytes.
pub(crate) fn bytes(count: usize) -> u64 {
    (count as u64).saturating_mul(BYTE)
}
