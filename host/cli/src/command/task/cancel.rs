use clap::Args;
use cofferdam_wire::run::RunView;
use cofferdam_wire::task::TaskView;

use super::id::Id;
use super::show::stands;
use crate::client::Request;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::view;

/// Stop a task or a run
#[derive(Args)]
pub(crate) struct Cancel {
    /// `task_…` or `run_…`
    id: Id,
}

impl Cancel {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let (client, output) = (context.client().await?, context.output);
        let (text, name, stands) = match self.id {
            Id::Task(id) => {
                let path = ["tasks", &id.to_string(), "cancel"];
                let answer = client.send::<TaskView>(Request::post(&path)).await?;
                let task = answer.value;
                let stands = stands(task.status.as_str(), task.status_reason.as_deref());
                (answer.text, id.to_string(), stands)
            }
            Id::Run(id) => {
                let path = ["runs", &id.to_string(), "cancel"];
                let answer = client.send::<RunView>(Request::post(&path)).await?;
                let run = answer.value;
                let stands = stands(run.status.as_str(), run.status_reason.as_deref());
                (answer.text, id.to_string(), stands)
            }
        };
        if output.is_json() {
            output.text(text)?;
        } else {
            output.text(view::clean(&format!("{name}: {stands}")))?;
        }
        Ok(Exit::Done)
    }
}
