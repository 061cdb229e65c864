//! Files: `wasi:filesystem` over the directories that the grant names.
//!
//! The interface's resources are our own, so that every operation on a path or an open file is
//! decided again; what happens on the disk is `cofferdam-files`'s. Here its blocking operations go
//! to a thread that may block, and its errors become those of the interface.

mod errors;
mod preopens;
mod streams;
mod types;

use std::sync::{Arc, Mutex};

use cofferdam_files::{
    Change, CommitError, Directory, Error, File, Gate, Leaves, Listing, OpenError, Pending,
    Refused, Scratch, View,
};
use cofferdam_policy::Grant;
use cofferdam_policy::capability::filesystem::{FileAsk, Filesystem, MountName, Quota, Right};
use cofferdam_types::call::{Denial, DenialCode};
use cofferdam_types::{Digest, Hasher};
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::runtime::spawn_blocking;

use crate::error::Error as CallError;
use crate::fuel;
use crate::meter::Meter;
use crate::state::State;
use crate::warrant::Warrant;
pub(crate) use errors::{Failure, QuotaReached};

/// Longest path in a denial, in characters: what a guest writes is cut before it is kept.
const SHOWN_CHARS_MAX: usize = 200;

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "
            package cofferdam:files;

            world files {
                import wasi:filesystem/types@0.2.12;
                import wasi:filesystem/preopens@0.2.12;
            }
        ",
        world: "cofferdam:files/files",
        imports: { default: async | trappable },
        trappable_error_type: {
            "wasi:filesystem/types.error-code" => super::Failure,
        },
        with: {
            "wasi:io": wasmtime_wasi::p2::bindings::io,
            "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
            "wasi:filesystem/types.descriptor": super::Descriptor,
            "wasi:filesystem/types.directory-entry-stream": super::Entries,
        },
    });
}

/// What a guest has open.
#[expect(unreachable_pub, reason = "the generated code names it")]
pub enum Descriptor {
    /// A file.
    File(Arc<File>),
    /// A directory.
    Directory(Arc<Directory>),
}

/// A directory that a guest lists.
#[expect(unreachable_pub, reason = "the generated code names it")]
pub struct Entries(Arc<Mutex<Listing>>);

/// The directories of a call, shared by its store and whoever waits for it.
#[derive(Clone)]
pub(crate) struct Files(Option<Arc<View>>);

/// What a call changed and nobody applied yet. Dropped, it never happened.
#[derive(Debug)]
pub struct Changes(Option<Pending>);

struct Interface;

impl HasData for Interface {
    type Data<'a> = Host<'a>;
}

/// The interface for one host call.
pub(crate) struct Host<'a> {
    table: &'a mut ResourceTable,
    view: Option<&'a View>,
    meter: &'a Meter,
}

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    fn host(state: &mut State) -> Host<'_> {
        state.meter.charge(fuel::HOST_CALL);
        Host {
            table: &mut state.table,
            view: state.files.0.as_deref(),
            meter: &state.meter,
        }
    }
    bindings::wasi::filesystem::types::add_to_linker::<State, Interface>(linker, host)?;
    bindings::wasi::filesystem::preopens::add_to_linker::<State, Interface>(linker, host)
}

impl Files {
    /// No directories.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// Opens the directories of a grant for the call of this name.
    pub(crate) async fn open(
        grant: &Arc<Grant>,
        meter: &Arc<Meter>,
        scratch: Option<&Arc<Scratch>>,
        call: &str,
    ) -> Result<Self, CallError> {
        let gate: Arc<dyn Gate> = Arc::new(Judge {
            warrant: Warrant::new(grant.clone(), meter.clone()),
            meter: meter.clone(),
        });
        if grant.files().mounts().is_empty() {
            let view = View::open(grant.files(), &gate, None, call).map_err(call_error)?;
            return Ok(Self(Some(Arc::new(view))));
        }
        let (grant, scratch, call) = (grant.clone(), scratch.cloned(), call.to_owned());
        spawn_blocking(move || View::open(grant.files(), &gate, scratch.as_ref(), &call))
            .await
            .map(|view| Self(Some(Arc::new(view))))
            .map_err(call_error)
    }

    /// Where the guest's relative paths start.
    pub(crate) fn set_up(&self, wasi: &mut WasiCtxBuilder) {
        let workspace = format!("/{}", MountName::WORKSPACE);
        let mut roots = self.0.iter().flat_map(|view| view.roots());
        if roots.any(|(_, path)| path == workspace) {
            wasi.initial_cwd(workspace);
        }
    }

