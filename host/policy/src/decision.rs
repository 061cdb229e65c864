//! The decision about one call.

use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_types::call::Denial;
use cofferdam_types::caller::Caller;
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::ToolSpec;
use cofferdam_types::workspace::{Access, Offer, Place};
use cofferdam_types::{Limits, Tenant, Timestamp, WorkspaceName};
use serde_json::Value as Json;

use crate::applicable::Applicable;
use crate::callers::Who;
use crate::capability::filesystem::{Files, Filesystem, MountName, Workspace};
use crate::declared::Declared;
use crate::delegation::Carried;
use crate::denial;
use crate::grant::Grant;
use crate::permissions::{Side, Slices};
use crate::policy::Policy;
use crate::revision::Revision;
use crate::slice::Slice;
use crate::subject::Subject;

/// Below the workspaces of the default tenant, where those of each other tenant are. No workspace
/// has this name, since each begins with a letter or a digit.
const TENANTS: &str = "_tenants";

/// What a caller brings to a decision.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who calls.
    pub caller: &'a Caller,
    /// The name of the agent at work, when there is one.
    pub agent: Option<&'a str>,
    /// The profile that the task names as its execution environment; `isolated` when it names none.
    pub environment: Option<&'a str>,
    /// The directory they offer.
    pub workspace: Option<&'a Offer>,
    /// Limits they tighten.
    pub limits: &'a LimitRequest,
    /// What the agent, the task and the caller carry, each a layer that has to allow a use. None of
    /// one party means that it passes on whatever policy gives.
    pub layers: &'a [Carried<'a>],
    /// The call's arguments, an object.
    pub arguments: &'a Json,
    /// When it is, for rules that hold until some time.
    pub now: Timestamp,
}

impl<'a> Request<'a> {
    /// A call that brings nothing.
    pub fn bare(caller: &'a Caller, limits: &'a LimitRequest) -> Self {
        Self {
            caller,
            agent: None,
            environment: None,
            workspace: None,
            limits,
            layers: &[],
            arguments: &Json::Null,
            now: Timestamp::from_millis(0),
        }
    }

    pub(crate) fn who(&self) -> Who<'a> {
        Who {
            caller: self.caller,
            agent: self.agent,
        }
    }
}

impl Policy {
    /// Decides about one call: the intersection of what the tool declares, what this policy allows,
    /// what agent and task carry, and what the caller offers and delegates.
    ///
    /// **Errors**: every denial that stands in the way, never only the first.
    pub fn decide(
        &self,
        subject: &Subject<'_>,
        request: &Request<'_>,
    ) -> Result<Grant, Vec<Denial>> {
        let found = self
            .cache
            .get(subject, request, || self.applicable(subject, request));
        let found = &found.applicable;
        if !found.denials.is_empty() {
            return Err(found.denials.clone());
        }
        let slices = slices(found, request);
        let declared = Declared::of(subject);
        let mut denials = self.missing(found, &slices, declared, request);
        let workspace = match self.workspace(declared, &slices.filesystem, request) {
            Ok(workspace) => workspace,
            Err(denial) => {
                denials.push(denial);
                None
            }
        };
        if !denials.is_empty() {
            return Err(denials);
        }
        let files = match declared.files {
            Some((access, _)) if !slices.filesystem.is_nothing() => Files::new(
                slices.filesystem.clone(),
                access,
                workspace.as_ref(),
                &self.parts.mounts,
            ),
            _ => Files::none(),
        };
        Ok(Grant {
            subject: found.subject.clone(),
            policy: self.parts.name.clone(),
            revision: Revision::default(),
            digest: subject.digest,
            limits: limits(subject.spec, &found.ceiling.limits(), request),
            declared,
            files,
            slices,
            programs: self.parts.programs.clone(),
        })
    }

    /// A grant of nothing: what is left of a call whose tool this policy doesn't let run.
    pub fn nothing(&self, subject: &Subject<'_>) -> Grant {
        let spec = subject.spec;
        Grant {
            subject: format!("{}@{}", spec.name, spec.version).into(),
            policy: self.parts.name.clone(),
            revision: Revision::default(),
            digest: subject.digest,
            limits: Limits::DEFAULT,
            declared: Declared::of(subject),
            files: Files::none(),
            slices: Slices::nothing(),
            programs: Arc::default(),
        }
    }

