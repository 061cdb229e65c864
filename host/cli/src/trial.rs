//! Canned calls of a component, and whether they come to what is expected.

mod case;
mod check;

use std::path::Path;

use cofferdam_server::LocalCall;
use cofferdam_server::types::call::{Denial, Usage};
use cofferdam_server::types::change::Commit;
use cofferdam_server::types::workspace::Access;
use serde::Serialize;

pub(crate) use case::{Case, read};

use crate::component::Component;
use crate::error::{Error, Result};

/// What came of a case.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict<'a> {
    pub(crate) name: &'a str,
    pub(crate) tool: &'a str,
    pub(crate) ok: bool,
    pub(crate) faults: Vec<String>,
    pub(crate) usage: Usage,
    /// What the policy refused the tool.
    #[serde(skip)]
    pub(crate) denials: Vec<Denial>,
}

impl Case {
    /// Makes the call, with a workspace relative to `folder`, and looks at what comes back.
    pub(crate) async fn run(&self, component: &Component, folder: &Path) -> Result<Verdict<'_>> {
        let expected = self.expected()?;
        let place = self.place(folder)?;
        let access = if self.writable {
            Access::ReadWrite
        } else {
            Access::ReadOnly
        };
        let mut denials = Vec::new();
        let called = match component.tool(&self.tool) {
            Ok(tool) => {
                let workspace = place.as_ref().map(|place| (place.path(), access));
                let called = component.called(LocalCall {
                    tool,
                    arguments: self.arguments.clone(),
                    workspace,
                    limits: self.limits,
                    commit: Commit::Apply,
                });
                let called = called.await;
                denials = called.denials;
                called.answer.map_err(Error::from)
            }
            Err(error) => Err(error),
        };
        let (outcome, usage) = match called {
            Ok(answer) => (Ok(answer.result.into_value()), answer.usage),
            Err(Error::Failure(failure)) => {
                let cost = failure.details.get("usage").cloned().unwrap_or_default();
                let usage = serde_json::from_value(cost).unwrap_or_default();
                (Err(failure), usage)
            }
            Err(Error::Closed) => return Err(Error::Closed),
        };
        let faults = check::faults(&expected, &outcome, usage.fuel);
        Ok(Verdict {
            name: &self.name,
            tool: &self.tool,
            ok: faults.is_empty(),
            faults,
            usage,
            denials,
        })
    }
}
