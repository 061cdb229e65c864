//! Tools: from nothing to a call.

mod add;
mod build;
mod call;
mod docs;
mod inspect;
mod list;
mod new;
mod show;
mod test;

pub(super) use call::arguments_for;
pub(super) use test::built;

use clap::Subcommand;

use crate::context::Context;
use crate::error::{Exit, Result};

/// What can be done with tools.
#[derive(Subcommand)]
pub(crate) enum Tool {
    New(new::New),
    Build(build::Build),
    Test(test::Test),
    Inspect(inspect::Inspect),
    Docs(docs::Docs),
    Add(add::Add),
    List(list::List),
    Show(show::Show),
    Call(call::Call),
}

impl Tool {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        match self {
            Self::New(new) => new.run(context),
            Self::Build(build) => build.run(context),
            Self::Test(test) => test.run(context).await,
            Self::Inspect(inspect) => inspect.run(context).await,
            Self::Docs(docs) => docs.run(context),
            Self::Add(add) => add.run(context).await,
            Self::List(list) => list.run(context).await,
            Self::Show(show) => show.run(context).await,
            Self::Call(call) => call.run(context).await,
        }
    }
}
