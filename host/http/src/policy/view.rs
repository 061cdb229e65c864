//! What the policy says, as the wire has it.

use cofferdam_toolbox::{
    Explained, Patch, Policy, PolicyError, Shadow, Shift, UseExplanation, lint,
};
use cofferdam_types::call::Denial;
use cofferdam_types::failure::Fault;
use cofferdam_types::{Failure, Timestamp};
use cofferdam_wire::policy;
use cofferdam_wire::policy::{
    Can, ExplanationView, LimitView, MistakeView, PartyView, PatchView, PolicyCheck, RuleVerdict,
    ShadowReport, UseView, WarningView,
};

/// What there is to say about a policy's text as it is `now`, mistakes and warnings.
pub fn policy_check(parsed: Result<&Policy, &PolicyError>, now: Timestamp) -> PolicyCheck {
    match parsed {
        Ok(policy) => {
            let warnings = lint(policy, now).into_iter().map(|warning| WarningView {
                at: warning.origin.to_string(),
                text: warning.text,
            });
            PolicyCheck {
                valid: true,
                digest: Some(*policy.digest()),
                mistakes: Vec::new(),
                warnings: warnings.collect(),
            }
        }
        Err(error) => {
            let mistakes = error.mistakes().iter().map(|mistake| MistakeView {
                line: mistake.place.line,
                column: mistake.place.column,
                reason: mistake.reason.clone(),
            });
            PolicyCheck {
                valid: false,
                digest: None,
                mistakes: mistakes.collect(),
                warnings: Vec::new(),
            }
        }
    }
}

pub(super) fn explanation(explained: Explained) -> ExplanationView {
    let denials = explained.denials().to_vec();
    let Explained {
        ruling,
        explanation,
        used,
        patch,
    } = explained;
    let rules = explanation.rules.into_iter().map(|(at, miss)| RuleVerdict {
        at: at.to_string(),
        misses: miss.map(|miss| miss.to_string()),
    });
    let limits = explanation.limits.into_iter().map(|limit| LimitView {
        limit: limit.limit.to_owned(),
        value: limit.value,
        source: limit.source.to_string(),
    });
    ExplanationView {
        allowed: denials.is_empty(),
        tool: explanation.subject,
        policy: explanation.policy,
        generation: ruling.generation,
        granted: explanation.decision.unwrap_or_default(),
        denials,
        rules: rules.collect(),
        limits: limits.collect(),
        used: used.map(use_view),
        patch: patch.map(|Patch { text, left }| PatchView { text, left }),
    }
}

fn use_view(used: UseExplanation) -> UseView {
    let parties = used.layers.into_iter().map(|(party, by)| PartyView {
        party: party.as_str().to_owned(),
        allows: by.map(|origin| origin.to_string()),
    });
    UseView {
        parties: parties.collect(),
        denied_by: used.denied_by.map(|origin| origin.to_string()),
    }
}

/// Of the denials of a call, or of none for a tool that there isn't.
pub(super) fn can(denials: Option<Vec<Denial>>) -> Can {
    let mut codes = Vec::new();
    for denial in denials.iter().flatten() {
        if !codes.contains(&denial.code) {
            codes.push(denial.code);
        }
    }
    Can {
        allowed: denials.is_some_and(|denials| denials.is_empty()),
        codes,
    }
}

pub(super) fn shadow(shadow: Shadow) -> ShadowReport {
    let views = |shifts: Vec<Shift>| shifts.into_iter().map(shift).collect();
    ShadowReport {
        calls: shadow.calls,
        undecidable: shadow.undecidable,
        newly_denied: views(shadow.newly_denied),
        newly_allowed: views(shadow.newly_allowed),
        unlisted: shadow.unlisted,
    }
}

fn shift(shift: Shift) -> policy::Shift {
    policy::Shift {
        tool: shift.tool,
        capability: shift.capability,
        operation: shift.operation,
        resource: shift.resource,
        count: shift.count,
        call_id: shift.call,
    }
}

/// A text that is no policy, with every mistake in it.
pub(super) fn refused(error: &PolicyError) -> Failure {
    let faults: Vec<Fault> = error
        .mistakes()
        .iter()
        .map(|mistake| Fault {
            pointer: "/text".to_owned(),
            reason: mistake.to_string(),
        })
        .collect();
    Failure::invalid_input("/text: it is no policy", &faults)
}
