use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cofferdam_store_api::StoreError;
use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::error::Fault;
use crate::file;

/// Connections for reading. A read takes microseconds when the pages are in memory, so a few are
/// enough for any number of callers; the rest wait without holding a thread.
const READERS: usize = 4;

/// Reads, each on its own snapshot, beside the writer and without blocking it or an async worker.
pub(crate) struct Readers {
    path: PathBuf,
    free: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn open(path: &Path) -> Result<Arc<Self>, StoreError> {
        let idle: Result<_, _> = (0..READERS).map(|_| file::open_reader(path)).collect();
        Ok(Arc::new(Self {
            path: path.to_owned(),
            free: Arc::new(Semaphore::new(READERS)),
            idle: Mutex::new(idle?),
        }))
    }

    /// Carries out `work` on a connection of its own.
    ///
    /// **Cancel**: when the future is dropped, a read that has begun ends by itself.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let stopped = || StoreError::Unavailable("the host is stopping".to_owned());
        // The thread is asked for only when a connection is free for it.
        let turn = Arc::clone(&self.free).acquire_owned().await;
        let turn = turn.map_err(|_| stopped())?;
        let readers = Arc::clone(self);
        spawn_blocking(move || {
            let connection = readers.take()?;
            let answer = work(&connection);
            readers.idle().push(connection);
            drop(turn);
            Ok(answer?)
        })
        .await
        .map_err(|_| stopped())?
    }

    /// A connection that nobody uses; a new one if a read lost one by a panic.
    fn take(&self) -> Result<Connection, StoreError> {
        let idle = self.idle().pop();
        idle.map_or_else(|| file::open_reader(&self.path), Ok)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