    /// Lets go of the directories, removing what was private to the call; with what it changed on
    /// overlays, when that is wanted.
    pub(crate) async fn close(mut self, keep: bool) -> Option<Changes> {
        let view = self.0.take()?;
        let pending = view.pending().filter(|_| keep);
        if view.has_private() {
            spawn_blocking(move || drop(view)).await;
        }
        pending.map(|pending| Changes(Some(pending)))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if let Some(view) = self.0.take().filter(|view| view.has_private()) {
            drop_blocking(view);
        }
    }
}

impl Changes {
    /// What would change, in the order of mounts and paths.
    ///
    /// **Errors**: [`CommitError::Unreadable`].
    /// **Cancel**: when the future is dropped, so are the changes.
    pub async fn list(&mut self) -> Result<Vec<ListedChange>, CommitError> {
        let Some(pending) = self.0.take() else {
            return Ok(Vec::new());
        };
        let (pending, listed) = spawn_blocking(move || {
            let listed = pending.changes().into_iter();
            let listed = listed
                .map(|change| ListedChange::new(change, &pending))
                .collect();
            (pending, listed)
        })
        .await;
        self.0 = Some(pending);
        listed
    }

    /// Applies the changes of all mounts, or of none when one of them may not be made any more or
    /// somebody else changed one of the files meanwhile.
    ///
    /// **Errors**: [`CommitError::Partial`] is the only one after which something has changed.
    /// **Cancel**: what it began it ends, also when the future is dropped.
    pub async fn commit(mut self) -> Result<(), CommitError> {
        let Some(pending) = self.0.take() else {
            return Ok(());
        };
        // Not with the handle that aborts: half of a commit is worse than either whole.
        match tokio::task::spawn_blocking(move || pending.commit()).await {
            Ok(done) => done,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }
}

/// A change, and what is new about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedChange {
    /// What became of which path.
    pub change: Change,
    /// Of what is in the file now: of nothing for what is gone, and for directories.
    pub contents: Digest,
}

impl ListedChange {
    fn new(change: Change, pending: &Pending) -> Result<Self, CommitError> {
        let mut hasher = Hasher::default();
        pending.read(&change, |piece| hasher.update(piece))?;
        let contents = hasher.finish();
        Ok(Self { change, contents })
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        if let Some(pending) = self.0.take() {
            drop_blocking(pending);
        }
    }
}

/// Drops what removes files when it is dropped, where that is allowed. A host that stops before it
/// is done sweeps at its next start.
fn drop_blocking<T: Send + 'static>(held: T) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn_blocking(move || drop(held));
    }
}

fn call_error(error: OpenError) -> CallError {
    match error {
        OpenError::Missing(name) if name == MountName::WORKSPACE => CallError::NoWorkspace,
        OpenError::Forbidden(name) if name == MountName::WORKSPACE => {
            CallError::Workspace("the host may not open the workspace")
        }
        OpenError::Missing(name) => {
            tracing::error!(mount = %name, "a mount of the policy does not exist");
            CallError::Busy("a directory of the policy is not there")
        }
        OpenError::Forbidden(name) => {
            tracing::error!(mount = %name, "the host may not open a mount of the policy");
            CallError::Busy("a directory of the policy can't be opened")
        }
        OpenError::NoScratch(name) => CallError::Internal(format!("`{name}` needs a directory")),
        OpenError::Busy(name, errno) => {
            tracing::warn!(mount = %name, %errno, "a directory can't be opened");
            CallError::Busy("the workspace can't be opened now; try again")
        }
    }
}

/// Decides by the grant and what later policies leave of it, and notes each answer.
struct Judge {
    warrant: Warrant,
    meter: Arc<Meter>,
}

impl Gate for Judge {
    fn decide(&self, ask: &FileAsk) -> Result<Quota, Refused> {
        self.warrant.ask::<Filesystem>(ask).map_err(|_| Refused)
    }

    fn allows(&self, ask: &FileAsk) -> bool {
        self.warrant.grant().decide::<Filesystem>(ask).is_ok()
    }

    fn leaves(&self, mount: &MountName, path: &str, right: Right, why: Leaves) {
        let shown: String = path.escape_default().take(SHOWN_CHARS_MAX).collect();
        self.meter.deny(Denial {
            capability: "filesystem".to_owned(),
            operation: right.as_str().to_owned(),
            resource: format!("{shown} from /{mount}"),
            code: DenialCode::Malformed,
            rule: "paths stay where they start".to_owned(),
            file: None,
            line: None,
            reason: why.as_str().to_owned(),
            smallest_grant: "none: name the file by its path below a granted directory".to_owned(),
        });
    }
}

/// Does blocking work where that is allowed.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Failure> {
    spawn_blocking(work).await.map_err(Failure::from)
}
