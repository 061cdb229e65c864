use std::path::Path;
use std::sync::Arc;

use cofferdam_store_api::{StoreError, Stores};
use rusqlite::Connection;

use crate::error::Fault;
use crate::file::{self, Durability};
use crate::readers::Readers;
use crate::writer::Writer;

/// Opens the stores in the file at `path`, which is made when it is not there; its directory must
/// be. Blocks for some disk accesses.
///
/// **Errors**: [`StoreError::Damaged`] when the file is no database, another program's, or from a
/// newer version: it is then left as it is; [`StoreError::Unavailable`] when the disk refuses.
pub fn open(path: &Path, durability: Durability) -> Result<Embedded, StoreError> {
    let writer = file::open_writer(path, durability)?;
    let readers = Readers::open(path)?;
    let writer = Writer::start(writer)?;
    Ok(Embedded(Arc::new(Tables { readers, writer })))
}

/// The open file.
///
/// Closed when this and all [`Stores`] made from it are dropped. The last of them waits until what
/// is queued is written and the log is folded into the main file; a host drops it outside of its
/// async workers, or at its very end.
#[derive(Clone)]
pub struct Embedded(Arc<Tables>);

impl Embedded {
    /// All tables.
    pub fn stores(&self) -> Stores {
        Stores {
            tools: self.0.clone(),
            blobs: self.0.clone(),
            tasks: self.0.clone(),
            runs: self.0.clone(),
            events: self.0.clone(),
            agents: self.0.clone(),
            keys: self.0.clone(),
            audit: self.0.clone(),
            key_values: self.0.clone(),
            secrets: self.0.clone(),
        }
    }

    /// How many transactions were committed since the file was opened: with the number of writes
    /// it says how many of them shared one.
    pub fn commits(&self) -> u64 {
        self.0.writer.commits()
    }
}

/// What every table works with. The readers go first, so that the writer's connection is the last
/// one and folds the log into the main file.
pub(crate) struct Tables {
    readers: Arc<Readers>,
    writer: Writer,
}

impl Tables {
    /// See [`Readers::read`].
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.read(work).await
    }

    /// See [`Writer::write`].
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.write(work).await
    }
}
