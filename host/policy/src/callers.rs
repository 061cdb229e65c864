//! Whose calls a rule is about.

use std::collections::BTreeSet;

use cofferdam_types::Tenant;
use cofferdam_types::caller::{Caller, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::capability::Fault;

/// Whose calls: each list that is there must name the caller. A list that is left out is any; an
/// empty one is nobody. Names are compared character by character.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Callers {
    /// Names of agents. A call without an agent is none of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agents: Option<BTreeSet<String>>,
    /// `viewer`, `user`, `author`, `admin`: these roles themselves, not those above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>")]
    pub roles: Option<Vec<Role>>,
    /// Tenants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>")]
    pub tenants: Option<BTreeSet<Tenant>>,
    /// Who calls, as the audit names them: `key:<id>`, `local`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principals: Option<BTreeSet<String>>,
}

/// A caller as rules see one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Who<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) agent: Option<&'a str>,
}

impl Callers {
    /// **Errors**: what could only be a slip of the pen.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        if *self == Self::default() {
            return Err(Fault::at(
                "",
                "name agents, roles, tenants or principals, or leave `callers` out for any",
            ));
        }
        let is_visible = |text: &String| !text.is_empty() && !text.contains(char::is_control);
        for (key, names) in [("agents", &self.agents), ("principals", &self.principals)] {
            if !names.iter().flatten().all(is_visible) {
                return Err(Fault::at(
                    format!("/{key}"),
                    "a name here has visible characters",
                ));
            }
        }
        Ok(())
    }

    /// As data, the same for the same callers.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let mut all = self.clone();
        if let Some(roles) = &mut all.roles {
            roles.sort();
            roles.dedup();
        }
        serde_json::to_value(all).unwrap_or_default()
    }

    /// The first list that doesn't name this caller, by its key.
    pub(crate) fn refuses(&self, who: Who<'_>) -> Option<&'static str> {
        let Who { caller, agent } = who;
        let has = |set: &BTreeSet<String>, text: &str| set.contains(text);
        let agents = self.agents.as_ref();
        if agents.is_some_and(|set| !agent.is_some_and(|agent| has(set, agent))) {
            return Some("agents");
        }
        if self
            .roles
            .as_ref()
            .is_some_and(|set| !set.contains(&caller.role))
        {
            return Some("roles");
        }
        if self
            .tenants
            .as_ref()
            .is_some_and(|set| !set.contains(&caller.tenant))
        {
            return Some("tenants");
        }
        let principals = self.principals.as_ref();
        if principals.is_some_and(|set| !has(set, &caller.principal)) {
            return Some("principals");
        }
        None
    }
}
