use cofferdam_wire::policy::PolicyView;

use crate::client::Request;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::view;

pub(super) async fn show(context: &Context) -> Result<Exit> {
    let (client, output) = (context.client().await?, context.output);
    let answer = client.send::<PolicyView>(Request::get(&["policy"])).await?;
    if output.is_json() {
        output.text(answer.text)?;
        return Ok(Exit::Done);
    }
    let PolicyView {
        name,
        file,
        digest,
        generation,
        effective,
    } = answer.value;
    let file = file.map(|file| format!(" ({file})")).unwrap_or_default();
    let head = format!("{name}{file}, generation {generation}, {digest}");
    output.note(view::clean(&head));
    output.text(view::pretty(effective.as_value()))?;
    Ok(Exit::Done)
}
