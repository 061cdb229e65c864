//! Profiles: bundles of grants and limits with a name.

use std::path::PathBuf;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::bounds::LimitsEntry;
use crate::node::{Node, Place};
use crate::opaque::{AllowMap, DenyMap, Opaque};
use crate::origin::Origin;
use crate::rule::Body;
use crate::walk::{Site, Walk};

/// The environment of a call that names none: it adds nothing, so that a tool may compute and
/// whatever rules give it.
pub const ISOLATED: &str = "isolated";
/// Longest name of a policy, a rule or a profile: it stands in every denial.
const NAME_BYTES_MAX: usize = 64;

/// A profile as people write it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map with the keys of a profile")]
#[schemars(rename = "Profile")]
pub(crate) struct Text {
    /// What it gives.
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "its entries are read from the nodes, which have places"
    )]
    allow: Option<Opaque<AllowMap>>,
    /// What it takes away, whatever gives it.
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "its entries are read from the nodes, which have places"
    )]
    deny: Option<Opaque<DenyMap>>,
    /// Limits of the calls it holds for.
    #[serde(default)]
    limits: Option<LimitsEntry>,
}

/// A profile, checked.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) body: Body,
}

impl Profile {
    /// The profile that every policy has: it lets tools compute.
    pub(crate) fn isolated() -> Self {
        Self {
            name: ISOLATED.to_owned(),
            origin: Origin::builtin("profile isolated"),
            body: Body {
                lets_run: true,
                ..Body::default()
            },
        }
    }

    pub(crate) fn read(
        name: &str,
        at: Place,
        node: &Node,
        file: Option<&Arc<PathBuf>>,
        walk: &mut Walk,
    ) -> Option<Self> {
        check_name(name, at, walk);
        if name == ISOLATED {
            walk.mistake(at, "`isolated` is built in and can't be defined");
        }
        let text = walk.read::<Text>(node);
        let site = Site {
            rule: format!("profile {name}").into(),
            file: file.cloned(),
        };
        let limits = text.as_ref().and_then(|text| text.limits);
        let body = Body::read(node, limits, &site, walk);
        text.map(|_| Self {
            name: name.to_owned(),
            origin: site.origin(at),
            body,
        })
    }
}

/// A name that reads the same everywhere it is shown.
pub(crate) fn check_name(name: &str, place: Place, walk: &mut Walk) {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    let fits = !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(is_plain);
    if !fits || name.starts_with(' ') || name.ends_with(' ') {
        walk.mistake(
            place,
            "a name has 1 to 64 ASCII letters, digits, `-`, `_`, `.` and inner blanks",
        );
    }
}
