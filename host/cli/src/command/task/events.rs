use clap::Args;
use cofferdam_server::types::RunId;
use cofferdam_server::types::page::PAGE_ITEMS_MAX;
use cofferdam_wire::event::EventView;
use cofferdam_wire::page::PageView;

use super::id::Id;
use super::watch::{Watch, conclude};
use crate::client::{Client, Request};
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::Output;
use crate::view;

/// Show the events of a run
#[derive(Args)]
pub(crate) struct Events {
    /// The run, or the task whose latest run is meant
    id: Id,
    /// Those behind the event of this number
    #[arg(long, value_name = "N", default_value_t = 0)]
    after: u64,
    /// Go on to the end of the run, and end as it does
    #[arg(long)]
    follow: bool,
}

impl Events {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let output = context.output;
        let client = if self.follow {
            context.driving_client().await?
        } else {
            context.client().await?
        };
        let run = self.id.run(&client).await?;
        if self.follow {
            let mut watch = Watch::lines(output);
            watch.follow(&client, run, self.after).await?;
            return conclude(&client, run, output).await;
        }
        print(&client, run, self.after, output).await?;
        Ok(Exit::Done)
    }
}

/// The events that are there. Programs get the page as it is and ask for the next one themselves.
async fn print(client: &Client, run: RunId, after: u64, output: Output) -> Result<()> {
    let path = ["runs", &run.to_string(), "events"];
    let mut after = Some(after.to_string());
    while let Some(cursor) = after {
        let request = Request::get(&path)
            .with("after", Some(cursor))
            .with("limit", Some(PAGE_ITEMS_MAX));
        let answer = client.send::<PageView<EventView>>(request).await?;
        if output.is_json() {
            return output.text(answer.text);
        }
        for event in &answer.value.items {
            let (seq, at) = (event.event.seq, event.event.at);
            output.text(format!("{seq:>4}  {at}  {}", view::event(event)))?;
        }
        after = answer.value.next;
    }
    Ok(())
}
