//! The workspace: one directory, opened once for the call and bound to that, not to its name.

use cofferdam_policy::Grant;
use cofferdam_policy::capability::filesystem::{FileAsk, MountName, MountPath, Right};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::error::Error;

/// Where a guest finds it, and where its relative paths start.
const GUEST_PATH: &str = "/workspace";

/// Opens the granted directory, if there is one.
pub(crate) fn set_up(wasi: &mut WasiCtxBuilder, grant: &Grant) -> Result<(), Error> {
    let Some(directory) = grant.files().workspace() else {
        return Ok(());
    };
    let change = FileAsk::below(&MountName::WORKSPACE, &MountPath::root(), Right::Write);
    let perms = if grant.files().allows(&change) {
        FsPerms::ReadWrite
    } else {
        FsPerms::ReadOnly
    };
    wasi.preopened_dir(directory, GUEST_PATH, perms)
        .map_err(|error| {
            use std::io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
            match error
                .downcast_ref::<std::io::Error>()
                .map(std::io::Error::kind)
            {
                Some(NotFound | NotADirectory) => Error::NoWorkspace,
                Some(PermissionDenied) => Error::Workspace("the host may not open the workspace"),
                _ => Error::Busy("the workspace can't be opened now; try again"),
            }
        })?;
    wasi.initial_cwd(GUEST_PATH);
    Ok(())
}
