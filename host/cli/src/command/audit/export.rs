use clap::{Args, ValueEnum};
use cofferdam_server::audit::Line;
use cofferdam_server::types::audit::{Act, AuditRecord};

use super::lines::Lines;
use crate::client::Request;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::view;

/// Write records out, oldest first
///
/// As `jsonl`, each line has a record as it was written, with what links it to the one before, so
/// that `audit verify FILE` can check it anywhere. `csv` is for spreadsheets and can't be checked.
/// Where standard output is a terminal, what could steer it is replaced.
#[derive(Args)]
pub(crate) struct Export {
    /// Begin with this record
    #[arg(long, value_name = "SEQ")]
    from: Option<u64>,
    /// End with this record
    #[arg(long, value_name = "SEQ")]
    to: Option<u64>,
    /// Begin with this time, or so long ago: `2026-11-21T10:00:00Z`, `90m`, `24h`, `7d`
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// How to write them
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Jsonl,
    Csv,
}

impl Export {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let client = context.client().await?;
        let request = Request::get(&["audit", "export"])
            .with("from", self.from)
            .with("to", self.to)
            .with("since", self.since);
        let mut lines = Lines::of_host(client, request).await?;
        let output = context.output;
        if self.format == Format::Csv {
            output.text(HEADINGS.map(cell).join(","))?;
        }
        let mut head = None;
        while let Some(text) = lines.next().await? {
            let line = Line::read(&text).ok_or_else(Lines::foreign)?;
            match self.format {
                Format::Jsonl => output.line(&text)?,
                Format::Csv => output.line(&row(&line))?,
            }
            head = Some((line.seq, line.digest));
        }
        match head {
            Some((seq, digest)) => output.note(format!("head: {seq}:{digest}")),
            None => output.note("there are no such records"),
        }
        Ok(Exit::Done)
    }
}

const HEADINGS: [&str; 11] = [
    "seq", "at", "tenant", "actor", "act", "what", "call_id", "outcome", "previous", "digest",
    "record",
];

fn row(line: &Line) -> String {
    let record = line.record.as_deref();
    let read = record.and_then(|text| serde_json::from_str::<AuditRecord>(text).ok());
    let of = |value: fn(&AuditRecord) -> String| read.as_ref().map(value).unwrap_or_default();
    let cells = [
        line.seq.to_string(),
        of(|record| record.at.to_string()),
        of(|record| record.tenant.to_string()),
        of(|record| record.actor.clone()),
        of(|record| record.act.as_str().to_owned()),
        of(|record| view::what(&record.act)),
        of(|record| match &record.act {
            Act::Call(call) => call.call_id.to_string(),
            _ => String::new(),
        }),
        of(|record| view::outcome(&record.act).to_owned()),
        line.previous.to_string(),
        line.digest.to_string(),
        record.unwrap_or_default().to_owned(),
    ];
    cells.map(|text| cell(&text)).join(",")
}

/// One cell, always in quotes. A text that a spreadsheet would calculate gets a `'` before it, which
/// the spreadsheet takes for text.
fn cell(text: &str) -> String {
    let text = view::clean(text).replace('"', "\"\"");
    let sign = if text.starts_with(['=', '+', '-', '@', '\t', '\n']) {
        "'"
    } else {
        ""
    };
    format!("\"{sign}{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_text_whatever_stands_in_it() {
        for (text, expected) in [
            ("", r#""""#),
            ("a,b", r#""a,b""#),
            (r#"a"b"#, r#""a""b""#),
            ("=HYPERLINK(1)", r#""'=HYPERLINK(1)""#),
            ("+1", r#""'+1""#),
            ("-1", r#""'-1""#),
            ("@x", r#""'@x""#),
            ("a\x1b[2Jb", "\"a\u{fffd}[2Jb\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
