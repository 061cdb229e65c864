use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use cofferdam_server::audit::{Flaw, Line, Summary, Verifier};
use cofferdam_server::types::Digest;
use serde_json::{Value, json};

use super::lines::Lines;
use crate::client::Request;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::view;

/// Check that no record was changed, moved or removed
///
/// Reads the chain of the host, or of an exported file without any host, and names the first record
/// that is not as it was written. Ends with 1 when there is one. A chain can't show that it was cut
/// at its end or written anew as a whole: note the number and digest that this command prints at a
/// safe place, and pass them to `--expect` the next time.
#[derive(Args)]
pub(crate) struct Verify {
    /// A file that `audit export` wrote; `-` reads standard input [default: the host's chain]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Begin with this record, and take for granted what it follows
    #[arg(long, value_name = "SEQ")]
    from: Option<u64>,
    /// End with this record
    #[arg(long, value_name = "SEQ")]
    to: Option<u64>,
    /// A record that has to be there with this digest; may stand several times
    #[arg(long, value_name = "SEQ:DIGEST")]
    expect: Vec<Pin>,
}

/// A record's number and digest, as they were noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pin(u64, Digest);

impl FromStr for Pin {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let pin = text
            .split_once(':')
            .and_then(|(seq, digest)| Some(Self(seq.parse().ok()?, digest.parse().ok()?)));
        pin.ok_or_else(|| "expected a number and a digest, as `7:sha256:…`".to_owned())
    }
}

impl Verify {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let mut verifier = match self.from {
            None | Some(0 | 1) => Verifier::whole(),
            Some(_) => Verifier::part(),
        };
        for Pin(seq, digest) in &self.expect {
            verifier = verifier.expect(*seq, *digest);
        }
        let lines = if let Some(file) = &self.file {
            Lines::of_file(file).await?
        } else {
            let request = Request::get(&["audit", "export"]);
            let request = request.with("from", self.from).with("to", self.to);
            Lines::of_host(context.client().await?, request).await?
        };
        let found = self.verified(verifier, lines).await?;
        let output = context.output;
        let exit = if found.is_ok() {
            Exit::Done
        } else {
            Exit::Failed
        };
        if output.is_json() {
            output.json(&told(&found))?;
        } else {
            output.text(said(&found))?;
        }
        Ok(exit)
    }

    async fn verified(
        &self,
        mut verifier: Verifier,
        mut lines: Lines,
    ) -> Result<std::result::Result<Summary, Flaw>> {
        while let Some(text) = lines.next().await? {
            let line = Line::read(&text).ok_or_else(Lines::foreign)?;
            if self.from.is_some_and(|from| line.seq < from) {
                continue;
            }
            if self.to.is_some_and(|to| line.seq > to) {
                break;
            }
            if let Err(flaw) = verifier.push(&line) {
                return Ok(Err(flaw));
            }
        }
        Ok(verifier.finish())
    }
}

/// The answer for programs.
fn told(verified: &std::result::Result<Summary, Flaw>) -> Value {
    match verified {
        Ok(summary) => {
            let head = summary.head.map(|(seq, digest)| format!("{seq}:{digest}"));
            json!({
                "intact": true, "first": summary.first, "before": summary.before,
                "entries": summary.entries, "withheld": summary.withheld, "lost": summary.lost,
                "head": head,
            })
        }
        Err(flaw) => json!({"intact": false, "seq": flaw.seq, "flaw": flaw.to_string()}),
    }
}

/// The answer for people.
fn said(verified: &std::result::Result<Summary, Flaw>) -> String {
    let summary = match verified {
        Ok(summary) => summary,
        Err(flaw) => return format!("NOT INTACT: {flaw}"),
    };
    let (Some(first), Some((last, digest))) = (summary.first, summary.head) else {
        return "intact: there are no records".to_owned();
    };
    let mut lines = vec![
        format!(
            "intact: {} records, {first} to {last}",
            view::count(summary.entries)
        ),
        format!("head: {last}:{digest}"),
    ];
    if first > 1
        && let Some(before) = summary.before
    {
        lines.push(format!("begins after: {}:{before}", first - 1));
    }
    if summary.withheld > 0 {
        let hidden = view::count(summary.withheld);
        lines.push(format!(
            "of other tenants, checked by their links alone: {hidden}"
        ));
    }
    if summary.lost > 0 {
        lines.push(format!(
            "details lost under load: {}",
            view::count(summary.lost)
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_read_as_it_is_printed() {
        let digest = Digest::of(b"");
        assert_eq!(format!("7:{digest}").parse(), Ok(Pin(7, digest)));
        for text in ["", "7", "7:", ":sha256:", "x:sha256:00", "-1:sha256:00"] {
            assert!(text.parse::<Pin>().is_err(), "{text}");
        }
    }
}
