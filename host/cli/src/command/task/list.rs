use clap::Args;
use cofferdam_wire::page::PageView;
use cofferdam_wire::task::TaskView;

use crate::command::page::Page;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::view;

/// Show the tasks of a host, newest first
#[derive(Args)]
pub(crate) struct List {
    /// Those that stand so: pending, queued, active, completed, failed, cancelled, …
    #[arg(long, value_name = "WORD")]
    status: Option<String>,
    #[command(flatten)]
    page: Page,
}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let (client, output) = (context.client().await?, context.output);
        let request = self.page.of(&["tasks"]).with("status", self.status);
        let answer = client.send::<PageView<TaskView>>(request).await?;
        if output.is_json() {
            output.text(answer.text)?;
            return Ok(Exit::Done);
        }
        let rows = answer.value.items.iter().map(|task| {
            [
                task.task_id.to_string(),
                super::show::stands(task.status.as_str(), task.status_reason.as_deref()),
                task.created_at.to_string(),
                task.title.clone(),
            ]
        });
        output.text(view::table(
            output.out,
            ["TASK", "STATUS", "CREATED", "TITLE"],
            rows,
        ))?;
        output.more(answer.value.next.as_deref());
        Ok(Exit::Done)
    }
}
