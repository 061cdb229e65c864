use cofferdam_types::key_value::Space;
use cofferdam_types::{AgentId, Digest, KeyId, RunId, TaskId, Tenant};

use crate::prefix::Prefix;

/// The names of the keys.
///
/// What belongs to a tenant stands under its own lead, `ao:tenant:NAME:`; the tenant `default` has
/// the bare one, `ao:`, so that an installation of one tenant has the keys that its documents name.
/// What is found before its tenant is known stands under `ao:` for all.
#[derive(Debug, Clone)]
pub(crate) struct Names(String);

impl Names {
    pub(crate) fn new(prefix: &Prefix) -> Self {
        Self(prefix.lead())
    }

    /// What the keys of this backend begin with.
    pub(crate) fn lead(&self) -> &str {
        &self.0
    }

    /// What a tenant's keys begin with.
    pub(crate) fn of(&self, tenant: &Tenant) -> String {
        if *tenant == Tenant::default() {
            self.0.clone()
        } else {
            format!("{}tenant:{tenant}:", self.0)
        }
    }

    pub(crate) fn blob(&self, tenant: &Tenant, digest: &Digest) -> String {
        format!("{}blob:{digest}", self.of(tenant))
    }

    pub(crate) fn task(&self, id: &TaskId) -> String {
        format!("{}task:{id}", self.0)
    }

    /// The ids of a tenant's tasks; with a status, of those in it.
    pub(crate) fn tasks(&self, tenant: &Tenant, status: Option<&str>) -> String {
        let lead = self.of(tenant);
        match status {
            Some(status) => format!("{lead}tasks:{status}"),
            None => format!("{lead}tasks"),
        }
    }

    pub(crate) fn run(&self, id: &RunId) -> String {
        format!("{}run:{id}", self.0)
    }

    /// The log of a run: a stream whose ids are the events' numbers.
    pub(crate) fn events(&self, id: &RunId) -> String {
        format!("{}run:{id}:events", self.0)
    }

    pub(crate) fn runs(&self, tenant: &Tenant) -> String {
        format!("{}runs", self.of(tenant))
    }

    pub(crate) fn runs_of_task(&self, id: &TaskId) -> String {
        format!("{}task:{id}:runs", self.0)
    }

    /// The runs that are not over, of all tenants, as `ID TENANT`.
    pub(crate) fn unfinished(&self) -> String {
        format!("{}runs:unfinished", self.0)
    }

    pub(crate) fn agent(&self, tenant: &Tenant, id: &AgentId) -> String {
        format!("{}agent:{id}", self.of(tenant))
    }

    pub(crate) fn key(&self, id: &KeyId) -> String {
        format!("{}key:{id}", self.0)
    }

    /// The audit: a stream whose ids are the entries' numbers.
    pub(crate) fn audit(&self) -> String {
        format!("{}audit", self.0)
    }

    /// The places of all secrets, as `TENANT NAME`.
    pub(crate) fn secrets(&self) -> String {
        format!("{}secrets", self.0)
    }

    /// What begins the three keys of a space: its values, their names in order, their sum.
    pub(crate) fn space(&self, space: &Space, part: &str) -> String {
        format!("{}kv:{part}:{}", self.of(&space.tenant), space.owner)
    }
}
