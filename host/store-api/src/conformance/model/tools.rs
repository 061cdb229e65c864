//! Operations on tools, few of which are refused.

use cofferdam_types::page::PageRequest;
use cofferdam_types::tool::ToolStatus;
use cofferdam_types::{Tenant, ToolName, Version};
use proptest::prelude::*;
use proptest::sample::select;

use super::{PAGE, text};
use crate::conformance::sample::{named, time, usage};
use crate::{Stores, ToolRecord, ToolUse};

/// Two of the names look alike.
const NAMES: [&str; 4] = ["files-list", "files-read", "files-write", "flles-read"];
const VERSIONS: [&str; 4] = ["1.0.0", "1.2.0", "1.10.0", "1.0.0-rc.1"];
/// Most points in time; records are registered at one, used and asked for at others.
const TIMES: u64 = 5;

/// A name and version, as places in the lists.
type Key = (usize, usize);

/// An operation on one tenant's tools. `tag` makes records of one digest differ.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are the operations' arguments")]
pub enum ToolOp {
    /// Each with its bytes.
    Register {
        tools: Vec<(Key, u8)>,
        component: &'static str,
        at: u64,
        tag: u8,
    },
    SetStatus {
        key: Key,
        status: ToolStatus,
        at: u64,
        idle_since: Option<u64>,
    },
    SetPinned {
        key: Key,
        pinned: bool,
    },
    Remove {
        key: Key,
        idle_since: Option<u64>,
    },
    /// Each with its number of calls and the time of the last.
    Touch {
        uses: Vec<(Key, u64, Option<u64>)>,
    },
}

pub(super) fn op() -> impl Strategy<Value = ToolOp> {
    let component = prop_oneof![6 => Just("files"), 1 => Just("other")];
    let bytes = prop_oneof![4 => Just(0_u8), 1 => Just(1)];
    let tools = prop::collection::vec((key(), bytes), 0..3);
    let status = select(vec![ToolStatus::Active, ToolStatus::Deprecated]);
    let uses = prop::collection::vec((key(), 0..5_u64, time_or_none()), 0..4);
    prop_oneof![
        3 => (tools, component, 0..TIMES, any::<u8>()).prop_map(
            |(tools, component, at, tag)| ToolOp::Register { tools, component, at, tag }
        ),
        2 => (key(), status, 0..TIMES, time_or_none()).prop_map(
            |(key, status, at, idle_since)| ToolOp::SetStatus { key, status, at, idle_since }
        ),
        1 => (key(), any::<bool>()).prop_map(|(key, pinned)| ToolOp::SetPinned { key, pinned }),
        2 => (key(), time_or_none()).prop_map(|(key, idle_since)| ToolOp::Remove {
            key,
            idle_since
        }),
        1 => uses.prop_map(|uses| ToolOp::Touch { uses }),
    ]
}

/// The first names and versions are the likelier ones, so that operations meet.
fn key() -> impl Strategy<Value = Key> {
    let first = |count: usize| prop_oneof![2 => 0..2_usize, 1 => 0..count];
    (first(NAMES.len()), first(VERSIONS.len()))
}

fn time_or_none() -> impl Strategy<Value = Option<u64>> {
    prop::option::of(0..=TIMES)
}

pub(super) async fn carry_out(stores: &Stores, owner: &Tenant, op: &ToolOp) -> String {
    let table = &stores.tools;
    match op {
        ToolOp::Register {
            tools,
            component,
            at,
            tag,
        } => {
            let record = |((name, version), bytes): &(Key, u8)| {
                let mut record = named(NAMES[*name], component, &[*bytes]);
                record.spec.version = VERSIONS[*version].parse().expect("a version");
                ToolRecord {
                    created_at: time(*at),
                    created_by: tag.to_string(),
                    ..record
                }
            };
            let records: Vec<_> = tools.iter().map(record).collect();
            text(table.register(owner, &records).await)
        }
        ToolOp::SetStatus {
            key,
            status,
            at,
            idle_since,
        } => {
            let ((name, version), since) = (names(*key), idle_since.map(time));
            let set = table.set_status(owner, &name, &version, *status, time(*at), since);
            text(set.await)
        }
        ToolOp::SetPinned { key, pinned } => {
            let (name, version) = names(*key);
            text(table.set_pinned(owner, &name, &version, *pinned).await)
        }
        ToolOp::Remove { key, idle_since } => {
            let ((name, version), since) = (names(*key), idle_since.map(time));
            text(table.remove(owner, &name, &version, since).await)
        }
        ToolOp::Touch { uses } => {
            let use_of = |(key, calls, at): &(Key, u64, Option<u64>)| {
                let (name, version) = names(*key);
                ToolUse {
                    name,
                    version,
                    usage: usage(*calls, at.map(time)),
                }
            };
            let uses: Vec<_> = uses.iter().map(use_of).collect();
            text(table.touch(owner, &uses).await)
        }
    }
}

fn names((name, version): Key) -> (ToolName, Version) {
    let name = NAMES[name].parse().expect("a tool name");
    (name, VERSIONS[version].parse().expect("a version"))
}

/// All that can be read of one tenant's tools.
pub(super) async fn content(stores: &Stores, owner: &Tenant) -> Vec<String> {
    let (table, mut lines) = (&stores.tools, Vec::new());
    for name in 0..NAMES.len() {
        let (name, _) = names((name, 0));
        lines.push(text(table.versions(owner, &name).await));
        for version in VERSIONS {
            let version = version.parse().expect("a version");
            lines.push(text(table.get(owner, &name, &version).await));
        }
    }
    for prefix in ["", "files-", "files-r"] {
        for after in [None, Some("files-list"), Some("files-s")] {
            let after = after.map(|after| after.parse().expect("a tool name"));
            let page = PageRequest { after, limit: PAGE };
            lines.push(text(table.list(owner, prefix, &page).await));
        }
    }
    let mut after = 0;
    while let Ok(changed) = table.changed(owner, after, 1).await {
        lines.push(text(&changed));
        after = changed.generation;
        if !changed.more {
            break;
        }
    }
    lines
}
