//! Rules: who may do what with which tools.

use std::collections::BTreeMap;
use std::sync::Arc;

use cofferdam_types::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::bounds::LimitsEntry;
use crate::callers::{Callers, Who};
use crate::node::{Node, Place};
use crate::opaque::{AllowMap, DenyMap, Opaque};
use crate::origin::{Located, Origin};
use crate::permissions::{Permissions, Side, Written};
use crate::profile::{self, Profile};
use crate::safety::Safety;
use crate::selector::Selector;
use crate::subject::Subject;
use crate::walk::{Site, Walk};

/// A rule as people write it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map with the keys of a rule")]
#[schemars(rename = "Rule")]
pub(crate) struct Text {
    /// What denials and the audit call it; different from those of other rules. `rule 3` for the
    /// third when left out.
    #[serde(default)]
    name: Option<String>,
    /// Which tools: names with `*` for any part and a range of versions after `@`, `sha256:…`,
    /// `owner:…`, `tag:…`, `import:…`, or `*` alone for any. An empty list is none.
    tools: Vec<String>,
    /// Whose calls. Any when left out.
    #[serde(default)]
    callers: Option<Callers>,
    /// Profiles whose grants and limits are part of this rule.
    #[serde(default, rename = "use")]
    uses: Vec<String>,
    /// Profiles that a task may name as its execution environment to get their grants and limits.
    #[serde(default)]
    environments: Vec<String>,
    /// Until when the rule holds, RFC 3339. For ever when left out.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    until: Option<Timestamp>,
    /// `ask`: a person has to agree to each call.
    #[serde(default)]
    approval: Option<Approval>,
    /// What is demanded of the effects that a tool's author states.
    #[serde(default)]
    safety: Option<Safety>,
    /// What the tools may use. Present, even as `{}`, it lets them run.
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "its entries are read from the nodes, which have places"
    )]
    allow: Option<Opaque<AllowMap>>,
    /// What they may not use, whatever allows it.
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "its entries are read from the nodes, which have places"
    )]
    deny: Option<Opaque<DenyMap>>,
    /// Limits of their calls.
    #[serde(default)]
    limits: Option<LimitsEntry>,
}

/// Who has to agree to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Approval {
    /// A person, each time.
    Ask,
}

/// What a rule and a profile have in common.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body {
    /// Whether an `allow` is there at all.
    pub(crate) lets_run: bool,
    /// Where a deny of the call itself stands.
    pub(crate) denies_call: Option<Origin>,
    pub(crate) allow: Permissions,
    pub(crate) deny: Permissions,
    pub(crate) limits: Option<Located<LimitsEntry>>,
    pub(crate) written: Vec<Written>,
}

/// A rule, checked.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) origin: Origin,
    pub(crate) tools: Vec<Selector>,
    pub(crate) callers: Option<Callers>,
    pub(crate) uses: Vec<Arc<Profile>>,
    pub(crate) environments: Vec<Arc<Profile>>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) asks: bool,
    pub(crate) safety: Option<Safety>,
    pub(crate) body: Body,
}

/// Why a rule has no say in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// None of its selectors matches the tool.
    Tool,
    /// This list of its `callers` doesn't name the caller.
    Caller(&'static str),
    /// Its time is over.
    Expired(Timestamp),
}

impl Body {
    /// Reads `allow`, `deny` and what counts from the node of a rule or profile.
    pub(crate) fn read(
        node: &Node,
        limits: Option<LimitsEntry>,
        site: &Site,
        walk: &mut Walk,
    ) -> Self {
        let mut body = Self::default();
        if let Some(allow) = node.get("allow") {
            body.lets_run = true;
            body.allow = Permissions::read(allow, Side::Allow, &[], site, walk, &mut body.written);
        }
        if let Some(deny) = node.get("deny") {
            body.deny = Permissions::read(deny, Side::Deny, &[CALL], site, walk, &mut body.written);
            body.denies_call = deny.get(CALL).and_then(|call| denied(call, site, walk));
        }
        let place = node.get("limits").map_or(node.place, |limits| limits.place);
        body.limits = limits.map(|value| Located {
            value,
            origin: site.origin(place),
        });
        body
    }
}