    /// Denials of what the tool can't do without and nobody gives.
    fn missing(
        &self,
        found: &Applicable,
        slices: &Slices,
        declared: Declared,
        request: &Request<'_>,
    ) -> Vec<Denial> {
        let has = slices.words();
        let lacks = |words: &&[&str]| !words.iter().any(|word| has.contains(word));
        let missing: Vec<_> = declared.required().filter(lacks).collect();
        let given = if missing.is_empty() {
            Vec::new()
        } else {
            found.allows.words()
        };
        let deny = |words: &[&'static str]| {
            if words.iter().any(|word| given.contains(word)) {
                denial::not_carried(self, &found.subject, words, request)
            } else {
                denial::not_granted(self, &found.subject, words)
            }
        };
        missing.into_iter().map(deny).collect()
    }

    fn workspace(
        &self,
        declared: Declared,
        slice: &Slice<Filesystem>,
        request: &Request<'_>,
    ) -> Result<Option<Workspace>, Denial> {
        let Some((needed, optional)) = declared.files else {
            return Ok(None);
        };
        // Nothing of a workspace is allowed, which was denied already if it matters.
        if slice.is_nothing() {
            return Ok(None);
        }
        // A tool that has other directories as well works without this one.
        let only = slice.layers().iter().all(|layer| {
            layer
                .allows
                .iter()
                .all(|allow| allow.value.mount() == Some(&MountName::WORKSPACE))
        });
        let optional = optional || !only;
        let Some(offer) = request.workspace else {
            return if optional {
                Ok(None)
            } else {
                Err(denial::no_workspace(self, needed))
            };
        };
        let path = match &offer.place {
            Place::Named(name) => self.named(&request.caller.tenant, name),
            Place::Directory(path) if self.parts.any_directory => path.clone(),
            Place::Directory(path) => return Err(denial::directory(self, needed, path)),
        };
        // A tool that also works without a workspace works with less of one.
        if offer.access < needed && !optional {
            return Err(denial::read_only(self, offer));
        }
        let access: Access = needed.min(offer.access);
        Ok(Some(Workspace { path, access }))
    }

    /// Where the workspace of this name is for a tenant: one name means another directory to each.
    fn named(&self, tenant: &Tenant, name: &WorkspaceName) -> PathBuf {
        let workspaces = &self.parts.workspaces;
        if *tenant == Tenant::default() {
            return workspaces.join(name.as_str());
        }
        let own = workspaces.join(TENANTS).join(tenant.as_str());
        own.join(name.as_str())
    }
}

/// What the policy gives, short of what the layers don't carry, for these arguments.
fn slices(found: &Applicable, request: &Request<'_>) -> Slices {
    let mut slices = if found.is_bound {
        Slices::new(
            &found.allows.bound(Side::Allow, request.arguments),
            &found.denies.bound(Side::Deny, request.arguments),
        )
    } else {
        Slices::new(&found.allows, &found.denies)
    };
    for Carried { party, delegation } in request.layers {
        slices = if delegation.is_bound {
            let bound = delegation.shares.bound(Side::Allow, request.arguments);
            slices.within(*party, &bound)
        } else {
            slices.within(*party, &delegation.shares)
        };
    }
    slices
}

/// The tool's own limits up to the ceiling, then whatever the caller tightens.
pub(crate) fn limits(spec: &ToolSpec, max: &Limits, request: &Request<'_>) -> Limits {
    let asked = &spec.limits;
    let default = Limits::DEFAULT;
    let own = |asked: Option<u64>, default: u64, max: u64| asked.unwrap_or(default).min(max);
    let own = Limits {
        fuel: own(asked.fuel, default.fuel, max.fuel),
        deadline_ms: own(asked.deadline_ms, default.deadline_ms, max.deadline_ms),
        memory_bytes: own(asked.memory_bytes, default.memory_bytes, max.memory_bytes),
        result_bytes: own(asked.result_bytes, default.result_bytes, max.result_bytes),
        ..*max
    };
    own.narrowed(request.limits)
}

/// The name of a tool as denials have it.
pub(crate) fn shown(spec: &ToolSpec) -> Arc<str> {
    format!("{}@{}", spec.name, spec.version).into()
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod properties;
