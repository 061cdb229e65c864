use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use cofferdam_wire::component::{AdditionStatus, AdditionView, ComponentView, SkippedView};
use serde::Deserialize;

use crate::client::{Client, Request, UPLOAD_TIME};
use crate::context::Context;
use crate::error::{Exit, Result, usage};
use crate::input;
use crate::label::{self, Said};
use crate::output::{Busy, Output};
use crate::view;

/// Wait before the first look at how far a host is, which doubles: small components are there in no
/// time.
const LOOK_MIN: Duration = Duration::from_millis(25);
/// Longest wait between two looks: as often as a person reads another word.
const LOOK_MAX: Duration = Duration::from_millis(400);

/// Add components to a host
#[derive(Args)]
pub(crate) struct Add {
    /// The components
    #[arg(value_name = "FILE.wasm", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    said: Said,
}

/// What a host answers that was asked not to wait: older ones don't know how.
#[derive(Deserialize)]
#[serde(untagged)]
enum Begun {
    Addition(AdditionView),
    Component(ComponentView),
}

impl Add {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        if self.files.len() > 1 && !self.said.is_nothing() {
            let rule = "--name, --version, --export and --wit are for one component at a time";
            return Err(usage(rule));
        }
        let (client, output) = (context.client().await?, context.output);
        for file in self.files {
            let bytes = input::component(&file)?;
            let busy = output.busy(format!("adding {}", file.display()));
            let request = Request::post(&["components"])
                .wasm(bytes)
                .within(UPLOAD_TIME);
            let request = label::with(&self.said.of(&file)?, request);
            let added = if busy.is_seen() {
                watched(&client, request, &file, &busy).await?
            } else {
                let answer = client.send::<ComponentView>(request).await?;
                if output.is_json() {
                    output.text(answer.text)?;
                    continue;
                }
                answer.value
            };
            drop(busy);
            show(added, output)?;
        }
        Ok(Exit::Done)
    }
}

/// Adds a component without waiting for the answer, and says how far the host is until it is done.
async fn watched(
    client: &Client,
    request: Request<'_>,
    file: &Path,
    busy: &Busy,
) -> Result<ComponentView> {
    let mut addition = match client.send::<Begun>(request.without_waiting()).await?.value {
        Begun::Addition(addition) => addition,
        Begun::Component(component) => return Ok(component),
    };
    let digest = addition.digest.to_string();
    let mut wait = LOOK_MIN;
    loop {
        match (addition.status, addition.component, addition.error) {
            (AdditionStatus::Ready, Some(component), _) => return Ok(component),
            (AdditionStatus::Failed, _, Some(failure)) => return Err(failure.into()),
            (AdditionStatus::Ready | AdditionStatus::Failed, ..) => {
                return Err(client.foreign("it doesn't say what came of the component"));
            }
            (status, ..) => busy.say(format!("{} {}", status.as_str(), file.display())),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LOOK_MAX);
        let path = ["components", &digest];
        addition = client.send(Request::get(&path)).await?.value;
    }
}

/// What became callable, what did not and why, and what the component could ask for.
fn show(added: ComponentView, output: Output) -> Result<()> {
    let ComponentView {
        component,
        version,
        digest,
        tools,
        skipped,
        imports,
        created,
    } = added;
    let word = if created { "added" } else { "was there:" };
    output.text(format!(
        "{word} {} {version}  {digest}",
        output.out.bold(component)
    ))?;
    for tool in tools {
        output.text(view::clean(&format!("  {tool}")))?;
    }
    for SkippedView { export, reason } in skipped {
        output.text(view::clean(&format!("  no tool: {export}: {reason}")))?;
    }
    output.text(format!("  imports: {}", view::imports(&imports, 11)))
}
