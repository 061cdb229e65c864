use std::collections::BTreeMap;
use std::ops::Bound;

use async_trait::async_trait;
use cofferdam_store_api::{Changed, StoreError, Tool, ToolRecord, ToolUse, Tools};
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::tool::{Standing, ToolStatus};
use cofferdam_types::{ComponentName, Digest, Tenant, Timestamp, ToolName, Version};

use crate::tables::Memory;

/// The tools of one tenant.
#[derive(Default)]
pub(crate) struct Catalogue {
    /// Never without a version.
    tools: BTreeMap<ToolName, BTreeMap<Version, Tool>>,
    /// Every name that ever was.
    claims: BTreeMap<ToolName, Claim>,
    skeletons: BTreeMap<String, ToolName>,
    /// What removed versions were.
    tombstones: BTreeMap<(ToolName, Version), Digest>,
    generation: u64,
}

/// Whose a name is, and when it changed.
struct Claim {
    component: ComponentName,
    generation: u64,
}

#[async_trait]
impl Tools for Memory {
    async fn register(&self, tenant: &Tenant, records: &[ToolRecord]) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let own = tables.tools.entry(tenant.clone()).or_default();
        let fresh = own.fresh(records)?;
        if fresh.is_empty() {
            return Ok(false);
        }
        own.generation += 1;
        for record in fresh {
            own.add(record);
        }
        Ok(true)
    }

    async fn get(
        &self,
        tenant: &Tenant,
        name: &ToolName,
        version: &Version,
    ) -> Result<Option<Tool>, StoreError> {
        let tables = self.tables();
        let own = tables.tools.get(tenant);
        let tool = own.and_then(|own| own.tools.get(name)?.get(version));
        Ok(tool.cloned())
    }

    async fn versions(&self, tenant: &Tenant, name: &ToolName) -> Result<Vec<Tool>, StoreError> {
        let tables = self.tables();
        let versions = tables.tools.get(tenant).and_then(|own| own.tools.get(name));
        let tools = versions.into_iter().flat_map(BTreeMap::values);
        Ok(tools.cloned().collect())
    }

    async fn list(
        &self,
        tenant: &Tenant,
        prefix: &str,
        page: &PageRequest<ToolName>,
    ) -> Result<Page<Vec<Tool>, ToolName>, StoreError> {
        let tables = self.tables();
        let after = page
            .after
            .as_ref()
            .map_or(Bound::Unbounded, Bound::Excluded);
        let own = tables.tools.get(tenant).into_iter();
        let names = own.flat_map(|own| {
            let rest = own.tools.range::<ToolName, _>((after, Bound::Unbounded));
            rest.filter(|(name, _)| name.as_str().starts_with(prefix))
        });
        let found: Vec<(ToolName, Vec<Tool>)> = names
            .take(page.items_max() + 1)
            .map(|(name, versions)| (name.clone(), versions.values().cloned().collect()))
            .collect();
        let Page { items, next } = Page::cut(found, page.items_max(), |(name, _)| name.clone());
        let items = items.into_iter().map(|(_, versions)| versions).collect();
        Ok(Page { items, next })
    }

    async fn set_status(
        &self,
        tenant: &Tenant,
        name: &ToolName,
        version: &Version,
        status: ToolStatus,
        at: Timestamp,
        idle_since: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let own = tables.tools.entry(tenant.clone()).or_default();
        let tool = own.tool(name, version).ok_or(StoreError::Missing)?;
        let may = idle_since.is_none_or(|since| tool.is_idle(since));
        if !may || tool.standing.status == status {
            return Ok(false);
        }
        tool.standing = Standing {
            status,
            since: at,
            ..tool.standing
        };
        own.change(name);
        Ok(true)
    }

    async fn set_pinned(
        &self,
        tenant: &Tenant,
        name: &ToolName,
        version: &Version,
        pinned: bool,
    ) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let own = tables.tools.entry(tenant.clone()).or_default();
        let tool = own.tool(name, version).ok_or(StoreError::Missing)?;
        if tool.standing.pinned == pinned {
            return Ok(false);
        }
        tool.standing.pinned = pinned;
        own.change(name);
        Ok(true)
    }

    async fn remove(
        &self,
        tenant: &Tenant,
        name: &ToolName,
        version: &Version,
        idle_since: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let own = tables.tools.entry(tenant.clone()).or_default();
        let Some(tool) = own.tool(name, version) else {
            return Ok(false);
        };
        let deprecated = tool.standing.status == ToolStatus::Deprecated;
        if idle_since.is_some_and(|since| !deprecated || !tool.is_idle(since)) {
            return Ok(false);
        }
        let digest = tool.record.digest;
        own.take(name, version);
        let place = (name.clone(), version.clone());
        own.tombstones.insert(place, digest);
        own.change(name);
        Ok(true)
    }

    async fn touch(&self, tenant: &Tenant, uses: &[ToolUse]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let own = tables.tools.entry(tenant.clone()).or_default();
        for used in uses {
            if let Some(tool) = own.tool(&used.name, &used.version) {
                tool.standing.usage.add(&used.usage);
            }
        }
        Ok(())
    }

    async fn changed(
        &self,
        tenant: &Tenant,
        after: u64,
        limit: u32,
    ) -> Result<Changed, StoreError> {
        let request = PageRequest::<u64> { after: None, limit };
        let tables = self.tables();
        let own = tables.tools.get(tenant);
        let claims = own.into_iter().flat_map(|own| &own.claims);
        let mut names: Vec<_> = claims
            .map(|(name, claim)| (claim.generation, name))
            .filter(|(generation, _)| *generation > after)
            .collect();
        names.sort();
        let last = names.get(..request.items_max()).and_then(<[_]>::last);
        let last = last.map_or(u64::MAX, |(generation, _)| *generation);
        let told = names.partition_point(|(generation, _)| *generation <= last);
        let more = told < names.len();
        let all = own.map_or(0, |own| own.generation);
        names.truncate(told);
        Ok(Changed {
            generation: if more { last } else { all },
            names: names.into_iter().map(|(_, name)| name.clone()).collect(),
            more,
        })
    }
}

