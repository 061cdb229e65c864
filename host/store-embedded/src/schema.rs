use rusqlite::Connection;

use crate::error::Fault;

/// Marks the file as ours, in SQLite's own field for that: `COFF` in ASCII.
pub(crate) const APPLICATION_ID: i64 = 0x434f_4646;

/// What each version added, from an empty file on: the file of an older host is brought to this
/// one's version by the steps it lacks. A step that was shipped is never changed.
const STEPS: [&str; 5] = [
    TABLES,
    CALLS_OF_THE_AUDIT,
    KEY_VALUES,
    SECRETS,
    STANDING_OF_TOOLS,
];

/// How many of [`STEPS`] a file has, kept as SQLite's `user_version`. A host refuses more than it
/// knows.
pub(crate) const SCHEMA_VERSION: i64 = 5;
const _: () = assert!(STEPS.len() == 5, "one version for each step");

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

/// Finds an audit entry by its call, and those of a call that a tool made by the first of its line.
const CALLS_OF_THE_AUDIT: &str = "
ALTER TABLE audit ADD COLUMN call_id TEXT;
ALTER TABLE audit ADD COLUMN root_id TEXT;
UPDATE audit SET call_id = record ->> '$.call_id' WHERE json_valid(record);
CREATE INDEX audit_by_call ON audit (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX audit_by_root ON audit (root_id) WHERE root_id IS NOT NULL;
";

/// What tools keep between calls; the values of an owner, and their sum for its quota.
const KEY_VALUES: &str = "
CREATE TABLE key_values (
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (tenant, owner, key)
) STRICT;

CREATE TABLE key_value_sums (
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    entries INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (tenant, owner)
) STRICT, WITHOUT ROWID;
";

/// Secrets, each sealed; the record says with which key.
const SECRETS: &str = "
CREATE TABLE secrets (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    record_version INTEGER NOT NULL,
    record TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (tenant, name)
) STRICT;
";

/// How each version of a tool stands, beside the record, which is large and never changes; whose each
/// name is, and when it last changed; what removed versions were.
///
/// What is there comes out as registered and never used. A name belongs to the component that had it
/// first. Each name is a change of its own, so that whoever asks what changed gets it in parts.
/// Older hosts took names that look alike, so their skeletons are not unique.
const STANDING_OF_TOOLS: &str = "
CREATE TABLE tool_standings (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'deprecated')),
    since_ms INTEGER NOT NULL,
    pinned INTEGER NOT NULL CHECK (pinned IN (0, 1)),
    calls INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    wall_us INTEGER NOT NULL,
    last_used_ms INTEGER,
    PRIMARY KEY (tenant, name, version)
) STRICT, WITHOUT ROWID;
INSERT INTO tool_standings
SELECT tenant, name, version, 'active',
    coalesce(CASE WHEN json_valid(record) THEN CAST(
        round(1000 * unixepoch(record ->> '$.created_at', 'subsec')) AS INTEGER) END, 0),
    0, 0, 0, 0, NULL
FROM tools;

CREATE TABLE tool_names (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    component TEXT NOT NULL,
    skeleton TEXT NOT NULL,
    generation INTEGER NOT NULL,
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX tool_names_by_skeleton ON tool_names (tenant, skeleton);
CREATE INDEX tool_names_by_change ON tool_names (tenant, generation, name);
INSERT INTO tool_names
SELECT tenant, name, component,
    replace(replace(replace(replace(replace(replace(
        name, '-', ''), '1', 'l'), 'i', 'l'), '0', 'o'), 'm', 'rn'), 'w', 'vv'),
    row_number() OVER (PARTITION BY tenant ORDER BY name)
FROM (
    SELECT tenant, name, component, min(created_at) FROM (
        SELECT tenant, name,
            CASE WHEN json_valid(record) THEN record ->> '$.component' END AS component,
            CASE WHEN json_valid(record) THEN record ->> '$.created_at' END AS created_at
        FROM tools
    ) WHERE component IS NOT NULL GROUP BY tenant, name
);

CREATE TABLE tool_tombstones (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (tenant, name, version)
) STRICT, WITHOUT ROWID;
";

/// Takes the steps that a file of this version lacks, all or none of them; 0 is an empty file.
pub(crate) fn complete(connection: &Connection, version: i64) -> Result<(), Fault> {
    let taken = usize::try_from(version).unwrap_or_default();
    let steps = STEPS.get(taken..).unwrap_or_default();
    if steps.is_empty() {
        return Ok(());
    }
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE;
         {}
         PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {SCHEMA_VERSION};
         COMMIT;",
        steps.concat()
    ))?;
    Ok(())
}
