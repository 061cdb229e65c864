//! Why a call may or may not do something.

use std::fmt;

use cofferdam_types::call::Denial;

use crate::bounds::LIMITS;
use crate::capability::Capability;
use crate::decision::{Request, shown};
use crate::grant::Grant;
use crate::origin::Origin;
use crate::policy::Policy;
use crate::rule::Miss;
use crate::slice::{Party, Refused};
use crate::subject::Subject;

/// What a policy says about one call, and where it says so.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The tool, `http-fetch@1.2.0`.
    pub subject: String,
    /// The policy's name.
    pub policy: String,
    /// Every rule in the order of the file, and why it has no say; `None` when it has.
    pub rules: Vec<(Origin, Option<Miss>)>,
    /// What may be used, in words, or every denial that stands in the way.
    pub decision: Result<Vec<String>, Vec<Denial>>,
    /// Each limit the call would have, and where it comes from.
    pub limits: Vec<LimitSource>,
}

/// One limit of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSource {
    /// Its word, as in policy files.
    pub limit: &'static str,
    /// How much, in the limit's own unit: bytes, milliseconds, or a count.
    pub value: u64,
    /// Who says so.
    pub source: LimitOrigin,
}

/// Who set a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LimitOrigin {
    /// A rule, a profile, the policy as a whole, or what is built in.
    Policy(Origin),
    /// The tool's author, or the default where the author said nothing.
    Tool,
    /// The call itself.
    Caller,
}

/// What a grant says about one use.
#[derive(Debug, Clone)]
pub struct UseExplanation {
    /// Each party that has a say, and the entry by which it allows the use; `None` when none does.
    pub layers: Vec<(Party, Option<Origin>)>,
    /// The entry that denies it.
    pub denied_by: Option<Origin>,
    /// Whether it may, or the denial.
    pub decision: Result<(), Denial>,
}

impl Policy {
    /// Explains the decision about a call, rule by rule and limit by limit.
    pub fn explain(&self, subject: &Subject<'_>, request: &Request<'_>) -> Explanation {
        let who = request.who();
        let verdict = |rule: &crate::rule::Rule| {
            let miss = rule.misses(subject, who, request.now);
            (rule.origin.clone(), miss)
        };
        let granted = self.decide(subject, request);
        Explanation {
            subject: shown(subject.spec).to_string(),
            policy: self.name().to_owned(),
            rules: self.parts.rules.iter().map(verdict).collect(),
            limits: self.limit_sources(subject, request),
            decision: granted.map(|grant| grant.words()),
        }
    }

    /// The limits of a call that is allowed, each with its source.
    fn limit_sources(&self, subject: &Subject<'_>, request: &Request<'_>) -> Vec<LimitSource> {
        let found = self
            .cache
            .get(subject, request, || self.applicable(subject, request));
        let ceiling = &found.applicable.ceiling;
        let max = ceiling.limits();
        let own = crate::decision::limits(subject.spec, &max, request);
        let own = crate::bounds::values(&own);
        let asked = crate::bounds::asked(request.limits);
        let sources = ceiling.iter().zip(own).zip(asked);
        sources
            .map(|(((limit, most, origin), value), asked)| LimitSource {
                limit,
                value,
                source: if value == most {
                    LimitOrigin::Policy(origin.clone())
                } else if asked == Some(value) {
                    LimitOrigin::Caller
                } else {
                    LimitOrigin::Tool
                },
            })
            .collect()
    }

    /// The longest that a call of this tool may take, in milliseconds: the tool's own limit up to
    /// what the policy gives it.
    pub fn timeout_ms(&self, subject: &Subject<'_>, request: &Request<'_>) -> u64 {
        let sources = self.limit_sources(subject, request);
        let place = LIMITS.iter().position(|word| *word == "deadline");
        place
            .and_then(|at| sources.get(at))
            .map_or(0, |limit| limit.value)
    }

    /// Whether the tool is given anything of a capability, by its word; for `tool`, whether it may
    /// be called at all.
    pub fn is_capability_allowed(
        &self,
        subject: &Subject<'_>,
        request: &Request<'_>,
        capability: &str,
    ) -> bool {
        match self.decide(subject, request) {
            Ok(grant) => capability == "tool" || grant.slices.words().contains(&capability),
            Err(_) => false,
        }
    }

    /// Whether what the tool's author says about its effects is taken by every rule about the call.
    ///
    /// **Errors**: a denial of each rule that doesn't, or that wants a person to agree.
    pub fn validate_safety_flags(
        &self,
        subject: &Subject<'_>,
        request: &Request<'_>,
    ) -> Result<(), Vec<Denial>> {
        let rules = self.matching(subject, request);
        let denials = Self::unsafe_for(subject, &shown(subject.spec), &rules);
        if denials.is_empty() {
            Ok(())
        } else {
            Err(denials)
        }
    }
}

impl Grant {
    /// Explains the decision about one use, party by party.
    pub fn explain<C: Capability>(&self, ask: &C::Ask) -> UseExplanation {
        let slice = C::slice(self);
        let layers = slice.layers().iter().map(|layer| {
            let by = layer.allows.iter().find(|allow| allow.value.covers(ask));
            (layer.party, by.map(|allow| allow.origin.clone()))
        });
        let denied_by = match slice.decide(ask) {
            Err(Refused::Denied(origin)) => Some(origin.clone()),
            Ok(_) | Err(Refused::NotGranted(_)) => None,
        };
        UseExplanation {
            layers: layers.collect(),
            denied_by,
            decision: self.decide::<C>(ask).map(|_| ()),
        }
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool => f.write_str("it is not about this tool"),
            Self::Caller(list) => write!(f, "its `callers: {list}` doesn't name the caller"),
            Self::Expired(until) => write!(f, "it held until {until}"),
        }
    }
}

impl fmt::Display for LimitOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(origin) => fmt::Display::fmt(origin, f),
            Self::Tool => f.write_str("the tool"),
            Self::Caller => f.write_str("the call"),
        }
    }
}

#[cfg(test)]
mod tests;
