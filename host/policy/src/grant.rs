use std::path::{Path, PathBuf};
use std::sync::Arc;

use cofferdam_types::call::{Denial, DenialCode};
use cofferdam_types::workspace::Access;
use cofferdam_types::{Digest, Limits};

use crate::capability::{Capability, denial};
use crate::revision::Revision;
use crate::slice::{Caps, Refused};

/// What one call may use. Deny by default: what is not in here does not exist for the guest.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The tool it is for, as denials name it: `http-fetch@1.2.0`.
    pub(crate) subject: String,
    /// The policy that made it, as denials name it.
    pub(crate) policy: String,
    /// What later policies leave of it.
    pub(crate) revision: Revision,
    pub(crate) digest: Digest,
    pub(crate) limits: Limits,
    pub(crate) workspace: Option<Directory>,
    pub(crate) clocks: bool,
    pub(crate) random: bool,
}

/// A directory that a guest sees, and what it may do there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    pub(crate) path: PathBuf,
    pub(crate) access: Access,
}

impl Directory {
    /// Where it is on the host.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What may be done there.
    pub fn access(&self) -> Access {
        self.access
    }
}

impl Grant {
    /// The component this grant is for; it opens no other.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Decides about one use: what this grant allows and a later policy, if one came while the
    /// call runs, has not taken back. A later policy never adds anything to a call under way.
    ///
    /// **Errors**: the denial, for whoever may read policy.
    pub fn decide<C: Capability>(&self, ask: &C::Ask) -> Result<C::Caps, Denial> {
        let allowed = C::slice(self)
            .decide(ask)
            .map_err(|refused| self.denial::<C>(refused, ask))?;
        match self.revision.current() {
            None => Ok(allowed.caps),
            Some(newer) => match C::slice(&newer).decide(ask) {
                Ok(left) => Ok(allowed.caps.narrowest(left.caps)),
                Err(refused) => {
                    let mut denial = newer.denial::<C>(refused, ask);
                    denial.code = DenialCode::Revoked;
                    Err(denial)
                }
            },
        }
    }

    /// Where a later policy leaves its word about this grant.
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    /// The denial of a use that one of its slices refused.
    fn denial<C: Capability>(&self, refused: Refused<'_>, ask: &C::Ask) -> Denial {
        denial::<C>(&self.subject, &self.policy, refused, ask)
    }

    /// How much the call may use.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The directory the guest sees.
    pub fn workspace(&self) -> Option<&Directory> {
        self.workspace.as_ref()
    }

    /// True when the guest may read clocks and wait for timers.
    pub fn clocks(&self) -> bool {
        self.clocks
    }

    /// True when the guest may have secure randomness.
    pub fn random(&self) -> bool {
        self.random
    }

    /// What is granted, in words, as the audit keeps it. Limits are not listed.
    pub fn words(&self) -> Vec<String> {
        let workspace = self
            .workspace
            .as_ref()
            .map(|dir| format!("workspace:{}", dir.access.as_str()));
        let clocks = self.clocks.then(|| "clocks".to_owned());
        let random = self.random.then(|| "random".to_owned());
        workspace.into_iter().chain(clocks).chain(random).collect()
    }
}

/// The grant to ask a component what it is: it may compute, and nothing else.
#[derive(Debug, Clone)]
pub struct Describe(pub(crate) Arc<Grant>);

impl Describe {
    /// Fuel for a component to describe itself: printing a few schemas takes a few million.
    const FUEL: u64 = 1_000_000_000;
    /// Time for it in milliseconds, once compiled.
    const DEADLINE_MS: u64 = 5_000;

    /// For the component of this digest.
    pub fn new(digest: Digest) -> Self {
        let limits = Limits {
            fuel: Self::FUEL,
            deadline_ms: Self::DEADLINE_MS,
            ..Limits::DEFAULT
        };
        Self(Arc::new(Grant {
            subject: "description".to_owned(),
            policy: "built-in".to_owned(),
            revision: Revision::default(),
            digest,
            limits,
            workspace: None,
            clocks: false,
            random: false,
        }))
    }

    /// As a grant.
    pub fn grant(&self) -> &Arc<Grant> {
        &self.0
    }
}
