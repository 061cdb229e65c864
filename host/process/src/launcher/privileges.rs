//! Rights that a process has beside those to files: they only ever go away.

use std::io;

use caps::{CapSet, Capability};

/// Makes everything that this process inherited close when it becomes the program. False where
/// the kernel can't.
pub(super) fn close_inherited() -> bool {
    let flags = i32::try_from(libc::CLOSE_RANGE_CLOEXEC).unwrap_or_default();
    #[expect(
        unsafe_code,
        reason = "no library has a safe call for descriptors that nobody owns"
    )]
    // SAFETY: with this flag the call closes nothing: it marks descriptors, all of which stay open
    // and valid until this process executes another program.
    let marked = unsafe { libc::close_range(3, libc::c_uint::MAX, flags) };
    marked == 0
}

/// Gives up every capability and the way to new ones. False when some remain.
///
/// **Errors**: when the system doesn't say what this process holds.
pub(super) fn drop_all() -> io::Result<bool> {
    let set_pcap = caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP);
    if set_pcap.map_err(io::Error::other)? {
        // A capability that is unknown to this library can't be dropped by it one by one.
        caps::clear(None, CapSet::Bounding).map_err(io::Error::other)?;
    }
    for set in [
        CapSet::Ambient,
        CapSet::Inheritable,
        CapSet::Effective,
        CapSet::Permitted,
    ] {
        caps::clear(None, set).map_err(io::Error::other)?;
    }
    rustix::thread::set_no_new_privs(true)?;
    let left = caps::read(None, CapSet::Permitted).map_err(io::Error::other)?;
    Ok(left.is_empty())
}
