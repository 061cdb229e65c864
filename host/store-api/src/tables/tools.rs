use async_trait::async_trait;
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::tool::{Contract, Standing, ToolSpec, ToolStatus, ToolUsage};
use cofferdam_types::{ComponentName, Digest, Tenant, Timestamp, ToolName, Version};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// What never changes of one version of one tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolRecord {
    /// The contract.
    pub spec: ToolSpec,
    /// The component it lives in.
    pub component: ComponentName,
    /// The component's bytes.
    pub digest: Digest,
    /// How it is known what the tool needs.
    #[serde(default)]
    pub contract: Contract,
    /// What the component imports, as in `wasi:http/outgoing-handler@0.2.6`.
    #[serde(default)]
    pub imports: Vec<String>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Who registered it, as [`cofferdam_types::caller::Caller::principal`].
    pub created_by: String,
}

/// One version of one tool: what never changes, and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// What never changes.
    pub record: ToolRecord,
    /// How it stands.
    pub standing: Standing,
}

impl Tool {
    /// One that was just registered.
    pub fn fresh(record: ToolRecord) -> Self {
        let standing = Standing::fresh(record.created_at);
        Self { record, standing }
    }

    /// Whether a cleanup may take it, that looks for what nobody wanted since `idle_since`: it is
    /// not pinned, and was neither registered nor used at that time or after it. Every backend asks
    /// in the transaction that writes, so that a use which comes between keeps the tool.
    pub fn is_idle(&self, idle_since: Timestamp) -> bool {
        let used = self.standing.usage.last_used_at;
        !self.standing.pinned
            && self.record.created_at < idle_since
            && used.is_none_or(|used| used < idle_since)
    }
}

/// What to add to one version's usage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolUse {
    /// The tool.
    pub name: ToolName,
    /// Its version.
    pub version: Version,
    /// What [`ToolUsage::add`] adds.
    pub usage: ToolUsage,
}

/// What changed in a tenant's tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The number to ask with next time. Smaller than what was asked with when the store was put
    /// back to an earlier state: the reader then reads everything anew.
    pub generation: u64,
    /// The names, each once, in the order of their last change; those of one change by name. A
    /// name that has no version any more is among them.
    pub names: Vec<ToolName>,
    /// More than `limit` names changed: ask again with `generation`.
    pub more: bool,
}

/// Tools by name and version, and how each stands.
///
/// A name belongs for ever to the component that first registered it, even when none of its
/// versions is left, and keeps every look-alike of itself away.
///
/// Each tenant has a generation, which counts the writes that changed something but usage: 0 before
/// the first one. A write gives its number to the names that it changed, so that [`Tools::changed`]
/// tells another host what to read again.
#[async_trait]
pub trait Tools: Send + Sync {
    /// Adds all tools of one component, or none. One that was not there begins as
    /// [`Tool::fresh`]. The write counts the generation up by one, however many it adds, and gives
    /// it to the names that got a version.
    ///
    /// **Atomic.** **Idempotent** for records of the same digest: those that are there stay as they
    /// are, and the answer is `Ok(false)` when all were.
    /// **Errors**: [`StoreError::Conflict`] when a name and version is taken by another digest, or
    /// was, before it was removed; when a name belongs to another component; when a name that
    /// nobody had yet has the [skeleton](ToolName::skeleton) of another one. The records of one
    /// batch are held against each other as well.
    async fn register(&self, tenant: &Tenant, records: &[ToolRecord]) -> Result<bool, StoreError>;

    /// One version of one tool.
    async fn get(
        &self,
        tenant: &Tenant,
        name: &ToolName,
        version: &Version,
    ) -> Result<Option<Tool>, StoreError>;

    /// All versions of one name, ascending as `semver` orders them: 1.9.0 before 1.10.0, a
    /// pre-release before its release, then by build metadata.
    async fn versions(&self, tenant: &Tenant, name: &ToolName) -> Result<Vec<Tool>, StoreError>;

    /// Names that begin with `prefix` and have a version, in the order of their bytes, each with all
    /// its versions as [`Tools::versions`] gives them; `after` is the last name of the page before.
    async fn list(
        &self,
        tenant: &Tenant,
        prefix: &str,
        page: &PageRequest<ToolName>,
    ) -> Result<Page<Vec<Tool>, ToolName>, StoreError>;

    /// Gives a version a status from `at` on. `Ok(true)` when it changed; one that has the status
    /// keeps its time. With `idle_since` only a version that [is idle](Tool::is_idle) changes.
    ///
    /// **Atomic.** **Errors**: [`StoreError::Missing`].
    async fn set_status(
        &self,
        tenant: &Tenant,
        name: &ToolName,
        version: &Version,
        status: ToolStatus,
        at: Timestamp,
        idle_since: Option<Timestamp>,
    ) -> Result<bool, StoreError>;

    /// Exempts a version from the cleanup, or no longer. `Ok(true)` when that changed.
    ///
    /// **Atomic.** **Errors**: [`StoreError::Missing`].
    async fn set_pinned(
        &self,
        tenant: &Tenant,
        name: &ToolName,
        version: &Version,
        pinned: bool,
    ) -> Result<bool, StoreError>;

    /// Removes a version and remembers its digest for ever: the same bytes may come back, as a
    /// fresh registration with usage zero; to others [`Tools::register`] refuses the version.
    /// `Ok(false)` when it was not there. With `idle_since` only a version goes that is deprecated
    /// and [idle](Tool::is_idle); without it a pinned one goes too.
    ///
    /// **Atomic.** **Retry**: safe. The component's bytes stay: other tools may need them.
    async fn remove(
        &self,
        tenant: &Tenant,
        name: &ToolName,
        version: &Version,
        idle_since: Option<Timestamp>,
    ) -> Result<bool, StoreError>;

    /// Adds to the usage of versions, which is no change of generation. A version that is not there
    /// is passed over; one that is named twice gets both.
    ///
    /// **Atomic.** **Retry**: counts twice; who can't know whether it happened leaves it.
    async fn touch(&self, tenant: &Tenant, uses: &[ToolUse]) -> Result<(), StoreError>;

    /// Names that changed after generation `after`: those of the oldest changes, until there are
    /// `limit`, brought into the range of a page. All names of the last of these changes are there,
    /// even beyond the limit. When there are none, the tenant's generation alone.
    async fn changed(&self, tenant: &Tenant, after: u64, limit: u32)
    -> Result<Changed, StoreError>;
}
