use async_trait::async_trait;
use cofferdam_store_api::{Changed, StoreError, Tool, ToolRecord, ToolUse, Tools};
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::tool::{Contract, Standing, ToolSpec, ToolStatus, ToolUsage};
use cofferdam_types::{ComponentName, Digest, Tenant, Timestamp, ToolName, Version};
use redis::Cmd;
use serde::{Deserialize, Serialize};

use crate::record;
use crate::script::{TOOLS_CHANGED, TOOLS_READ, TOOLS_REGISTER, TOOLS_STANDING, TOOLS_TOUCH};
use crate::store::Tables;

/// Names whose versions one script reads: others wait meanwhile.
const NAMES_AT_ONCE: usize = 64;

#[async_trait]
impl Tools for Tables {
    async fn register(&self, tenant: &Tenant, records: &[ToolRecord]) -> Result<bool, StoreError> {
        let mut words = Vec::with_capacity(records.len() * 7);
        for record in records {
            words.extend([
                record.spec.name.to_string(),
                record.spec.version.to_string(),
                record.digest.to_string(),
                record.spec.name.skeleton(),
                record.component.to_string(),
                record.created_at.as_millis().to_string(),
                record::encode(&Kept::of(record))?,
            ]);
        }
        self.tools(&TOOLS_REGISTER, tenant, &words).await
    }

    async fn get(
        &self,
        tenant: &Tenant,
        name: &ToolName,
        version: &Version,
    ) -> Result<Option<Tool>, StoreError> {
        let mut versions = self.versions(tenant, name).await?;
        let found = versions
            .iter()
            .position(|tool| tool.record.spec.version == *version);
        Ok(found.map(|index| versions.swap_remove(index)))
    }

    async fn versions(&self, tenant: &Tenant, name: &ToolName) -> Result<Vec<Tool>, StoreError> {
        let names = [name.to_string()];
        Ok(self
            .families(tenant, &names)
            .await?
            .pop()
            .unwrap_or_default())
    }

    async fn list(
        &self,
        tenant: &Tenant,
        prefix: &str,
        page: &PageRequest<ToolName>,
    ) -> Result<Page<Vec<Tool>, ToolName>, StoreError> {
        // The later of the two beginnings.
        let from = match page.after.as_ref().map(ToolName::as_str) {
            Some(after) if after >= prefix => format!("({after}"),
            _ => format!("[{prefix}"),
        };
        let mut to = b"(".to_vec();
        to.extend_from_slice(prefix.as_bytes());
        to.push(0xff);
        let count = isize::try_from(page.items_max() + 1).unwrap_or(isize::MAX);
        let names = format!("{}tools:names", self.names.of(tenant));
        let range = Cmd::zrangebylex_limit(names, from, to.as_slice(), 0, count);
        let names: Vec<String> = self.link.command(&range).await?;
        let Page { items, next } = Page::cut(names, page.items_max(), String::clone);
        let next = next.map(|name| name.parse()).transpose();
        let next = next.map_err(|error| record::unreadable("tools", error))?;
        let mut families = Vec::with_capacity(items.len());
        for names in items.chunks(NAMES_AT_ONCE) {
            families.extend(self.families(tenant, names).await?);
        }
        // What lost its last version since the names were read.
        families.retain(|versions| !versions.is_empty());
        Ok(Page {
            items: families,
            next,
        })
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
        let act = [
            "status".to_owned(),
            status.to_string(),
            at.as_millis().to_string(),
        ];
        self.stand(tenant, name, version, idle_since, &act).await
    }

    async fn set_pinned(
        &self,
        tenant: &Tenant,
        name: &ToolName,
        version: &Version,
        pinned: bool,
    ) -> Result<bool, StoreError> {
        let act = ["pinned".to_owned(), u8::from(pinned).to_string()];
        self.stand(tenant, name, version, None, &act).await
    }

    async fn remove(
        &self,
        tenant: &Tenant,
        name: &ToolName,
        version: &Version,
        idle_since: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let act = ["remove".to_owned()];
        self.stand(tenant, name, version, idle_since, &act).await
    }

    async fn touch(&self, tenant: &Tenant, uses: &[ToolUse]) -> Result<(), StoreError> {
        if uses.is_empty() {
            return Ok(());
        }
        let mut words = Vec::with_capacity(uses.len() * 5);
        for ToolUse {
            name,
            version,
            usage,
        } in uses
        {
            let count = |count: u64| count.min(ToolUsage::SUM_MAX).to_string();
            let last = usage.last_used_at;
            words.extend([
                format!("{name}:{version}"),
                count(usage.calls),
                count(usage.failures),
                count(usage.wall_us),
                last.map(|last| last.as_millis().to_string())
                    .unwrap_or_default(),
            ]);
        }
        self.tools(&TOOLS_TOUCH, tenant, &words).await?;
        Ok(())
    }

