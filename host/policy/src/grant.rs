use std::collections::BTreeMap;
use std::sync::Arc;

use cofferdam_types::call::{Denial, DenialCode};
use cofferdam_types::{Digest, Limits};

use crate::capability::clocks::ClockMode;
use crate::capability::environment::Environment;
use crate::capability::filesystem::{Files, Filesystem};
use crate::capability::key_value::KeyValue;
use crate::capability::network::Network;
use crate::capability::random::RandomMode;
use crate::capability::secrets::Secret;
use crate::capability::sockets::Sockets;
use crate::capability::subprocess::{Program, Subprocess};
use crate::capability::tool_call::ToolCall;
use crate::capability::{Capability, undeclared};
use crate::declared::Declared;
use crate::permissions::Slices;
use crate::policy::Policy;
use crate::revision::Revision;
use crate::slice::{Caps, Slice};

/// What one call may use. Deny by default: what is not in here does not exist for the guest.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The tool it is for, as denials name it: `http-fetch@1.2.0`.
    pub(crate) subject: Arc<str>,
    /// The policy that made it, as denials name it.
    pub(crate) policy: Arc<str>,
    /// What later policies leave of it.
    pub(crate) revision: Revision,
    pub(crate) digest: Digest,
    pub(crate) limits: Limits,
    /// What the tool declares: denials of anything else say so.
    pub(crate) declared: Declared,
    pub(crate) files: Files,
    pub(crate) slices: Slices,
    /// The programs that the policy registers, by name.
    pub(crate) programs: Arc<BTreeMap<String, Program>>,
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
        let caps = C::decide(self, ask).map_err(|denial| {
            if self.declared.has(C::NAME) {
                denial
            } else {
                undeclared::<C>(ask)
            }
        })?;
        match self.revision.current() {
            None => Ok(caps),
            Some(newer) => match C::decide(&newer, ask) {
                Ok(left) => Ok(caps.narrowest(left)),
                Err(mut denial) => {
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

    /// How much the call may use.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The directories the guest sees, and what it may do there.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// True when the guest may read clocks and wait for timers.
    pub fn clocks(&self) -> bool {
        self.clock_mode().is_some()
    }

    /// Which clock the guest reads; none when it may read none.
    pub fn clock_mode(&self) -> Option<ClockMode> {
        self.slices
            .clocks
            .decide(&())
            .ok()
            .map(|allowed| allowed.caps)
    }

    /// True when the guest may have randomness beyond what hash maps need.
    pub fn random(&self) -> bool {
        self.random_mode().is_some()
    }

    /// Where the guest's random bytes come from; none when it may have none.
    pub fn random_mode(&self) -> Option<RandomMode> {
        self.slices
            .random
            .decide(&())
            .ok()
            .map(|allowed| allowed.caps)
    }

    /// The environment variables that exist for the guest.
    pub fn environment(&self) -> &Slice<Environment> {
        &self.slices.environment
    }

    /// The secrets that the call may use, and how.
    pub fn secrets(&self) -> &Slice<Secret> {
        &self.slices.secrets
    }

    /// The state it may keep.
    pub fn key_value(&self) -> &Slice<KeyValue> {
        &self.slices.key_value
    }

    /// The tools it may call.
    pub fn tool_call(&self) -> &Slice<ToolCall> {
        &self.slices.tool_call
    }

    /// The HTTP requests it may send.
    pub fn network(&self) -> &Slice<Network> {
        &self.slices.network
    }

    /// The connections it may open, the datagrams it may send and the names it may look up.
    pub fn sockets(&self) -> &Slice<Sockets> {
        &self.slices.sockets
    }

    /// Which starts of programs it may ask for.
    pub fn subprocess(&self) -> &Slice<Subprocess> {
        &self.slices.subprocess
    }

    /// The registered program of this name.
    pub fn program(&self, name: &str) -> Option<&Program> {
        self.programs.get(name)
    }

    /// What is granted, in words, as the audit keeps it: files by mount, everything else by the
    /// capability's word. Limits are not listed.
    pub fn words(&self) -> Vec<String> {
        let others = self.slices.words().into_iter();
        let others = others.filter(|word| *word != Filesystem::NAME);
        self.files
            .words()
            .chain(others.map(str::to_owned))
            .collect()
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
            subject: "description".into(),
            policy: Policy::BUILTIN.into(),
            revision: Revision::default(),
            digest,
            limits,
            declared: Declared::default(),
            files: Files::none(),
            slices: Slices::nothing(),
            programs: Arc::default(),
        }))
    }

    /// As a grant.
    pub fn grant(&self) -> &Arc<Grant> {
        &self.0
    }
}