impl Catalogue {
    /// The records that are not there yet, each once; an error when one of them can't be added.
    fn fresh<'r>(&self, records: &'r [ToolRecord]) -> Result<Vec<&'r ToolRecord>, StoreError> {
        let mut digests = BTreeMap::new();
        let mut components = BTreeMap::new();
        let mut skeletons = BTreeMap::new();
        let mut fresh = Vec::new();
        for record in records {
            let (name, version) = (&record.spec.name, &record.spec.version);
            let claim = self.claims.get(name).map(|claim| &claim.component);
            let skeleton = name.skeleton();
            let owner = claim.or(components.get(name).copied());
            let looks = self.skeletons.get(&skeleton);
            let looks = looks.or(skeletons.get(&skeleton).copied());
            let tool = self.tools.get(name).and_then(|tools| tools.get(version));
            let kept = tool.map(|tool| tool.record.digest);
            let buried = self.tombstones.get(&(name.clone(), version.clone()));
            let digest = kept
                .or(buried.copied())
                .or(digests.get(&(name, version)).copied());
            if owner.is_some_and(|owner| *owner != record.component)
                || looks.is_some_and(|other| other != name)
                || digest.is_some_and(|digest| digest != record.digest)
            {
                return Err(StoreError::Conflict);
            }
            components.insert(name, &record.component);
            skeletons.insert(skeleton, name);
            let first = digests.insert((name, version), record.digest).is_none();
            if first && kept.is_none() {
                fresh.push(record);
            }
        }
        Ok(fresh)
    }

    /// Carries out what [`Catalogue::fresh`] found to be right.
    fn add(&mut self, record: &ToolRecord) {
        let name = &record.spec.name;
        let claim = Claim {
            component: record.component.clone(),
            generation: self.generation,
        };
        self.claims.insert(name.clone(), claim);
        self.skeletons.insert(name.skeleton(), name.clone());
        let versions = self.tools.entry(name.clone()).or_default();
        versions.insert(record.spec.version.clone(), Tool::fresh(record.clone()));
    }

    fn tool(&mut self, name: &ToolName, version: &Version) -> Option<&mut Tool> {
        self.tools.get_mut(name)?.get_mut(version)
    }

    fn take(&mut self, name: &ToolName, version: &Version) {
        if let Some(versions) = self.tools.get_mut(name) {
            versions.remove(version);
            if versions.is_empty() {
                self.tools.remove(name);
            }
        }
    }

    /// Counts a change of one name.
    fn change(&mut self, name: &ToolName) {
        self.generation += 1;
        if let Some(claim) = self.claims.get_mut(name) {
            claim.generation = self.generation;
        }
    }
}
