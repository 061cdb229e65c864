use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use cofferdam_server::policies::Format;
use cofferdam_wire::policy::{PolicyFormat, ShadowReport, ShadowRequest};

use super::file;
use crate::client::Request;
use crate::context::Context;
use crate::error::{Exit, Result, broken, usage};
use crate::input;
use crate::view;

/// Say what another policy would have changed of what was done lately
///
/// Replays the audit: which calls, uses and denials would have gone another way under the candidate.
/// The audit keeps neither arguments nor roles nor what was delegated; a call counts as undecidable
/// where the answer depends on that.
#[derive(Args)]
pub(crate) struct Shadow {
    /// The policy that might come into force
    #[arg(value_name = "CANDIDATE")]
    file: PathBuf,
    /// How far back to go, as `90m`, `24h` or `7d`; at most 31 days
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = input::span)]
    since: Duration,
}

impl Shadow {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        // Its mistakes are said with the file's name, and need no host.
        file::policy(&self.file, context)?;
        let text = String::from_utf8(input::document(&self.file)?)
            .map_err(|_| usage(format!("{} is not UTF-8", self.file.display())))?;
        let request = ShadowRequest {
            text,
            format: match file::format(&self.file)? {
                Format::Yaml => PolicyFormat::Yaml,
                Format::Toml => PolicyFormat::Toml,
                Format::Json => PolicyFormat::Json,
            },
            since_s: self.since.as_secs(),
        };
        let body = serde_json::to_vec(&request).map_err(|error| broken("write JSON", &error))?;
        let request = Request::post(&["policy", "shadow"]).json(body);
        let client = context.client().await?;
        let answer = client.send::<ShadowReport>(request).await?;
        let output = context.output;
        if output.is_json() {
            output.text(answer.text)?;
        } else {
            output.text(view::shadow(&answer.value, output.out))?;
        }
        Ok(Exit::Done)
    }
}
