use std::path::PathBuf;

use clap::Args;
use cofferdam_wire::component::SkippedView;
use serde_json::json;

use crate::component::Component;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::label::Said;
use crate::view;

/// Show what a component would offer and what it needs
///
/// Reads the file as a host would, and keeps nothing.
#[derive(Args)]
pub(crate) struct Inspect {
    /// The component
    #[arg(value_name = "FILE.wasm")]
    file: PathBuf,
    #[command(flatten)]
    said: Said,
}

impl Inspect {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let component = Component::open(&self.file, &self.said, context).await?;
        let (view, output) = (&component.view, context.output);
        if output.is_json() {
            output.json(&json!({
                "component": view.component, "version": view.version, "digest": view.digest,
                "imports": view.imports, "skipped": view.skipped, "tools": component.tools,
            }))?;
            return Ok(Exit::Done);
        }
        output.text(format!(
            "component {} {}",
            output.out.bold(&view.component),
            view.version
        ))?;
        output.text(format!("digest    {}", view.digest))?;
        output.text(format!("imports   {}", view::imports(&view.imports, 10)))?;
        for SkippedView { export, reason } in &view.skipped {
            output.text(view::clean(&format!("no tool   {export}: {reason}")))?;
        }
        for tool in &component.tools {
            output.text(format!("\n{}", view::tool(&tool.spec, output.out)))?;
        }
        Ok(Exit::Done)
    }
}
