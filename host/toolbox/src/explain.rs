//! What the policy says of calls that nobody makes.

use std::sync::Arc;

use cofferdam_policy::{Explanation, Patch, Use, UseExplanation};
use cofferdam_types::call::{Denial, ToolCall};
use cofferdam_types::caller::Caller;
use cofferdam_types::{Code, Failure, Tenant};

use crate::policies::Ruling;
use crate::toolbox::Toolbox;

/// A call that nobody makes.
#[derive(Debug, Clone)]
pub struct Question {
    /// The call, by whoever would make it.
    pub call: ToolCall,
    /// What it would use; absent: the question is about the call alone.
    pub used: Option<Use>,
}

/// What the policy in force says.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The policy that was asked.
    pub ruling: Arc<Ruling>,
    /// About the call.
    pub explanation: Explanation,
    /// About the use, when the call is allowed.
    pub used: Option<UseExplanation>,
    /// What to add to the policy, when that was asked for and would help.
    pub patch: Option<Patch>,
}

impl Explained {
    /// What stands in the way; empty when it would be allowed.
    pub fn denials(&self) -> &[Denial] {
        match (&self.explanation.decision, &self.used) {
            (Err(denials), _) => denials,
            (Ok(_), Some(used)) => used
                .decision
                .as_ref()
                .err()
                .map_or(&[], std::slice::from_ref),
            (Ok(_), None) => &[],
        }
    }
}

impl Toolbox {
    /// Explains whether a call would be allowed, by which rule, and with `wants_patch` what would
    /// allow it. Nothing is done, and nothing recorded.
    ///
    /// **Errors**: `not_found`; `forbidden` for a question about another tenant; `invalid_input`
    /// for a delegation that is none.
    pub async fn explain(
        &self,
        asker: &Caller,
        question: &Question,
        wants_patch: bool,
    ) -> Result<Explained, Failure> {
        let Question { call, used } = question;
        let tenant = may_ask_about(asker, &call.caller)?;
        let entry = self.parts.registry.resolve(tenant, &call.tool).await?;
        let ruling = self.ruling();
        let policy = &ruling.policy;
        self.ask(&entry, call, |subject, request| {
            let grant = policy.decide(subject, request).ok();
            Explained {
                explanation: policy.explain(subject, request),
                used: grant
                    .zip(used.as_ref())
                    .map(|(grant, used)| used.explain(&grant)),
                patch: wants_patch
                    .then(|| policy.patch(subject, request, used.as_ref()))
                    .flatten(),
                ruling: ruling.clone(),
            }
        })
    }

    /// Whether each of these calls would be allowed, all under one policy: the denials of each, and
    /// `None` for a tool that there isn't.
    ///
    /// **Errors**: as [`Self::explain`].
    pub async fn can(
        &self,
        asker: &Caller,
        questions: &[Question],
    ) -> Result<(Arc<Ruling>, Vec<Option<Vec<Denial>>>), Failure> {
        let ruling = self.ruling();
        let mut answers = Vec::with_capacity(questions.len());
        for Question { call, used } in questions {
            let tenant = may_ask_about(asker, &call.caller)?;
            let entry = match self.parts.registry.resolve(tenant, &call.tool).await {
                Ok(entry) => entry,
                Err(error) => {
                    let failure = Failure::from(error);
                    if failure.code != Code::NotFound {
                        return Err(failure);
                    }
                    answers.push(None);
                    continue;
                }
            };
            let denials = self.ask(&entry, call, |subject, request| {
                ruling.policy.denials(subject, request, used.as_ref())
            });
            answers.push(Some(denials?));
        }
        Ok((ruling, answers))
    }
}

/// The tenant of a caller about whom somebody asks. What tools another tenant has is not for
/// everybody to know.
fn may_ask_about<'c>(asker: &Caller, caller: &'c Caller) -> Result<&'c Tenant, Failure> {
    if caller.tenant == asker.tenant || asker.tenant == Tenant::default() {
        return Ok(&caller.tenant);
    }
    let message = "calls of another tenant are for the operator to ask about";
    Err(Failure::new(Code::Forbidden, message))
}
