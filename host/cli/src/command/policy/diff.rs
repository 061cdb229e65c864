use std::path::PathBuf;

use clap::Args;
use cofferdam_server::policies::{Difference, diff};
use serde_json::{Value, json};

use super::file;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::view;

/// Show what two policies allow differently
///
/// Each line is about one thing that only one of them says (`-` the old one, `+` the new one), or
/// that they say with different values (`~`). The order in which they say it, names and comments make
/// no difference. Needs no host.
#[derive(Args)]
pub(crate) struct Diff {
    /// The policy there is
    old: PathBuf,
    /// The policy that would replace it
    new: PathBuf,
}

impl Diff {
    pub(super) fn run(&self, context: &Context) -> Result<Exit> {
        let old = file::policy(&self.old, context)?;
        let new = file::policy(&self.new, context)?;
        let differences = diff(&old, &new);
        let output = context.output;
        if output.is_json() {
            let all: Vec<_> = differences.iter().map(told).collect();
            output.json(&json!({ "differences": all }))?;
            return Ok(Exit::Done);
        }
        if differences.is_empty() {
            output.text("no differences")?;
        }
        for difference in &differences {
            output.text(view::clean(&said(difference)))?;
        }
        Ok(Exit::Done)
    }
}

/// For programs.
fn told(difference: &Difference) -> Value {
    let side = |said: &Option<(String, _)>| match said {
        Some((value, at)) => {
            let at: &dyn std::fmt::Display = at;
            json!({ "value": value, "at": at.to_string() })
        }
        None => Value::Null,
    };
    json!({
        "about": difference.about, "what": difference.what,
        "old": side(&difference.old), "new": side(&difference.new),
    })
}

/// For people.
fn said(difference: &Difference) -> String {
    let Difference {
        about,
        what,
        old,
        new,
    } = difference;
    // Most of what is said is its own value.
    let of = |value: &str| match value {
        "" => String::new(),
        value => format!(" {value}"),
    };
    match (old, new) {
        (Some((old, _)), Some((new, at))) => {
            format!("~ {about}: {what}{} is{}  ({at})", of(old), of(new))
        }
        (Some((value, at)), None) => format!("- {about}: {what}{}  ({at})", of(value)),
        (None, Some((value, at))) => format!("+ {about}: {what}{}  ({at})", of(value)),
        (None, None) => format!("  {about}: {what}"),
    }
}
