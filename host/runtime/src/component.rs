//! Compiled components in memory, by digest: each compiled once however many ask for it.

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

use crate::bindings::SdkPre;
use crate::capability;
use crate::compile::Compiler;
use crate::error::Error;
use crate::inspect;
use crate::plain::Plain;
use crate::schedule::History;
use crate::state::State;

/// Compilations at once. One takes all cores by itself.
const COMPILING_MAX: usize = 1;
/// Components that wait to be compiled, at most: each is held in memory meanwhile.
const WAITING_MAX: usize = 64;
/// What a component counts for at least, in bytes: each holds file descriptors for the images of
/// its memories, so that many tiny ones are not free.
const COUNTED_BYTES_MIN: u32 = 2 << 20;

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

type Compiling = Shared<BoxFuture<'static, Result<Arc<Ready>, Error>>>;

/// Every component this process has compiled, least recently used ones dropped when there are too
/// many bytes of them.
pub(crate) struct Components {
    shared: Arc<Inner>,
    compiling: Mutex<HashMap<Digest, Compiling>>,
    tasks: TaskTracker,
}

struct Inner {
    engine: Engine,
    linker: Linker<State>,
    compiler: Compiler,
    ready: Cache<Digest, Arc<Ready>>,
    turn: Semaphore,
}

impl Components {
    pub(crate) fn new(engine: Engine, compiler: Compiler, bytes_max: u64) -> Result<Self, Error> {
        let mut linker = Linker::new(&engine);
        capability::link(&mut linker).map_err(Error::engine)?;
        let ready = Cache::builder()
            .weigher(|_, ready: &Arc<Ready>| ready.counted_bytes)
            .max_capacity(bytes_max)
            .build();
        let turn = Semaphore::new(COMPILING_MAX);
        let shared = Arc::new(Inner {
            engine,
            linker,
            compiler,
            ready,
            turn,
        });
        Ok(Self {
            shared,
            compiling: Mutex::default(),
            tasks: TaskTracker::new(),
        })
    }

    /// The component, if it is compiled.
    pub(crate) fn get(&self, digest: &Digest) -> Option<Arc<Ready>> {
        self.shared.ready.get(digest)
    }

    /// Drops the component.
    pub(crate) fn forget(&self, digest: &Digest) {
        self.shared.ready.invalidate(digest);
        // Else its memory and descriptors stay until somebody else uses the cache.
        self.shared.ready.run_pending_tasks();
    }

    /// Compiles the component, or joins whoever does already. The compilation goes on when the
    /// future is dropped: somebody else will ask for it.
    ///
    /// **Errors**: those of the compiler; [`Error::Component`] when `bytes` are
    /// not those of `digest`.
    pub(crate) async fn prepare(
        &self,
        digest: Digest,
        bytes: Vec<u8>,
    ) -> Result<Arc<Ready>, Error> {
        let compiling = {
            let mut compiling = self
                .compiling
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            compiling.retain(|_, task| task.peek().is_none());
            if let Some(ready) = self.get(&digest) {
                return Ok(ready);
            }
            if compiling.len() >= WAITING_MAX && !compiling.contains_key(&digest) {
                return Err(Error::Busy(
                    "too many components wait to be compiled; try again",
                ));
            }
            compiling
                .entry(digest)
                .or_insert_with(|| self.start(digest, bytes))
                .clone()
        };
        compiling.await
    }

    fn start(&self, digest: Digest, bytes: Vec<u8>) -> Compiling {
        let inner = self.shared.clone();
        let task = self.tasks.spawn(async move {
            let ready = Arc::new(inner.clone().compile(digest, bytes).await?);
            inner.ready.insert(digest, ready.clone());
            Ok(ready)
        });
        async move {
            task.await
                .unwrap_or_else(|error| Err(Error::Internal(format!("compiling: {error}"))))
        }
        .boxed()
        .shared()
    }
}

impl Inner {
    async fn compile(self: Arc<Self>, digest: Digest, bytes: Vec<u8>) -> Result<Ready, Error> {
        let checked = tokio::task::spawn_blocking(move || {
            if Digest::of(&bytes) != digest {
                return Err(Error::Component(format!(
                    "these are not the bytes of {digest}"
                )));
            }
            Ok(bytes)
        });
        let bytes = checked
            .await
            .map_err(|error| Error::Internal(format!("checking: {error}")))??;
        let artifact = {
            let _turn = self
                .turn
                .acquire()
                .await
                .map_err(|_| Error::Busy("the host is stopping"))?;
            self.compiler.compile(bytes).await?
        };
        let counted_bytes = u32::try_from(artifact.len())
            .unwrap_or(u32::MAX)
            .max(COUNTED_BYTES_MIN);
        let program = tokio::task::spawn_blocking(move || self.link(&artifact));
        let program = program
            .await
            .map_err(|error| Error::Internal(format!("linking: {error}")))??;
        Ok(Ready {
            program,
            history: Arc::new(History::new()),
            counted_bytes,
        })
    }

    fn link(&self, artifact: &[u8]) -> Result<Program, Error> {
        let refuse = |error: wasmtime::Error| {
            Error::Component(format!("the component can't be linked: {error:#}"))
        };
        #[expect(unsafe_code, reason = "the engine has no safe way to take an artifact")]
        // SAFETY: `deserialize` runs what it is given, so the bytes must come from this engine's
        // own compiler. They do: they arrived over the pipe of a child that this process started
        // from its own program a moment ago, never from a file or a caller.
        let component =
            unsafe { Component::deserialize(&self.engine, artifact) }.map_err(refuse)?;
        let linked: InstancePre<State> = self.linker.instantiate_pre(&component).map_err(refuse)?;
        if is_sdk(&component) {
            return SdkPre::new(linked).map(Program::Sdk).map_err(refuse);
        }
        Ok(Program::Plain(Plain::new(&component, linked)))
    }
}

/// True when the component describes its tools itself. The inspection told the same by the name of
/// the export; here the component may come from the disk, where it was not inspected.
fn is_sdk(component: &Component) -> bool {
    let ty = component.component_type();
    ty.exports(component.engine())
        .any(|(name, _)| inspect::is_sdk(name))
}
