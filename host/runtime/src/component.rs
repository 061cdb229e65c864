//! Compiled components in memory, by digest: each loaded or compiled once however many ask for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cofferdam_types::Digest;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use moka::sync::Cache;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre, Linker};

use crate::artifacts::{Artifact, Artifacts, Shelf};
use crate::bindings::SdkPre;
use crate::capability;
use crate::compile::Compiler;
use crate::error::Error;
use crate::inspect;
use crate::plain::Plain;
use crate::runtime::Source;
use crate::schedule::History;
use crate::state::State;

/// Compilations at once. One takes all cores by itself.
const COMPILING_MAX: usize = 1;
/// Components that are compiled or wait for it, at most. What is being added is held in memory
/// meanwhile.
const WAITING_MAX: usize = 64;
/// Artifacts read from disk at once: each is in memory twice for a moment, and more at once would
/// not come from the disk any faster.
const LOADING_MAX: usize = 4;
/// What a component counts for at least, in bytes: each holds file descriptors for the images of
/// its memories, so that many tiny ones are not free.
const COUNTED_BYTES_MIN: u32 = 2 << 20;
const STOPPING: Error = Error::Busy("the host is stopping");

/// A compiled component with its imports linked: what is left for a call is to instantiate it.
pub(crate) struct Ready {
    pub(crate) program: Program,
    pub(crate) history: Arc<History>,
    counted_bytes: u32,
}

/// The two ways to be called.
pub(crate) enum Program {
    /// Through `cofferdam:tool/tools`.
    Sdk(SdkPre<State>),
    /// Through its own functions.
    Plain(Plain),
}

/// The bytes of a component, when somebody waits for them.
type Bytes = BoxFuture<'static, Result<Vec<u8>, Error>>;
type Preparing = Shared<BoxFuture<'static, Result<Arc<Ready>, Error>>>;

/// Every component this process has loaded or compiled, least recently used ones dropped when there
/// are too many bytes of them.
pub(crate) struct Components {
    shared: Arc<Inner>,
    preparing: Mutex<HashMap<Digest, Preparing>>,
    tasks: TaskTracker,
}

struct Inner {
    engine: Engine,
    linker: Linker<State>,
    compiler: Compiler,
    disk: Option<Shelf>,
    ready: Cache<Digest, Arc<Ready>>,
    loading: Semaphore,
    waiting: Semaphore,
    turn: Semaphore,
}

impl Components {
    pub(crate) fn new(
        engine: Engine,
        compiler: Compiler,
        artifacts: Option<&Artifacts>,
        bytes_max: u64,
    ) -> Result<Self, Error> {
        let mut linker = Linker::new(&engine);
        capability::link(&mut linker).map_err(Error::engine)?;
        let ready = Cache::builder()
            .weigher(|_, ready: &Arc<Ready>| ready.counted_bytes)
            .max_capacity(bytes_max)
            .build();
        let shared = Arc::new(Inner {
            disk: artifacts.and_then(|artifacts| Shelf::open(artifacts, &engine)),
            engine,
            linker,
            compiler,
            ready,
            loading: Semaphore::new(LOADING_MAX),
            waiting: Semaphore::new(WAITING_MAX),
            turn: Semaphore::new(COMPILING_MAX),
        });
        Ok(Self {
            shared,
            preparing: Mutex::default(),
            tasks: TaskTracker::new(),
        })
    }

    /// The component, if it is in memory.
    pub(crate) fn get(&self, digest: &Digest) -> Option<Arc<Ready>> {
        self.shared.ready.get(digest)
    }

    /// Drops the component, also from the disk.
    pub(crate) async fn forget(&self, digest: Digest) {
        self.shared.ready.invalidate(&digest);
        // Else its memory and descriptors stay until somebody else uses the cache.
        self.shared.ready.run_pending_tasks();
        let inner = self.shared.clone();
        let removing = self.tasks.spawn_blocking(move || {
            if let Some(disk) = &inner.disk {
                disk.remove(&digest);
            }
        });
        if let Err(error) = removing.await {
            tracing::error!(%error, "removing a compiled component broke off");
        }
    }

    /// Compiles nothing more: what waits for its turn ends with [`Error::Busy`].
    pub(crate) fn stop(&self) {
        self.shared.turn.close();
    }

