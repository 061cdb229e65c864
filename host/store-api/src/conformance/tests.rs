use super::*;

/// A case that the macro does not name would never run.
#[test]
fn every_case_is_listed() {
    let listing = include_str!("../conformance.rs");
    let tables = [
        include_str!("agents.rs"),
        include_str!("audit.rs"),
        include_str!("blobs.rs"),
        include_str!("events.rs"),
        include_str!("fence.rs"),
        include_str!("isolation.rs"),
        include_str!("key_values.rs"),
        include_str!("keys.rs"),
        include_str!("restart.rs"),
        include_str!("runs.rs"),
        include_str!("secrets.rs"),
        include_str!("tasks.rs"),
        include_str!("tool_changes.rs"),
        include_str!("tool_names.rs"),
        include_str!("tool_standings.rs"),
        include_str!("tools.rs"),
    ];
    let mut cases = 0;
    for source in tables {
        for line in source.lines() {
            let Some(rest) = line.strip_prefix("pub async fn ") else {
                continue;
            };
            let name = rest.split('(').next().unwrap_or(rest);
            let listed = listing.split(|c: char| !c.is_alphanumeric() && c != '_');
            assert!(listed.into_iter().any(|word| word == name), "{name}");
            cases += 1;
        }
    }
    assert!(cases > 30, "only {cases} cases found");
}

/// The samples are usable: ids ascend with their numbers.
#[test]
fn ids_ascend() {
    assert!(sample::run_id(9) < sample::run_id(10));
    assert!(sample::task_id(15) < sample::task_id(16));
}
