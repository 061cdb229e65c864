use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use cofferdam_store_api::StoreError;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::error::Fault;

/// Most writes of one transaction: bounds how long the first of them waits for the last.
const BATCH_MAX: usize = 256;

/// Writes that may wait for the writer; the next caller waits for room without being lost. Four
/// batches keep the writer busy, and more would only wait longer.
const QUEUE_MAX: usize = 4 * BATCH_MAX;

/// The one thread that writes.
///
/// It takes all that waits, carries it out in one transaction, commits (with
/// [`Durability::Safe`](crate::Durability::Safe) that is one fsync) and then answers all. So a
/// single caller pays a sync for each write and many callers share one: the longer a sync takes,
/// the more writes the next one holds. Each write has a savepoint of its own, so that one that is
/// refused undoes nothing of the others.
pub(crate) struct Writer {
    /// Absent only while dropping.
    queue: Option<mpsc::Sender<Box<dyn Write>>>,
    thread: Option<JoinHandle<()>>,
    commits: Arc<AtomicU64>,
}

impl Writer {
    pub(crate) fn start(connection: Connection) -> Result<Self, StoreError> {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let commits = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&commits);
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(&connection, waiting, &counter))
            .map_err(|error| StoreError::Unavailable(format!("no thread to write: {error}")))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            commits,
        })
    }

    /// Carries out `work` in a transaction and answers when it is committed.
    ///
    /// **Cancel**: when the future is dropped before the write is queued, nothing happens; after,
    /// it is carried out as a whole.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let stopped = || StoreError::Unavailable("the store's writer has stopped".to_owned());
        let (reply, answer) = oneshot::channel();
        let write = Queued {
            work: Some(work),
            result: None,
            reply,
        };
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.send(Box::new(write)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// How many transactions were committed.
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The thread ends when it has carried out what is queued.
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer panicked; its last writes were not answered");
        }
    }
}

fn run(connection: &Connection, mut waiting: mpsc::Receiver<Box<dyn Write>>, commits: &AtomicU64) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while waiting.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
        let outcome = commit(connection, &mut batch);
        match &outcome {
            Ok(()) => {
                commits.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => tracing::error!(writes = batch.len(), %error, "a commit failed"),
        }
        for write in batch.drain(..) {
            write.answer(&outcome);
        }
    }
}

/// Carries out all of `batch` in one transaction. On an error nothing of it was done.
fn commit(connection: &Connection, batch: &mut [Box<dyn Write>]) -> Result<(), StoreError> {
    let outcome = transaction(connection, batch);
    if outcome.is_err() && !connection.is_autocommit() {
        // If even this fails, the next `BEGIN` does too, and every later write is refused.
        if let Err(error) = connection.execute_batch("ROLLBACK") {
            tracing::error!(%error, "a transaction can't be rolled back");
        }
    }
    Ok(outcome?)
}

fn transaction(connection: &Connection, batch: &mut [Box<dyn Write>]) -> Result<(), Fault> {
    let sql = |text| connection.prepare_cached(text)?.execute([]);
    sql("BEGIN IMMEDIATE")?;
    for write in batch {
        sql("SAVEPOINT one")?;
        if let Err(refusal) = write.carry_out(connection) {
            // A full disk ends the whole transaction, and with it what came before this write.
            if connection.is_autocommit() {
                return Err(refusal.into());
            }
            sql("ROLLBACK TO one")?;
        }
        sql("RELEASE one")?;
    }
    sql("COMMIT")?;
    Ok(())
}

/// One write of whatever answer.
trait Write: Send {
    /// Does it and keeps the answer back. An error says why it must be undone.
    fn carry_out(&mut self, connection: &Connection) -> Result<(), StoreError>;

    /// Gives the answer, or the reason why the commit failed.
    fn answer(self: Box<Self>, committed: &Result<(), StoreError>);
}

struct Queued<T, F> {
    work: Option<F>,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Write for Queued<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, Fault> + Send,
{
    fn carry_out(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let Some(work) = self.work.take() else {
            return Ok(());
        };
        let result = work(connection).map_err(StoreError::from);
        let refusal = result.as_ref().err().cloned();
        self.result = Some(result);
        refusal.map_or(Ok(()), Err)
    }

    fn answer(self: Box<Self>, committed: &Result<(), StoreError>) {
        let answer = match (committed, self.result) {
            (Ok(()), Some(result)) => result,
            (Err(error), _) => Err(error.clone()),
            // A commit that succeeded has carried out every write.
            (Ok(()), None) => return,
        };
        // Whoever asked may have gone; the write happened all the same.
        drop(self.reply.send(answer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::{Durability, open_writer};
    use rusqlite::params;

    async fn put(writer: &Writer, digest: u32, size: usize) -> Result<(), StoreError> {
        let work = move |connection: &Connection| {
            connection.execute(
                "INSERT INTO blobs (tenant, digest, record_version, bytes) VALUES ('a', ?1, 1, ?2)",
                params![digest.to_string(), vec![1_u8; size]],
            )?;
            Ok(())
        };
        writer.write(work).await
    }

    /// A file that can't grow refuses the write and what shares its transaction, and works on.
    #[tokio::test]
    async fn a_full_disk_refuses_as_a_whole() {
        let directory = tempfile::TempDir::new().expect("a temporary directory");
        let path = directory.path().join("store.db");
        let connection = open_writer(&path, Durability::Fast).expect("a new file");
        connection
            .pragma_update(None, "max_page_count", 100)
            .expect("a limit");
        let writer = Writer::start(connection).expect("a thread");
        assert_eq!(put(&writer, 0, 10).await, Ok(()));
        for round in 1..5 {
            let answer = put(&writer, round, 1 << 20).await;
            assert!(
                matches!(answer, Err(StoreError::Unavailable(_))),
                "{answer:?}"
            );
            assert_eq!(put(&writer, 10 + round, 10).await, Ok(()));
        }
        let count = |connection: &Connection| {
            let sql = "SELECT count(*) FROM blobs";
            Ok(connection.query_row(sql, [], |row| row.get::<_, i64>(0))?)
        };
        assert_eq!(writer.write(count).await, Ok(5));
    }

    /// Work that fails half-way leaves nothing, whatever it wrote before.
    #[tokio::test]
    async fn a_refused_write_is_undone() {
        let directory = tempfile::TempDir::new().expect("a temporary directory");
        let path = directory.path().join("store.db");
        let connection = open_writer(&path, Durability::Fast).expect("a new file");
        let writer = Writer::start(connection).expect("a thread");
        let work = |connection: &Connection| -> Result<(), Fault> {
            connection.execute("INSERT INTO blobs VALUES ('a', 'half', 1, x'00')", [])?;
            Err(StoreError::Stale.into())
        };
        assert_eq!(writer.write(work).await, Err(StoreError::Stale));
        let count = |connection: &Connection| {
            let sql = "SELECT count(*) FROM blobs";
            Ok(connection.query_row(sql, [], |row| row.get::<_, i64>(0))?)
        };
        assert_eq!(writer.write(count).await, Ok(0));
    }
}