/// The key below `deny` that refuses the call itself.
pub(crate) const CALL: &str = "call";

fn denied(call: &Node, site: &Site, walk: &mut Walk) -> Option<Origin> {
    if walk.read::<bool>(call)? {
        return Some(site.origin(call.place));
    }
    walk.mistake(call.place, "`call: false` denies nothing: leave it out");
    None
}

impl Rule {
    /// Reads the rule at `node`, the one of this `number` in its file. Mistakes go to `walk`.
    pub(crate) fn read(
        node: &Node,
        number: usize,
        file: Option<&Arc<std::path::PathBuf>>,
        profiles: &BTreeMap<String, Arc<Profile>>,
        walk: &mut Walk,
    ) -> Option<Self> {
        let text = walk.read::<Text>(node);
        let name = node
            .get("name")
            .and(text.as_ref())
            .and_then(|text| text.name.clone())
            .unwrap_or_else(|| format!("rule {number}"));
        let site = Site {
            rule: name.as_str().into(),
            file: file.cloned(),
        };
        let limits = text.as_ref().and_then(|text| text.limits);
        // The entries are read even when the rest of the rule is wrong, to say all at once.
        let body = Body::read(node, limits, &site, walk);
        let text = text?;
        profile::check_name(&name, node.get("name").unwrap_or(node).place, walk);
        if let (Some(callers), Some(node)) = (&text.callers, node.get("callers"))
            && let Err(fault) = callers.check()
        {
            walk.fault(node, fault);
        }
        Some(Self {
            origin: site.origin(node.place),
            tools: selectors(node, &text.tools, walk),
            callers: text.callers,
            uses: named(node, "use", &text.uses, profiles, walk),
            environments: named(node, "environments", &text.environments, profiles, walk),
            until: text.until,
            asks: text.approval.is_some(),
            safety: text.safety,
            body,
        })
    }

    /// The rule's name.
    pub(crate) fn name(&self) -> &str {
        &self.origin.rule
    }

    /// Whether the rule has a say in a call.
    pub(crate) fn misses(
        &self,
        subject: &Subject<'_>,
        who: Who<'_>,
        now: Timestamp,
    ) -> Option<Miss> {
        if !self.tools.iter().any(|tool| tool.matches(subject)) {
            return Some(Miss::Tool);
        }
        if let Some(key) = self
            .callers
            .as_ref()
            .and_then(|callers| callers.refuses(who))
        {
            return Some(Miss::Caller(key));
        }
        self.until.filter(|until| now >= *until).map(Miss::Expired)
    }

    /// The rule's own part, those of the profiles it uses, and that of the environment if it is
    /// one the rule knows.
    pub(crate) fn bodies(&self, environment: Option<&str>) -> impl Iterator<Item = &Body> + Clone {
        let named = self
            .environments
            .iter()
            .filter(move |profile| environment == Some(profile.name.as_str()));
        let profiles = self.uses.iter().chain(named).map(|profile| &profile.body);
        std::iter::once(&self.body).chain(profiles)
    }
}

fn selectors(node: &Node, texts: &[String], walk: &mut Walk) -> Vec<Selector> {
    let mut all = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        match text.parse::<Selector>() {
            Ok(selector) => all.push(selector),
            Err(error) => {
                walk.mistake(node.at(&format!("/tools/{index}")).place, error.to_string());
            }
        }
    }
    all
}

fn named(
    node: &Node,
    key: &str,
    names: &[String],
    profiles: &BTreeMap<String, Arc<Profile>>,
    walk: &mut Walk,
) -> Vec<Arc<Profile>> {
    let mut all = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let place: Place = node.at(&format!("/{key}/{index}")).place;
        match profiles.get(name) {
            Some(profile) => all.push(profile.clone()),
            None => walk.mistake(place, format!("no profile is called `{name}`")),
        }
    }
    all
}
