use cofferdam_wire::policy::Reloaded;

use crate::client::Request;
use crate::context::Context;
use crate::error::{Exit, Result};

pub(super) async fn run(context: &Context) -> Result<Exit> {
    let (client, output) = (context.client().await?, context.output);
    let request = Request::post(&["policy", "reload"]);
    let answer = client.send::<Reloaded>(request).await?;
    if output.is_json() {
        output.text(answer.text)?;
        return Ok(Exit::Done);
    }
    let Reloaded {
        digest,
        generation,
        changed,
    } = answer.value;
    let word = if changed {
        "another policy is in force"
    } else {
        "the policy is as it was"
    };
    output.text(format!("{word}: generation {generation}, {digest}"))?;
    Ok(Exit::Done)
}
