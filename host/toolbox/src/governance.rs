//! The face of policy administration: what is in force, what replaces it.

use std::sync::Arc;

use cofferdam_policy::{Format, Policy, PolicyError};
use cofferdam_types::Failure;
use cofferdam_types::audit::Act;

use crate::policies::Ruling;
use crate::toolbox::Toolbox;

/// Where a policy comes from that nobody asked for.
const FILE: &str = "the policy file, which is followed";

impl Toolbox {
    /// The policy in force.
    pub fn ruling(&self) -> Arc<Ruling> {
        self.policies.ruling()
    }

    /// Puts a policy in force. Calls that come from now on are decided under it; calls under way
    /// keep what they were granted, short of what it doesn't grant them.
    pub fn replace_policy(&self, policy: Policy) -> Arc<Ruling> {
        let ruling = self.policies.replace(policy);
        self.policies.narrow(|running| {
            let grant = self.grant(&ruling.policy, &running.entry, &running.call);
            // Whatever stands in the way takes everything away.
            Arc::new(grant.unwrap_or_else(|_| {
                ruling
                    .policy
                    .nothing(&crate::decide::subject(&running.entry))
            }))
        });
        ruling
    }

    /// As [`Self::replace_policy`], for a policy that came by itself, by its file.
    pub async fn reload_policy_to(&self, policy: Policy) -> Arc<Ruling> {
        let old = self.ruling();
        let ruling = self.replace_policy(policy);
        tracing::info!(
            policy = ruling.policy.name(),
            digest = %ruling.policy.digest(),
            generation = ruling.generation,
            "another policy is in force"
        );
        // It is in force whether or not the audit can take it now: it may take something away.
        self.note(Act::PolicyLoaded {
            policy: ruling.policy.name().to_owned(),
            source: FILE.to_owned(),
            old_digest: Some(*old.policy.digest()),
            new_digest: *ruling.policy.digest(),
            generation: ruling.generation,
        })
        .await;
        ruling
    }

    /// Notes that a policy could not come into force. The one in force stays.
    pub async fn refuse_policy(&self, failure: Failure) {
        let ruling = self.ruling();
        tracing::error!(
            reason = failure.message,
            in_force = ruling.policy.name(),
            generation = ruling.generation,
            "the policy file is refused, and the last good policy stays in force"
        );
        self.note(Act::PolicyRefused {
            source: FILE.to_owned(),
            old_digest: *ruling.policy.digest(),
            new_digest: None,
            generation: ruling.generation,
            reason: failure.message,
        })
        .await;
    }

    /// Reads the policy anew from where it comes from.
    ///
    /// **Errors**: why it can't come into force; the one in force stays.
    pub fn load_policy(&self) -> Result<Policy, Failure> {
        self.parts.policies.load()
    }

    /// Reads a text as if it stood in the place of the policy.
    ///
    /// **Errors**: every mistake in it, with its place.
    pub fn parse_policy(&self, text: &[u8], format: Format) -> Result<Policy, PolicyError> {
        self.parts.policies.parse(text, format)
    }

    /// Leaves a record of what happened by itself; a failure is only logged, since it happened.
    async fn note(&self, act: Act) {
        if let Err(failure) = self.record_act(None, act).await {
            tracing::error!(%failure, "the audit has no record of a change of policy");
        }
    }
}
