//! What the guides tell their readers to type works, in order, in an empty directory outside the
//! repository.

mod learn;
mod policy;
mod reader;
mod server;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cofferdam_testing::binary;
use tempfile::TempDir;

/// The commands of a page: its `sh` blocks, one after the other.
fn commands(page: &str) -> String {
    let mut commands = String::from("set -euxo pipefail\n");
    let mut inside = false;
    for line in page.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => commands.extend([line, "\n"]),
            _ => {}
        }
    }
    commands
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the author's shell finds the command on its path"
)]
fn the_guide_to_writing_a_tool() -> Result<()> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/write-a-tool.md");
    let commands = commands(&std::fs::read_to_string(page)?);
    ensure!(
        commands.contains("cofferdam tool new"),
        "the guide has no commands"
    );
    let outside = TempDir::new()?;
    let binary = binary()?;
    let folder = binary.parent().context("the binary's folder")?;
    let path = std::env::join_paths(std::iter::once(folder.to_owned()).chain(
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()),
    ))?;
    let output = Command::new("bash")
        .args(["-c", &commands])
        .current_dir(outside.path())
        .env("PATH", path)
        .env("COFFERDAM_DATA_DIR", outside.path().join("data"))
        // The author's cargo is not the one that runs this test.
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("RUSTFLAGS")
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    ensure!(
        said.contains("Hello, Ada!"),
        "the tool did not answer: {said}"
    );
    Ok(())
}
