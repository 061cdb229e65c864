//! Tasks and their runs.

mod cancel;
mod events;
mod id;
mod list;
mod run;
mod show;
mod watch;

use clap::Subcommand;

use crate::context::Context;
use crate::error::{Exit, Result};

/// What can be done with tasks.
#[derive(Subcommand)]
pub(crate) enum Task {
    Run(run::Run),
    List(list::List),
    Show(show::Show),
    Events(events::Events),
    Cancel(cancel::Cancel),
}

impl Task {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        match self {
            Self::Run(run) => run.run(context).await,
            Self::List(list) => list.run(context).await,
            Self::Show(show) => show.run(context).await,
            Self::Events(events) => events.run(context).await,
            Self::Cancel(cancel) => cancel.run(context).await,
        }
    }
}
