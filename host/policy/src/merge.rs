//! Puts the rules that have a say in a call together.

use cofferdam_types::call::Denial;

use crate::applicable::Applicable;
use crate::decision::{Request, shown};
use crate::declared::Declared;
use crate::denial;
use crate::permissions::Shares;
use crate::policy::Policy;
use crate::profile::ISOLATED;
use crate::rule::{Body, Rule};
use crate::safety::Verdict;
use crate::subject::Subject;

impl Policy {
    /// The rules that have a say, in the order of the file.
    pub(crate) fn matching(&self, subject: &Subject<'_>, request: &Request<'_>) -> Vec<&Rule> {
        let candidates = self.parts.index.candidates(subject);
        let rules = candidates.iter().filter_map(|at| self.parts.rules.get(*at));
        rules
            .filter(|rule| rule.misses(subject, request.who(), request.now).is_none())
            .collect()
    }

    /// What the policy comes to for such a call.
    pub(crate) fn applicable(&self, subject: &Subject<'_>, request: &Request<'_>) -> Applicable {
        let rules = self.matching(subject, request);
        let name = shown(subject.spec);
        let environment = request.environment.filter(|name| *name != ISOLATED);
        let bodies = rules.iter().flat_map(|rule| rule.bodies(environment));
        let declared = Declared::of(subject);
        let narrowing = &self.parts.narrowing;
        let keep = |word: &str| declared.has(word) && narrowing.takes(word).is_none();
        let mut ceiling = self.parts.ceiling.clone();
        for body in bodies.clone() {
            if let Some(limits) = &body.limits {
                ceiling.narrow(&limits.value, &limits.origin);
            }
        }
        let allows = Shares::of(bodies.clone().map(|body| &body.allow)).only(keep);
        let denies = Shares::of(bodies.clone().map(|body| &body.deny)).only(keep);
        let mut denials: Vec<_> = self.environment(environment, &rules).into_iter().collect();
        denials.extend(self.call(subject, &name, bodies));
        denials.extend(self.judged(subject, &name, &rules));
        denials.extend(self.taken(declared, &name));
        Applicable {
            is_bound: allows.is_bound() || denies.is_bound(),
            holds: self.parts.index.holds(request.now),
            subject: name,
            denials,
            allows,
            denies,
            ceiling,
        }
    }

    /// Denials of an execution environment that isn't there or isn't offered.
    fn environment(&self, environment: Option<&str>, rules: &[&Rule]) -> Option<Denial> {
        let name = environment?;
        if !self.parts.profiles.contains_key(name) {
            return Some(denial::unknown_profile(self, name));
        }
        let mut offered = rules.iter().flat_map(|rule| &rule.environments);
        let is_offered = offered.any(|profile| profile.name == name);
        (!is_offered).then(|| denial::profile_not_offered(self, name))
    }

    /// Denials of the call itself.
    fn call<'a>(
        &self,
        subject: &Subject<'_>,
        name: &str,
        mut bodies: impl Iterator<Item = &'a Body> + Clone,
    ) -> Vec<Denial> {
        let mut denials: Vec<_> = bodies
            .clone()
            .filter_map(|body| body.denies_call.as_ref())
            .map(|origin| denial::call_denied(name, origin))
            .collect();
        if let Some(variable) = self.parts.narrowing.refuses(subject) {
            denials.push(denial::not_listed(name, variable));
        }
        if denials.is_empty() && !bodies.any(|body| body.lets_run) {
            denials.push(denial::not_allowed(self, name));
        }
        denials
    }

    /// Denials for what the tool says about its effects and its schemas, and for want of a person.
    fn judged(&self, subject: &Subject<'_>, name: &str, rules: &[&Rule]) -> Vec<Denial> {
        let spec = subject.spec;
        let mut denials = Self::unsafe_for(subject, name, rules);
        let asking = rules.iter().filter(|rule| rule.asks);
        denials.extend(asking.map(|rule| {
            let reason = "the rule wants a person to agree to each call";
            denial::approval(name, &rule.origin, reason)
        }));
        let (arguments, result) = (spec.args_schema.as_value(), spec.returns_schema.as_value());
        if let Some(reason) = self.parts.schemas.refuses(arguments, result) {
            denials.push(denial::schema(self, name, reason));
        }
        denials
    }

    /// Denials of rules that don't take what the tool says about its effects.
    pub(crate) fn unsafe_for(subject: &Subject<'_>, name: &str, rules: &[&Rule]) -> Vec<Denial> {
        let flags = subject.spec.safety;
        let judged = rules.iter().filter_map(|rule| {
            let (verdict, reason) = rule.safety?.judge(flags);
            match verdict {
                Verdict::Allow => None,
                Verdict::Ask => Some(denial::approval(name, &rule.origin, reason)),
                Verdict::Deny => Some(denial::unsafe_tool(name, &rule.origin, reason)),
            }
        });
        judged.collect()
    }

    /// Denials of what the tool needs and the environment takes away.
    fn taken(&self, declared: Declared, name: &str) -> Vec<Denial> {
        let narrowing = &self.parts.narrowing;
        let taken = |words: &'static [&'static str]| {
            let word = words.first()?;
            let variable = narrowing.takes(word)?;
            Some(denial::taken(name, word, variable))
        };
        declared.required().filter_map(taken).collect()
    }
}

#[cfg(test)]
mod tests;
