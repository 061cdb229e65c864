use clap::Args;
use cofferdam_server::types::{Failure, Payload};
use cofferdam_wire::run::RunView;
use cofferdam_wire::task::TaskView;

use super::id::Id;
use crate::client::Request;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::Output;
use crate::view;

/// Show a task or a run
#[derive(Args)]
pub(crate) struct Show {
    /// `task_…` or `run_…`
    id: Id,
}

impl Show {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let (client, output) = (context.client().await?, context.output);
        match self.id {
            Id::Task(id) => {
                let path = ["tasks", &id.to_string()];
                let answer = client.send::<TaskView>(Request::get(&path)).await?;
                if output.is_json() {
                    output.text(answer.text)?;
                } else {
                    task(&answer.value, output)?;
                }
            }
            Id::Run(id) => {
                let path = ["runs", &id.to_string()];
                let answer = client.send::<RunView>(Request::get(&path)).await?;
                if output.is_json() {
                    output.text(answer.text)?;
                } else {
                    run(&answer.value, output)?;
                }
            }
        }
        Ok(Exit::Done)
    }
}

/// A status and its finer word.
pub(super) fn stands(status: &str, reason: Option<&str>) -> String {
    match reason {
        Some(reason) => format!("{status} ({reason})"),
        None => status.to_owned(),
    }
}

fn task(task: &TaskView, output: Output) -> Result<()> {
    let title = view::clean(&task.title);
    output.text(format!("{}  {}", output.out.bold(task.task_id), title))?;
    let stands = stands(task.status.as_str(), task.status_reason.as_deref());
    output.text(view::clean(&format!("status   {stands}")))?;
    if let Some(run) = task.run_id {
        output.text(format!("run      {run}"))?;
    }
    if let Some(workspace) = &task.workspace {
        let access = workspace.access.as_str();
        output.text(format!("files    {} ({access})", workspace.name))?;
    }
    let by = view::clean(&task.created_by);
    output.text(format!("created  {} by {by}", task.created_at))?;
    for step in &task.plan.steps {
        output.text(format!("step     {}: {}", step.name, step.tool))?;
    }
    outcome(task.result.as_ref(), task.error.as_ref(), output)
}

fn run(run: &RunView, output: Output) -> Result<()> {
    output.text(format!(
        "{}  of {}",
        output.out.bold(run.run_id),
        run.task_id
    ))?;
    let stands = stands(run.status.as_str(), run.status_reason.as_deref());
    output.text(view::clean(&format!("status   {stands}")))?;
    let by = view::clean(&run.started_by);
    output.text(format!("created  {} by {by}", run.created_at))?;
    output.text(format!("changed  {}", run.updated_at))?;
    output.text(format!("steps    {}", run.steps))?;
    output.text(format!("cost     {}", view::usage(&run.usage)))?;
    outcome(run.result.as_ref(), run.error.as_ref(), output)
}

fn outcome(result: Option<&Payload>, error: Option<&Failure>, output: Output) -> Result<()> {
    if let Some(result) = result {
        output.text("result")?;
        output.result(result)?;
    }
    if let Some(error) = error {
        output.text(view::failure(error, output.out))?;
    }
    Ok(())
}
