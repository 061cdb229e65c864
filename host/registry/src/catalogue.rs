use std::collections::BTreeMap;
use std::sync::Arc;

use cofferdam_store_api::ToolRecord;
use cofferdam_types::tool::ToolRef;
use cofferdam_types::{ComponentName, ToolName};

use crate::entry::Entry;

/// All tools of one tenant, in memory: a call resolves without asking the store.
#[derive(Default)]
pub(crate) struct Catalogue {
    /// The store's count of changes when it was like this.
    pub(crate) generation: u64,
    /// Ascending by version.
    tools: BTreeMap<ToolName, Vec<Arc<Entry>>>,
}

impl Catalogue {
    /// From the store's listing.
    pub(crate) fn new(generation: u64, records: Vec<ToolRecord>) -> Self {
        let mut tools = BTreeMap::<_, Vec<Arc<Entry>>>::new();
        for record in records {
            let name = record.spec.name.clone();
            let entry = Arc::new(Entry::new(record));
            tools.entry(name).or_default().push(entry);
        }
        for versions in tools.values_mut() {
            versions.sort_by(|a, b| a.identity().version.cmp(&b.identity().version));
        }
        Self { generation, tools }
    }

    /// This, with the versions of some names as they are now.
    pub(crate) fn renewed(
        &self,
        generation: u64,
        changed: Vec<(ToolName, Vec<ToolRecord>)>,
    ) -> Self {
        let mut tools = self.tools.clone();
        for (name, records) in changed {
            let before = tools.remove(&name).unwrap_or_default();
            let versions = records.into_iter().map(|record| {
                // An entry that stays keeps its compiled schemas.
                let kept = before.iter().find(|entry| *entry.record() == record);
                kept.cloned()
                    .unwrap_or_else(|| Arc::new(Entry::new(record)))
            });
            let versions: Vec<_> = versions.collect();
            if !versions.is_empty() {
                tools.insert(name, versions);
            }
        }
        Self { generation, tools }
    }

    /// The highest version in the range; without a range the highest that is not a pre-release,
    /// or the highest of all when there are only pre-releases.
    pub(crate) fn resolve(&self, tool: &ToolRef) -> Option<&Arc<Entry>> {
        let versions = self.tools.get(&tool.name)?;
        if let Some(range) = &tool.range {
            return versions
                .iter()
                .rev()
                .find(|entry| range.matches(&entry.identity().version));
        }
        let released = versions
            .iter()
            .rev()
            .find(|entry| entry.identity().version.pre.is_empty());
        released.or(versions.last())
    }

    /// The versions of a name, ascending.
    pub(crate) fn versions(&self, name: &ToolName) -> impl Iterator<Item = &Arc<Entry>> {
        self.tools.get(name).into_iter().flatten()
    }

    /// The component that a name belongs to.
    pub(crate) fn owner(&self, name: &ToolName) -> Option<&ComponentName> {
        let versions = self.tools.get(name)?;
        versions.first().map(|entry| &entry.record().component)
    }

    /// Every name.
    pub(crate) fn names(&self) -> impl Iterator<Item = &ToolName> {
        self.tools.keys()
    }

    /// Every version of every tool, by name and ascending version.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.tools.values().flatten()
    }
}