    async fn changed(
        &self,
        tenant: &Tenant,
        after: u64,
        limit: u32,
    ) -> Result<Changed, StoreError> {
        let lead = self.names.of(tenant);
        let keys = ["changed", "generation"].map(|key| format!("{lead}tools:{key}"));
        let limit = PageRequest::<ToolName> { after: None, limit }.items_max();
        let (after, limit) = (after.to_string(), limit.to_string());
        let arguments = [after.as_bytes(), limit.as_bytes()];
        let (generation, more, names): (u64, bool, Vec<String>) =
            self.link.script(&TOOLS_CHANGED, &keys, &arguments).await?;
        let names = names
            .iter()
            .map(|name| name.parse())
            .collect::<Result<_, _>>();
        let names = names.map_err(|error| record::unreadable("tools:changed", error))?;
        Ok(Changed {
            generation,
            names,
            more,
        })
    }
}

impl Tables {
    /// Runs a script on a tenant's tools.
    async fn tools(
        &self,
        script: &crate::script::Lua,
        tenant: &Tenant,
        words: &[String],
    ) -> Result<bool, StoreError> {
        let lead = self.names.of(tenant);
        let keys = [format!("{lead}tools:index")];
        let words = words.iter().map(String::as_bytes);
        let arguments: Vec<&[u8]> = std::iter::once(lead.as_bytes()).chain(words).collect();
        self.write(script, &keys, &arguments).await
    }

    /// Changes how a version stands.
    async fn stand(
        &self,
        tenant: &Tenant,
        name: &ToolName,
        version: &Version,
        idle_since: Option<Timestamp>,
        act: &[String],
    ) -> Result<bool, StoreError> {
        let since = idle_since.map(|since| since.as_millis().to_string());
        let mut words = vec![
            name.to_string(),
            version.to_string(),
            since.unwrap_or_default(),
        ];
        words.extend_from_slice(act);
        self.tools(&TOOLS_STANDING, tenant, &words).await
    }

    /// All versions of each name, ascending.
    async fn families(
        &self,
        tenant: &Tenant,
        names: &[String],
    ) -> Result<Vec<Vec<Tool>>, StoreError> {
        let lead = self.names.of(tenant);
        let keys = [format!("{lead}tools:index")];
        let names = names.iter().map(String::as_bytes);
        let arguments: Vec<&[u8]> = std::iter::once(lead.as_bytes()).chain(names).collect();
        let found: Vec<Vec<Fields>> = self.link.script(&TOOLS_READ, &keys, &arguments).await?;
        let families = found.into_iter().map(|versions| {
            let tools = versions.into_iter().map(tool);
            let mut tools = tools.collect::<Result<Vec<Tool>, _>>()?;
            tools.sort_by(|one, other| one.record.spec.version.cmp(&other.record.spec.version));
            Ok(tools)
        });
        families.collect()
    }
}

/// Record, status, since, pinned; calls, failures, time, last use.
type Fields = (
    Option<Vec<u8>>,
    Option<String>,
    Option<u64>,
    Option<u8>,
    Option<u64>,
    Option<u64>,
    Option<u64>,
    Option<u64>,
);

fn tool(fields: Fields) -> Result<Tool, StoreError> {
    let (text, status, since, pinned, calls, failures, wall_us, last_used_at) = fields;
    let missing = |what: &str| record::unreadable("tools", format!("a version has no {what}"));
    let text = text.ok_or_else(|| missing("record"))?;
    let record: ToolRecord = record::decode::<Kept>("tools", &text)?.into();
    let status = status.ok_or_else(|| missing("status"))?.parse();
    Ok(Tool {
        standing: Standing {
            status: status.map_err(|error| record::unreadable("tools", error))?,
            since: since.map_or(record.created_at, Timestamp::from_millis),
            pinned: pinned == Some(1),
            usage: ToolUsage {
                calls: calls.unwrap_or_default(),
                failures: failures.unwrap_or_default(),
                wall_us: wall_us.unwrap_or_default(),
                last_used_at: last_used_at.map(Timestamp::from_millis),
            },
        },
        record,
    })
}

/// A record as its key holds it: a spec in JSON, with what the registry knows beside its fields.
#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    spec: ToolSpec,
    component: ComponentName,
    digest: Digest,
    #[serde(default)]
    contract: Contract,
    #[serde(default)]
    imports: Vec<String>,
    created_at: Timestamp,
    created_by: String,
}

impl Kept {
    fn of(record: &ToolRecord) -> Self {
        let ToolRecord {
            spec,
            component,
            digest,
            contract,
            imports,
            created_at,
            created_by,
        } = record.clone();
        Self {
            spec,
            component,
            digest,
            contract,
            imports,
            created_at,
            created_by,
        }
    }
}

impl From<Kept> for ToolRecord {
    fn from(kept: Kept) -> Self {
        let Kept {
            spec,
            component,
            digest,
            contract,
            imports,
            created_at,
            created_by,
        } = kept;
        Self {
            spec,
            component,
            digest,
            contract,
            imports,
            created_at,
            created_by,
        }
    }
}
