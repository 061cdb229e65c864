use std::sync::Arc;

use cofferdam_types::call::{Denial, DenialCode};
use cofferdam_types::{Digest, Limits};

use crate::capability::Capability;
use crate::capability::environment::Environment;
use crate::capability::filesystem::Files;
use crate::capability::key_value::KeyValue;
use crate::capability::network::Network;
use crate::capability::secrets::Secret;
use crate::capability::sockets::Sockets;
use crate::capability::subprocess::Subprocess;
use crate::capability::tool_call::ToolCall;
use crate::revision::Revision;
use crate::slice::{Caps, Slice};

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
    pub(crate) files: Files,
    pub(crate) subprocess: Slice<Subprocess>,
    pub(crate) environment: Slice<Environment>,
    pub(crate) secrets: Slice<Secret>,
    pub(crate) key_value: Slice<KeyValue>,
    pub(crate) tool_call: Slice<ToolCall>,
    pub(crate) clocks: bool,
    pub(crate) random: bool,
    pub(crate) network: Slice<Network>,
    pub(crate) sockets: Slice<Sockets>,
}

impl Grant {
    /// It may compute, and nothing else.
    pub(crate) fn bare(subject: String, policy: String, digest: Digest, limits: Limits) -> Self {
        Self {
            subject,
            policy,
            revision: Revision::default(),
            digest,
            limits,
            files: Files::none(),
            network: Slice::nothing(),
            sockets: Slice::nothing(),
            subprocess: Slice::nothing(),
            environment: Slice::nothing(),
            secrets: Slice::nothing(),
            key_value: Slice::nothing(),
            tool_call: Slice::nothing(),
            clocks: false,
            random: false,
        }
    }

    /// Decides about one use: what this grant allows and a later policy, if one came while the
    /// call runs, has not taken back. A later policy never adds anything to a call under way.
    ///
    /// **Errors**: the denial, for whoever may read policy.
    pub fn decide<C: Capability>(&self, ask: &C::Ask) -> Result<C::Caps, Denial> {
        let caps = C::decide(self, ask)?;
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

    /// The component this grant is for; it opens no other.
    pub fn digest(&self) -> &Digest {
        &self.digest
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

    /// The programs it may start, and how.
    pub fn subprocess(&self) -> &Slice<Subprocess> {
        &self.subprocess
    }

    /// The environment variables that exist for the guest.
    pub fn environment(&self) -> &Slice<Environment> {
        &self.environment
    }

    /// The secrets that the call may use, and how.
    pub fn secrets(&self) -> &Slice<Secret> {
        &self.secrets
    }

    /// The state it may keep between calls.
    pub fn key_value(&self) -> &Slice<KeyValue> {
        &self.key_value
    }

    /// The tools it may call.
    pub fn tool_call(&self) -> &Slice<ToolCall> {
        &self.tool_call
    }

    /// True when the guest may read clocks and wait for timers.
    pub fn clocks(&self) -> bool {
        self.clocks
    }

    /// True when the guest may have secure randomness.
    pub fn random(&self) -> bool {
        self.random
    }

    /// The HTTP requests it may send.
    pub fn network(&self) -> &Slice<Network> {
        &self.network
    }

    /// The connections it may open, the datagrams it may send and the names it may look up.
    pub fn sockets(&self) -> &Slice<Sockets> {
        &self.sockets
    }

    /// What is granted, in words, as the audit keeps it. Limits are not listed.
    pub fn words(&self) -> Vec<String> {
        fn word<C: Capability>(slice: &Slice<C>) -> Option<&'static str> {
            (!slice.is_nothing()).then_some(C::NAME)
        }
        let words = [
            word(&self.network),
            word(&self.sockets),
            word(&self.subprocess),
            word(&self.environment),
            word(&self.secrets),
            word(&self.key_value),
            word(&self.tool_call),
            self.clocks.then_some("clocks"),
            self.random.then_some("random"),
        ];
        let words = words.into_iter().flatten().map(str::to_owned);
        self.files.words().chain(words).collect()
    }
}

/// The grant to ask a component what it is: it may compute, and nothing else.
#[derive(Debug, Clone)]
pub struct Describe(Arc<Grant>);

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
        let (subject, policy) = ("description".to_owned(), "built-in".to_owned());
        Self(Arc::new(Grant::bare(subject, policy, digest, limits)))
    }

    /// As a grant.
    pub fn grant(&self) -> &Arc<Grant> {
        &self.0
    }
}
