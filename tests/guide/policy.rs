//! The guide for security engineers: its five commands, in order, against a server of this machine in
//! the place of the guide's host.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output};

use anyhow::{Context, Result, ensure};
use cofferdam_testing::{binary, tool};
use tempfile::TempDir;

/// Whom the guide fetches from.
const HOST: &str = "https://docs.example.org";

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

/// A server that has one page, and its address.
fn serve() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}", listener.local_addr()?);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap_or(0);
            let found = request[..length].starts_with(b"GET /start HTTP/1.1\r\n");
            let (status, body) = if found {
                ("200 OK", "<h1>Begin here</h1>")
            } else {
                ("404 Not Found", "")
            };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{body}",
                body.len()
            );
            // A client that left is its own business.
            stream.write_all(head.as_bytes()).ok();
        }
    });
    Ok(address)
}

/// Where the guide's commands run.
struct Reader {
    folder: TempDir,
    path: std::ffi::OsString,
}

impl Reader {
    fn new() -> Result<Self> {
        let binary = binary()?;
        let folder = binary.parent().context("the binary's folder")?;
        Ok(Self {
            folder: TempDir::new()?,
            path: search_path(folder)?,
        })
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("bash");
        command
            .args(["-c", line])
            .current_dir(self.folder.path())
            .env("PATH", &self.path)
            .env("COFFERDAM_DATA_DIR", self.folder.path().join("data"));
        command
    }

    fn run(&self, line: &str) -> Result<Output> {
        Ok(self.command(line).output()?)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the reader's shell finds the command on its path"
)]
fn search_path(folder: &Path) -> Result<std::ffi::OsString> {
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let own = std::iter::once(folder.to_owned());
    Ok(std::env::join_paths(
        own.chain(std::env::split_paths(&rest)),
    )?)
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

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn from_deny_all_to_a_page_in_five_commands() -> Result<()> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/policy.md");
    let page = std::fs::read_to_string(page)?.replace(HOST, &serve()?);
    let commands = blocks(&page, "```sh");
    let [start, first, explain, check, second] = &commands[..] else {
        anyhow::bail!("the guide has {} commands instead of five", commands.len());
    };
    let policy = blocks(&page, "```yaml policy.yaml");
    ensure!(policy.len() == 1, "the guide has one policy to save");

    let reader = Reader::new()?;
    std::fs::write(reader.folder.path().join("policy.yaml"), &policy[0])?;
    std::fs::write(reader.folder.path().join("http.wasm"), tool("http")?)?;
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
