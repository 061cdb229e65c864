//! A component for the wall to hold. `secret-prober-say` asks for secrets and lets them out in
//! whatever way it is told to; `secret-prober-send` sends them with requests, to wherever;
//! `secret-prober-environment` says which variables exist.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "the ways out that a guest tries"
)]

use std::collections::BTreeMap;

use cofferdam_sdk::http::Request;
use cofferdam_sdk::{ToolError, data, log, progress, secret, tool};

/// A way out.
#[data(input)]
#[serde(rename_all = "snake_case")]
enum How {
    Result,
    Key,
    Number,
    Backwards,
    Hex,
    Percent,
    Stdout,
    Stderr,
    Log,
    Progress,
    Error,
    Panic,
    /// In two lines of stdout.
    Halves,
}

/// Every byte of a value as two digits behind `before`.
fn encoded(value: &str, before: &str, digits: &[u8; 16]) -> String {
    let digit = |at: u8| char::from(digits[usize::from(at)]);
    let byte = |byte: u8| format!("{before}{}{}", digit(byte >> 4), digit(byte & 15));
    value.bytes().map(byte).collect::<Vec<_>>().concat()
}

/// Asks for a secret and lets it out.
#[tool(capabilities(secret))]
fn say(
    /// Which.
    name: String,
    /// In which way.
    how: How,
) -> Result<BTreeMap<String, serde_json::Value>, ToolError> {
    let value = secret::get(&name)?;
    let answer =
        |key: &str, value: serde_json::Value| Ok(BTreeMap::from([(key.to_owned(), value)]));
    let text = |text: String| answer("said", text.into());
    match how {
        How::Result => text(format!("<{value}>")),
        How::Key => answer(&value, 1.into()),
        How::Number => answer("said", value.parse::<u64>().unwrap_or_default().into()),
        How::Backwards => text(value.chars().rev().collect()),
        How::Hex => text(encoded(&value, "", b"0123456789abcdef")),
        How::Percent => text(encoded(&value, "%", b"0123456789ABCDEF")),
        How::Stdout => {
            println!("{value}");
            text("stdout".to_owned())
        }
        How::Stderr => {
            eprintln!("{value}");
            text("stderr".to_owned())
        }
        How::Log => {
            log::info!(value = value, "the value is {value}");
            text("log".to_owned())
        }
        How::Progress => {
            progress(1, Some(2), &value);
            text("progress".to_owned())
        }
        How::Error => Err(ToolError::new("failed", format!("it is {value}")).with_details([value])),
        How::Panic => panic!("it is {value}"),
        How::Halves => {
            let (one, two) = value.split_at(value.len() / 2);
            println!("{one}\n{two}");
            text("halves".to_owned())
        }
    }
}

/// One request; `{name}` in its parts stands for what the host gives for that secret.
#[data(input)]
struct Probe {
    url: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body: String,
}

/// Sends requests and says what came of each: the status and the text, or the error.
#[tool(capabilities(network, secret))]
fn send(
    /// What to send.
    probes: Vec<Probe>,
    /// The secrets that stand in them.
    #[default(Vec::new())]
    names: Vec<String>,
) -> Result<Vec<String>, ToolError> {
    let given: Vec<(String, String)> = names
        .into_iter()
        .map(|name| Ok((format!("{{{name}}}"), secret::get(&name)?)))
        .collect::<Result<_, ToolError>>()?;
    let filled = |text: &str| {
        let fill = |text: String, (name, value): &(String, String)| text.replace(name, value);
        given.iter().fold(text.to_owned(), fill)
    };
    Ok(probes
        .iter()
        .map(|probe| {
            let request = Request::post(&filled(&probe.url)).map(|request| {
                let headers = probe.headers.iter();
                let request = headers.fold(request, |request, (name, value)| {
                    request.header(name, filled(value))
                });
                request.body(filled(&probe.body))
            });
            let answer = request.and_then(Request::send).and_then(|response| {
                let status = response.status();
                Ok(format!("{status} {}", response.text(1 << 16)?))
            });
            answer.unwrap_or_else(|error| error.kind().code().to_string())
        })
        .collect())
}

/// The variables that exist, in order.
#[tool(capabilities(environment))]
fn environment() -> BTreeMap<String, String> {
    std::env::vars().collect()
}

cofferdam_sdk::tools![say, send, environment];
