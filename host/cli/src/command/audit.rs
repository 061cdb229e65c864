mod export;
mod lines;
mod show;
mod verify;

use clap::Subcommand;
use cofferdam_wire::audit::AuditView;
use cofferdam_wire::page::PageView;

use super::page::Page;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::view;

/// Reads the audit.
#[derive(Subcommand)]
pub(crate) enum Audit {
    /// Show who did what, newest first
    List(#[command(flatten)] Page),
    Show(show::Show),
    Verify(verify::Verify),
    Export(export::Export),
}

impl Audit {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        match self {
            Self::List(page) => list(page, context).await,
            Self::Show(show) => show.run(context).await,
            Self::Verify(verify) => verify.run(context).await,
            Self::Export(export) => export.run(context).await,
        }
    }
}

async fn list(page: Page, context: &Context) -> Result<Exit> {
    let client = context.client().await?;
    let answer = client
        .send::<PageView<AuditView>>(page.of(&["audit"]))
        .await?;
    let output = context.output;
    if output.is_json() {
        output.text(answer.text)?;
    } else {
        output.text(view::audit(&answer.value.items, output.out))?;
        output.more(answer.value.next.as_deref());
    }
    Ok(Exit::Done)
}
