use rusqlite::Connection;

use crate::error::Fault;

/// Marks the file as ours, in SQLite's own field for that: `COFF` in ASCII.
pub(crate) const APPLICATION_ID: i64 = 0x434f_4646;

/// The version of [`TABLES`], kept as SQLite's `user_version`. A host refuses a newer one.
pub(crate) const SCHEMA_VERSION: i64 = 1;

/// The tables.
///
/// A record is a JSON text, beside it the columns that it is found by and the version of its form
/// (`record_version`). Documents that can be large have a rowid, so that the indexes stay small;
/// what is read in the order of its key (events, tools) is kept in that order.
const TABLES: &str = "
CREATE TABLE tools (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    digest TEXT NOT NULL,
    record_version INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (tenant, name, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE blobs (
    tenant TEXT NOT NULL,
    digest TEXT NOT NULL,
    record_version INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (tenant, digest)
) STRICT;

CREATE TABLE tasks (
    id TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    status TEXT NOT NULL,
    record_version INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX tasks_by_tenant ON tasks (tenant, id);
CREATE INDEX tasks_by_status ON tasks (tenant, status, id);

CREATE TABLE runs (
    id TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    task_id TEXT NOT NULL,
    live INTEGER NOT NULL CHECK (live IN (0, 1)),
    record_version INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX runs_by_tenant ON runs (tenant, id);
CREATE INDEX runs_by_task ON runs (tenant, task_id, id);
CREATE INDEX runs_unfinished ON runs (id) WHERE live = 1;
CREATE UNIQUE INDEX runs_one_live ON runs (task_id) WHERE live = 1;

CREATE TABLE events (
    run_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    record_version INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (run_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE agents (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    record_version INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
    id TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    record_version INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    seq INTEGER NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    previous TEXT NOT NULL,
    digest TEXT NOT NULL,
    record_version INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_tenant ON audit (tenant, seq);
";

/// Makes the tables of an empty file, as a whole or not at all.
pub(crate) fn create(connection: &Connection) -> Result<(), Fault> {
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE;
         {TABLES}
         PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {SCHEMA_VERSION};
         COMMIT;"
    ))?;
    Ok(())
}
