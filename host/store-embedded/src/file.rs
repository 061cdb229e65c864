use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use cofferdam_store_api::StoreError;
use rusqlite::{Connection, OpenFlags};

use crate::error::Fault;
use crate::schema::{self, APPLICATION_ID, SCHEMA_VERSION};

/// What an answered write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// A power cut: the file is synced before the answer. Writes that come together share a sync.
    #[default]
    Safe,
    /// The end of the process, `kill -9` included, but not of the machine: after a power cut the
    /// latest writes can be gone, and what is left is consistent.
    Fast,
}

/// How long to wait for somebody else's lock on the file, a person's `sqlite3` or a backup, before
/// a write is refused as unavailable.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// What the log file is cut back to after a burst, once its content is in the main file.
const LOG_BYTES_KEPT: u64 = 64 << 20;

/// Statements that each connection keeps ready: more than this crate has.
const STATEMENTS_KEPT: usize = 64;

/// The owner alone reads and writes the file: it holds key hashes and everything tools returned.
const MODE: u32 = 0o600;

/// Opens the file for writing; makes it, and its tables, when it is not there.
///
/// **Errors**: `Damaged` when it is not a file of ours or comes from a newer version; it is then
/// left as it is. `Unavailable` when the disk refuses.
pub(crate) fn open_writer(path: &Path, durability: Durability) -> Result<Connection, StoreError> {
    prepare(path).map_err(|error| {
        StoreError::Unavailable(format!("can't open {}: {error}", path.display()))
    })?;
    Ok(configure_writer(path, durability)?)
}

/// Opens the file for reading.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let connect = || -> Result<Connection, Fault> {
        let connection = connect(path)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    };
    Ok(connect()?)
}

/// Sees to it that the file is there, in its directory for good, and its owner's alone. SQLite
/// gives the files beside it the same mode.
fn prepare(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(MODE)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(MODE))?;
    if let Some(directory) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

fn connect(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(LOCK_WAIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // A damaged page is found when it is read, not when it has led astray.
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

fn configure_writer(path: &Path, durability: Durability) -> Result<Connection, Fault> {
    let connection = connect(path)?;
    let version = check_origin(&connection)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Unavailable(format!("the disk can't hold a {mode} log")).into());
    }
    let synchronous = match durability {
        Durability::Safe => "full",
        Durability::Fast => "normal",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    let kept = i64::try_from(LOG_BYTES_KEPT).unwrap_or(i64::MAX);
    connection.pragma_update(None, "journal_size_limit", kept)?;
    schema::complete(&connection, version)?;
    Ok(connection)
}

/// The version of the file, before anything is written to it, 0 when it is empty; refuses one that
/// neither this version nor an older one made.
fn check_origin(connection: &Connection) -> Result<i64, Fault> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let version = number("user_version")?;
    let origin = number("application_id")?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if version == 0 && origin == 0 && tables == 0 {
        return Ok(0);
    }
    let refusal = if origin != APPLICATION_ID {
        "the file is another program's database".to_owned()
    } else if version > SCHEMA_VERSION {
        format!(
            "the file has schema version {version}, this host knows {SCHEMA_VERSION} at most: \
             start a newer host"
        )
    } else if version < 1 {
        format!("the file has schema version {version}, which no host ever wrote")
    } else {
        return Ok(version);
    };
    Err(StoreError::Damaged(refusal).into())
}