    /// Loads the component from disk, or compiles it, or joins whoever does already; `source` is
    /// asked only for what has to be compiled. That goes on when the future is dropped: somebody
    /// else will ask for it.
    ///
    /// **Errors**: those of the source and the compiler; [`Error::Component`] when the source's
    /// bytes are not those of `digest`; [`Error::Busy`] when too many components wait.
    pub(crate) async fn prepare(
        &self,
        digest: Digest,
        source: &dyn Source,
    ) -> Result<Arc<Ready>, Error> {
        let preparing = {
            let mut preparing = self
                .preparing
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            preparing.retain(|_, task| task.peek().is_none());
            if let Some(ready) = self.get(&digest) {
                return Ok(ready);
            }
            preparing
                .entry(digest)
                .or_insert_with(|| self.start(digest, source.bytes(&digest)))
                .clone()
        };
        preparing.await
    }

    fn start(&self, digest: Digest, bytes: Bytes) -> Preparing {
        let inner = self.shared.clone();
        let task = self.tasks.spawn(async move {
            let ready = match inner.clone().load(digest).await? {
                Some(ready) => ready,
                None => inner.clone().compile(digest, bytes).await?,
            };
            let ready = Arc::new(ready);
            inner.ready.insert(digest, ready.clone());
            Ok(ready)
        });
        async move {
            task.await
                .unwrap_or_else(|error| Err(Error::Internal(format!("preparing: {error}"))))
        }
        .boxed()
        .shared()
    }
}

impl Inner {
    /// The component from disk, if it is there.
    async fn load(self: Arc<Self>, digest: Digest) -> Result<Option<Ready>, Error> {
        if self.disk.is_none() {
            return Ok(None);
        }
        let _place = self.loading.acquire().await.map_err(|_| STOPPING)?;
        let this = self.clone();
        blocking(move || {
            let Some(disk) = &this.disk else {
                return Ok(None);
            };
            let Some(artifact) = disk.load(&digest) else {
                return Ok(None);
            };
            match artifact.component(&this.engine) {
                Ok(component) => this.ready(&component, &artifact).map(Some),
                // Sealed for this engine, and still not to its liking: whatever it is, compiling
                // settles it.
                Err(error) => {
                    tracing::warn!(%digest, %error, "a compiled component on disk is not taken");
                    disk.remove(&digest);
                    Ok(None)
                }
            }
        })
        .await
    }

    /// The component compiled from its bytes, and kept on disk.
    async fn compile(self: Arc<Self>, digest: Digest, bytes: Bytes) -> Result<Ready, Error> {
        let _place = self
            .waiting
            .try_acquire()
            .map_err(|_| Error::Busy("too many components wait to be compiled; try again"))?;
        let artifact = {
            let _turn = self.turn.acquire().await.map_err(|_| STOPPING)?;
            // Only now, so that what waits in the store's keeping takes no memory here.
            let bytes = bytes.await?;
            let bytes = blocking(move || {
                if Digest::of(&bytes) != digest {
                    return Err(Error::Component(format!(
                        "these are not the bytes of {digest}"
                    )));
                }
                Ok(bytes)
            });
            self.compiler.compile(bytes.await?).await?
        };
        let this = self.clone();
        blocking(move || {
            let component = artifact.component(&this.engine)?;
            let ready = this.ready(&component, &artifact)?;
            if let Some(disk) = &this.disk {
                disk.keep(&digest, &artifact);
            }
            Ok(ready)
        })
        .await
    }

    fn ready(&self, component: &Component, artifact: &Artifact) -> Result<Ready, Error> {
        Ok(Ready {
            program: self.link(component)?,
            history: Arc::new(History::new()),
            counted_bytes: u32::try_from(artifact.code().len())
                .unwrap_or(u32::MAX)
                .max(COUNTED_BYTES_MIN),
        })
    }

    fn link(&self, component: &Component) -> Result<Program, Error> {
        let refuse = |error: wasmtime::Error| {
            Error::Component(format!("the component can't be linked: {error:#}"))
        };
        let linked: InstancePre<State> = self.linker.instantiate_pre(component).map_err(refuse)?;
        if is_sdk(component) {
            return SdkPre::new(linked).map(Program::Sdk).map_err(refuse);
        }
        Ok(Program::Plain(Plain::new(component, linked)))
    }
}

/// True when the component describes its tools itself. The inspection told the same by the name of
/// the export; here the component may come from the disk, where it was not inspected.
fn is_sdk(component: &Component) -> bool {
    let ty = component.component_type();
    ty.exports(component.engine())
        .any(|(name, _)| inspect::is_sdk(name))
}

/// Work that a request thread may not be held for.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Internal(format!("preparing a component: {error}")))?
}
