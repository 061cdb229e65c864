//! Whose a name is, in words. The store decides, for all hosts at once; it can't say why.

use std::collections::HashMap;

use cofferdam_store_api::ToolRecord;
use cofferdam_types::ToolName;

use crate::catalogue::Catalogue;

/// Why these records can't be added beside what is listed, when a name is the reason.
pub(crate) fn taken(listed: &Catalogue, records: &[ToolRecord]) -> Option<String> {
    let mut fresh: HashMap<String, &ToolName> = HashMap::new();
    for new in records {
        let name = &new.spec.name;
        if let Some(owner) = listed.owner(name) {
            if *owner != new.component {
                return Some(format!(
                    "the tool name `{name}` belongs to the component `{owner}`"
                ));
            }
        } else if let Some(other) = fresh.insert(name.skeleton(), name)
            && other != name
        {
            return Some(alike(name, other));
        }
    }
    if fresh.is_empty() {
        return None;
    }
    listed.names().find_map(|old| {
        let new = fresh.get(&old.skeleton())?;
        Some(alike(new, old))
    })
}

fn alike(new: &ToolName, old: &ToolName) -> String {
    format!("the tool name `{new}` looks like `{old}`; choose another")
}
