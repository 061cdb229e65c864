use cofferdam_server::policies::schema;

use crate::context::Context;
use crate::error::{Exit, Result};
use crate::view;

pub(super) fn print(context: &Context) -> Result<Exit> {
    let (schema, output) = (schema(), context.output);
    if output.is_json() {
        output.json(&schema)?;
    } else {
        output.text(view::pretty(&schema))?;
    }
    Ok(Exit::Done)
}
