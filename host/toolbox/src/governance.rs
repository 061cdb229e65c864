//! The face of policy administration: what is in force, what replaces it.

use std::convert::Infallible;
use std::sync::Arc;

use cofferdam_policy::{Difference, Format, Policy, PolicyError, diff};
use cofferdam_types::audit::{Act, AuditRecord};
use cofferdam_types::caller::Caller;
use cofferdam_types::{Code, Failure, Tenant};

use crate::audit::full;
use crate::policies::Ruling;
use crate::toolbox::Toolbox;

/// Where a policy comes from that nobody asked for.
const FOLLOWED: &str = "the policy file, which is followed";
/// Where it comes from when somebody asks for it to be read.
const ASKED: &str = "the policy file, as asked";

/// Lost denies that are named when another policy comes into force: a screen of them.
const LOST_SHOWN_MAX: usize = 16;

impl Toolbox {
    /// The policy in force.
    pub fn ruling(&self) -> Arc<Ruling> {
        self.policies.ruling()
    }

    /// Puts a policy in force. Calls that come from now on are decided under it; calls under way
    /// keep what they were granted, short of what it doesn't grant them.
    pub fn replace_policy(&self, policy: Policy) -> Arc<Ruling> {
        let read = || Ok::<_, Infallible>(policy);
        let enforced = self.policies.enforce(read, self.parts.ambient.now());
        enforced.map_or_else(|never| match never {}, |(_, ruling)| ruling)
    }

    /// As [`Self::replace_policy`], by the one that is read now. Answers what was in force, and
    /// what is.
    fn renew_policy(&self) -> Result<(Arc<Ruling>, Arc<Ruling>), Failure> {
        let read = || self.load_policy();
        let (old, new) = self.policies.enforce(read, self.parts.ambient.now())?;
        warn_of_lost(&old.policy, &new.policy);
        Ok((old, new))
    }

    /// Reads the policy anew because its file is another, and puts it in force, or notes loudly why
    /// it can't come into force: then the one in force stays.
    pub async fn follow_policy(&self) {
        match self.renew_policy() {
            Ok((old, ruling)) => {
                tracing::info!(
                    policy = ruling.policy.name(),
                    digest = %ruling.policy.digest(),
                    generation = ruling.generation,
                    "another policy is in force"
                );
                // It is in force whether or not the audit can take it now: it may take something
                // away.
                self.note(loaded(FOLLOWED, &old, &ruling)).await;
            }
            Err(failure) => self.refuse_policy(failure).await,
        }
    }

    /// Reads the policy anew because somebody asks for it, and puts it in force. Answers what was
    /// in force, and what is.
    ///
    /// **Errors**: `forbidden` for whoever doesn't belong to the operator's tenant; why the policy
    /// can't come into force, and then the one in force stays; `unavailable` when the audit can't
    /// take it.
    pub async fn reload_policy(
        &self,
        caller: &Caller,
    ) -> Result<(Arc<Ruling>, Arc<Ruling>), Failure> {
        let tenant = operator(caller)?;
        let slot = self.slot("a new reading of the policy").await?;
        let (act, done) = match self.renew_policy() {
            Ok((old, ruling)) => (loaded(ASKED, &old, &ruling), Ok((old, ruling))),
            Err(failure) => (refused(ASKED, &self.ruling(), &failure), Err(failure)),
        };
        let record = AuditRecord::new(tenant, self.parts.ambient.now(), &caller.principal, act);
        slot.write_now(record).done().await.map_err(full)?;
        done
    }

    /// The policy in force for whoever looks at the host as a whole.
    ///
    /// **Errors**: `forbidden` for whoever doesn't belong to the operator's tenant: it says what
    /// holds for all tenants.
    pub fn policy_in_force(&self, caller: &Caller) -> Result<Arc<Ruling>, Failure> {
        operator(caller)?;
        Ok(self.ruling())
    }

    /// Notes that a policy could not come into force. The one in force stays.
    async fn refuse_policy(&self, failure: Failure) {
        let ruling = self.ruling();
        tracing::error!(
            reason = failure.message,
            in_force = ruling.policy.name(),
            generation = ruling.generation,
            "the policy file is refused, and the last good policy stays in force"
        );
        self.note(refused(FOLLOWED, &ruling, &failure)).await;
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

/// Says loudly which denies are no more: somebody may have cut the file short, or left them out.
fn warn_of_lost(old: &Policy, new: &Policy) {
    for deny in lost_denies(old, new).into_iter().take(LOST_SHOWN_MAX) {
        let place = deny.old.map(|(_, origin)| origin.to_string());
        tracing::warn!(
            about = deny.about,
            what = deny.what,
            place,
            "the policy in force has this deny no longer"
        );
    }
}

/// What the old policy denied in words that the new one doesn't have.
fn lost_denies(old: &Policy, new: &Policy) -> Vec<Difference> {
    let is_deny = |what: &str| {
        let within = what.strip_prefix("environment ");
        let said = within.and_then(|within| within.split_once(' '));
        said.map_or(what, |(_, said)| said).starts_with("deny ")
    };
    let mut differences = diff(old, new);
    differences.retain(|found| found.new.is_none() && is_deny(&found.what));
    differences
}

fn loaded(source: &str, old: &Ruling, new: &Ruling) -> Act {
    Act::PolicyLoaded {
        policy: new.policy.name().to_owned(),
        source: source.to_owned(),
        old_digest: Some(*old.policy.digest()),
        new_digest: *new.policy.digest(),
        generation: new.generation,
    }
}

fn refused(source: &str, stays: &Ruling, failure: &Failure) -> Act {
    Act::PolicyRefused {
        source: source.to_owned(),
        old_digest: *stays.policy.digest(),
        new_digest: None,
        generation: stays.generation,
        reason: failure.message.clone(),
    }
}

/// The tenant of the operator, when the caller belongs to it.
fn operator(caller: &Caller) -> Result<Tenant, Failure> {
    if caller.tenant == Tenant::default() {
        return Ok(Tenant::default());
    }
    let message = "the policy of the host as a whole is the operator's";
    Err(Failure::new(Code::Forbidden, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::policy;

    #[test]
    fn denies_that_are_gone_are_named() {
        let whole = "version: 1\nrules:\n  - tools: [fetch]\n    allow: {clocks: [real]}\n    \
                     deny: {network: [{host: a.org}]}\n  - tools: ['*']\n    deny: {call: true}\n";
        let lost = |end: usize| {
            let gone = lost_denies(&policy(whole), &policy(&whole[..end]));
            let words = gone
                .into_iter()
                .map(|deny| format!("{} {}", deny.about, deny.what));
            words.collect::<Vec<_>>()
        };
        assert_eq!(lost(whole.len()), Vec::<String>::new());
        let every = whole.find("  - tools: ['*']").expect("there");
        assert_eq!(lost(every), ["* deny call"]);
        let network = whole.find("    deny: {network").expect("there");
        assert_eq!(
            lost(network),
            ["* deny call", "fetch deny network {\"host\":\"a.org\"}"]
        );
        // One more takes nothing away.
        assert!(lost_denies(&policy(&whole[..every]), &policy(whole)).is_empty());
    }
}
