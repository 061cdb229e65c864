//! The guide for security engineers: its five commands, in order, against a server of this machine in
//! the place of the guide's host.

use std::path::Path;
use std::process::Child;

use anyhow::{Result, ensure};
use cofferdam_testing::tool;

use crate::reader::{Reader, said};
use crate::server::{HOST, Page, serve};

/// How often the last command is tried: each takes some tens of milliseconds.
const TRIES: usize = 200;

/// The blocks of a page that begin with this fence, in order.
fn blocks(page: &str, fence: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in page.lines() {
        match &mut open {
            Some(_) if line == "```" => blocks.extend(open.take()),
            Some(block) => block.extend([line, "\n"]),
            None if line == fence => open = Some(String::new()),
            None => {}
        }
    }
    blocks
}

/// A host that ends with the test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn from_deny_all_to_a_page_in_five_commands() -> Result<()> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/policy.md");
    let page = std::fs::read_to_string(page)?.replace(
        HOST,
        &serve(|line| match line {
            "GET /start" => Page::Text("<h1>Begin here</h1>"),
            _ => Page::Missing,
        })?,
    );
    let commands = blocks(&page, "```sh");
    let [start, first, explain, check, second] = &commands[..] else {
        anyhow::bail!("the guide has {} commands instead of five", commands.len());
    };
    let policy = blocks(&page, "```yaml policy.yaml");
    ensure!(policy.len() == 1, "the guide has one policy to save");

    let reader = Reader::new()?;
    reader.save("policy.yaml", policy[0].clone().into_bytes())?;
    reader.save("http.wasm", tool("http")?)?;
    let added = reader.run("cofferdam tool add http.wasm")?;
    ensure!(added.status.success(), "{}", said(&added));

    // The host goes on behind the reader's back, on a port that is free.
    let start = start.trim().trim_end_matches('&');
    let line = format!("exec {start} --listen 127.0.0.1:0");
    let _serving = Serving(reader.command(&line).spawn()?);

    let refused = reader.run(first)?;
    ensure!(!refused.status.success(), "allowed: {}", said(&refused));
    ensure!(
        said(&refused).contains("policy_denied"),
        "{}",
        said(&refused)
    );

    for line in [explain, check] {
        let output = reader.run(line)?;
        ensure!(output.status.success(), "{line}: {}", said(&output));
    }
    // The host reads the changed file soon, not before the next command begins.
    let mut fetched = reader.run(second)?;
    for _ in 0..TRIES {
        if fetched.status.success() {
            break;
        }
        fetched = reader.run(second)?;
    }
    ensure!(fetched.status.success(), "{}", said(&fetched));
    ensure!(
        said(&fetched).contains("# Begin here"),
        "{}",
        said(&fetched)
    );

    let other = reader.run(&second.replace("/start", "/other"))?;
    ensure!(!other.status.success(), "allowed: {}", said(&other));
    ensure!(said(&other).contains("request_denied"), "{}", said(&other));
    Ok(())
}
