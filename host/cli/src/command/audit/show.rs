use clap::Args;
use cofferdam_wire::audit::AuditView;
use cofferdam_wire::page::PageView;

use crate::client::Request;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::view;

/// Show all of one record, or of a call and the calls that its tool made
#[derive(Args)]
pub(crate) struct Show {
    /// The number of a record, or the id of a call
    #[arg(value_name = "SEQ|CALL")]
    id: String,
}

impl Show {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let client = context.client().await?;
        let path = ["audit", self.id.as_str()];
        let request = Request::get(&path);
        let answer = client.send::<PageView<AuditView>>(request).await?;
        let output = context.output;
        if output.is_json() {
            output.text(answer.text)?;
        } else {
            output.text(view::records(&answer.value.items, output.out))?;
        }
        Ok(Exit::Done)
    }
}
