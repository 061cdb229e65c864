use clap::Args;
use cofferdam_server::types::TaskId;
use cofferdam_wire::run::RunView;
use cofferdam_wire::task::TaskView;

use super::id::Id;
use super::watch::{Watch, conclude};
use crate::client::{Client, Request};
use crate::context::Context;
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
        let output = context.output;
        let given = self.given()?;
        let client = if self.no_wait {
            context.client().await?
        } else {
            context.driving_client().await?
        };
        let task = given.find(&client).await?;
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
                output.note(if client.host().is_some() {
                    format!(
                        "no host is there to drive it: it goes on with `cofferdam serve`, or with \
                         `cofferdam task events {run_id} --follow`"
                    )
                } else {
                    format!("follow it with `cofferdam task events {run_id} --follow`")
                });
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
                let state = if client.host().is_some() { "rests" } else { "goes on" };
                output.note(format!(
                    "the run {state}; follow it with `cofferdam task events {run_id} --follow`, \
                     stop it with `cofferdam task cancel {run_id}`"
                ));
                return Ok(Exit::Interrupted);
            }
        }
        watch.end();
        conclude(&client, run_id, output).await
    }

    /// The task, as it was typed.
    fn given(&self) -> Result<Given> {
        Ok(match self.task.parse() {
            Ok(Id::Task(task)) => Given::There(task),
            Ok(Id::Run(_)) | Err(_) => Given::Document(input::body(&self.task)?),
        })
    }
}

/// A task to run.
enum Given {
    There(TaskId),
    Document(Vec<u8>),
}

impl Given {
    /// The task, which is made unless it was named by its id.
    async fn find(self, client: &Client) -> Result<TaskView> {
        let answer = match self {
            Self::There(task) => {
                let path = ["tasks", &task.to_string()];
                client.send(Request::get(&path)).await?
            }
            Self::Document(body) => client.send(Request::post(&["tasks"]).json(body)).await?,
        };
        Ok(answer.value)
    }
}
