use clap::Args;
use cofferdam_wire::run::RunView;
use cofferdam_wire::task::TaskView;

use super::id::Id;
use super::watch::{Watch, conclude};
use crate::cli::Context;
use crate::client::{Client, Request};
use crate::error::{Exit, Result};
use crate::input;

/// Run a task and follow it to its end
///
/// Makes the task that the document describes, starts a run of it and shows its events as they
/// come. The run goes on when this command is interrupted.
#[derive(Args)]
pub(crate) struct Run {
    /// The task: a JSON file, - for stdin; or the id of a task that is there
    #[arg(value_name = "FILE|-|ID")]
    task: String,
    /// Wait for the end; this is the default
    #[arg(long, overrides_with = "no_wait")]
    wait: bool,
    /// Start the run and show how it stands, without waiting
    #[arg(long)]
    no_wait: bool,
}

impl Run {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let (client, output) = (context.client()?, context.output);
        let task = self.task(&client).await?;
        let id = task.task_id.to_string();
        let path = ["tasks", &id, "runs"];
        let started = client.send::<RunView>(Request::post(&path)).await?;
        let run_id = started.value.run_id;
        output.note(format!("{id}, {run_id}"));
        if self.no_wait {
            return if output.is_json() {
                output.text(started.text)?;
                Ok(Exit::Done)
            } else {
                output.note(format!(
                    "follow it with `cofferdam task events {run_id} --follow`"
                ));
                output.text(run_id)?;
                Ok(Exit::Done)
            };
        }
        let mut watch = Watch::new(output, task.plan.steps.len());
        tokio::select! {
            followed = watch.follow(&client, run_id, 0) => followed?,
            // Where the signal can't be heard, the program ends as without this branch.
            Ok(()) = tokio::signal::ctrl_c() => {
                watch.end();
                output.note(format!(
                    "the run goes on; follow it with `cofferdam task events {run_id} --follow`, \
                     stop it with `cofferdam task cancel {run_id}`"
                ));
                return Ok(Exit::Interrupted);
            }
        }
        watch.end();
        conclude(&client, run_id, output).await
    }

    /// The task, which is made unless it is named by its id.
    async fn task(&self, client: &Client) -> Result<TaskView> {
        let answer = if let Ok(Id::Task(task)) = self.task.parse() {
            client
                .send(Request::get(&["tasks", &task.to_string()]))
                .await?
        } else {
            let body = input::body(&self.task)?;
            client.send(Request::post(&["tasks"]).json(body)).await?
        };
        Ok(answer.value)
    }
}
