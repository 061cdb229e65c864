//! `cargo xtask demo`: the product's main job, on this repository's own data.
//!
//! Everything goes through the `cofferdam` binary, as a user would do it; each command line is
//! shown. With `--json` each step is one JSON object on a line of its own, and the last one has the
//! name `done`.

mod client;
mod host;
mod sample;

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use crate::command::root;
use crate::{test, tools};
use client::Client;
use host::Host;

/// The task of the demo: what the executor does, step by step.
const TASK: &str = "xtask/demo/report.json";
/// Lines of the report that are shown.
const HEAD_LINES: usize = 40;
/// Fuel of the runaway: a fraction of a second, for the reader's patience.
const RUNAWAY_FUEL: &str = "1000000000";

/// Runs the demo. The host and its data directory are gone afterwards, whatever happens.
pub(crate) fn run(is_json: bool) -> Result<()> {
    let show = Show { is_json };
    let started = Instant::now();
    show.title("Build the tools for the sandbox, and the host");
    let tools = tools::build()?;
    let binary = test::host()?;
    let built = started.elapsed();
    show.step(
        "built",
        &json!({"tools": tools, "binary": binary, "ms": built.as_millis()}),
    );

    let data = tempfile::Builder::new()
        .prefix("cofferdam-demo-")
        .tempdir()?;
    show.title("Start a host with an empty data directory");
    let host = Host::start(&binary, data.path())?;
    show.text(&format!(
        "\n{}\nlistening on {}",
        host.command_line(),
        host.url()
    ));
    show.step("started", &json!({"url": host.url()}));

    let client = Client::new(&binary, host.url(), data.path(), show);
    let counts = story(show, &client, &tools, data.path())?;

    show.title("Stop the host");
    let status = host.stop()?;
    ensure!(status.success(), "the host ended with {status}");
    show.text("It let what ran come to its end, and exited with 0.");
    show.step("stopped", &json!({"exit": status.code()}));
    let shown = started.elapsed().saturating_sub(built);
    show.step("done", &json!({"counts": counts, "ms": shown.as_millis()}));
    show.text(&format!(
        "\nBuilt in {:.0} s, shown in {:.0} s.",
        built.as_secs_f64(),
        shown.as_secs_f64()
    ));
    show.text(NEXT);
    Ok(())
}

/// What happens while the host is up; answers the counts of the report.
fn story(show: Show, client: &Client, tools: &Path, data: &Path) -> Result<Value> {
    show.title("Add tools: each describes itself, and gets nothing that it does not declare");
    for name in ["files", "data", "spin"] {
        let file = tools.join(format!("{name}.wasm"));
        client.run(
            "tool_added",
            None,
            &["tool", "add", &file.to_string_lossy()],
        )?;
    }
    client.run("tools", None, &["tool", "list"])?;

    show.title("Give them real data: this repository's sources and what cargo knows about them");
    let workspace = data.join("workspaces/demo");
    let facts = sample::fill(&workspace)?;
    show.text(&format!(
        "{} source files and metadata.json in the workspace `demo`",
        facts.sources
    ));
    show.step("workspace", &facts.as_json());

    let steps = steps()?;
    show.title(&format!(
        "Run a task: {steps} tool calls, each in a sandbox of its own, make a report"
    ));
    let run = client.run("run", None, &["task", "run", TASK])?;
    let report = fs::read_to_string(workspace.join("report.md")).context("the report")?;
    let head: Vec<&str> = report.lines().take(HEAD_LINES).collect();
    show.title("The report begins");
    show.text(&head.join("\n"));
    let lines = report.lines().count();
    show.step("report", &json!({"lines": lines, "text": report}));

    show.title("A tool that wants to write, where the caller offers the workspace for reading");
    let arguments = r##"{"path": "report.md", "mode": "overwrite", "text": "# Mine\n"}"##;
    let call = [
        "tool",
        "call",
        "files-write",
        "--args",
        arguments,
        "--workspace",
        "demo",
    ];
    client.run("denied", Some("policy_denied"), &call)?;
    ensure!(
        fs::read_to_string(workspace.join("report.md"))? == report,
        "the denied call has changed the report"
    );

    show.title("A tool that never ends");
    client.run(
        "runaway",
        Some("fuel_exhausted"),
        &["tool", "call", "spin-forever", "--fuel", RUNAWAY_FUEL],
    )?;
    client.run(
        "alive",
        None,
        &["tool", "call", "spin-count", "--args", r#"{"until": 1000}"#],
    )?;

    show.title("The audit: every call, what it was granted and what it cost");
    client.run("audit", None, &["audit", "list"])?;
    Ok(run.pointer("/result").cloned().unwrap_or(Value::Null))
}

/// How many tool calls the task has.
fn steps() -> Result<usize> {
    let text = fs::read_to_string(root().join(TASK)).context(TASK)?;
    let task: Value = serde_json::from_str(&text).context(TASK)?;
    let steps = task.pointer("/plan/steps").and_then(Value::as_array);
    Ok(steps.context("the task has no steps")?.len())
}

const NEXT: &str = "That was the product's main job. To go on by yourself:

    cargo install --path host/cli      the command `cofferdam`
    cofferdam serve                    a host on 127.0.0.1:8000
    cofferdam tool new hello           a tool of your own, one Rust function
    cofferdam tool call FILE.wasm TOOL --args JSON      without any host

README.md tells the rest; xtask/demo/report.json is the task that you saw.";

/// Where the demo is shown: prose for people or one object per line for programs.
#[derive(Clone, Copy)]
struct Show {
    is_json: bool,
}

impl Show {
    fn title(self, text: &str) {
        self.text(&format!("\n── {text}"));
    }

    fn text(self, text: &str) {
        if !self.is_json {
            println!("{text}");
        }
    }

    fn step(self, name: &str, facts: &Value) {
        if self.is_json {
            let mut step = Map::new();
            step.insert("step".to_owned(), json!(name));
            step.extend(facts.as_object().cloned().into_iter().flatten());
            println!("{}", Value::Object(step));
        }
    }
}
