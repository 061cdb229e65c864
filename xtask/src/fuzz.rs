//! `cargo xtask fuzz`: each fuzz target for a while, on random bytes that grow from small components.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::command::{Stages, cargo, root, run as run_command};
use crate::graph::Graph;

/// The folder of each target's package below `tests/fuzz`, and the target.
const TARGETS: [(&str, &str); 2] = [("values", "json_to_value"), ("runtime", "load_component")];
/// Memory of a target in MiB, the fuzzer's own tables included; more is a finding. Inputs are some
/// kilobytes, and what reads them needs little more.
const MEMORY_MIB_MAX: u32 = 1_024;
/// One allocation in MiB; more is a finding.
const ALLOCATION_MIB_MAX: u32 = 128;
/// One input in seconds; longer is a finding, also on a machine that does other things.
const INPUT_SECONDS_MAX: u32 = 10;
/// Longest input in bytes. Longer ones cost time and find nothing more.
const INPUT_BYTES_MAX: u32 = 8 << 10;

/// Builds and runs every target for so many seconds; a finding is an error.
pub(crate) fn run(seconds: u32) -> Result<()> {
    let mut stages = Stages::new();
    let result = stages_of(&mut stages, seconds);
    stages.summary();
    result
}

fn stages_of(stages: &mut Stages, seconds: u32) -> Result<()> {
    let target = Graph::members()?.target_directory;
    let tools = stages.stage("cargo-fuzz", || install(&target))?;
    let folder = target.join("fuzz");
    let mut failed = Vec::new();
    for (package, name) in TARGETS {
        let place = Place {
            sources: root().join("tests/fuzz").join(package),
            kept: folder.join(package),
            built: folder.join("build"),
            tools: &tools,
        };
        stages.stage(&format!("building {name}"), || place.build(name))?;
        // All of them, also after one has found something.
        let ended = stages.stage(&format!("fuzzing {name}"), || place.run(name, seconds));
        failed.extend(ended.err());
    }
    match failed.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// The folder of `cargo-fuzz`, which is installed there unless it is.
fn install(target: &Path) -> Result<PathBuf> {
    let folder = target.join("fuzz-tools");
    if !folder.join("bin/cargo-fuzz").is_file() {
        let root = folder.to_str().context("a path that is text")?;
        run_command(&mut cargo([
            "install",
            "cargo-fuzz",
            "--locked",
            "--root",
            root,
        ]))?;
    }
    Ok(folder.join("bin"))
}

struct Place<'a> {
    /// The package with the target.
    sources: PathBuf,
    /// Inputs that reached something new, and findings: kept from run to run.
    kept: PathBuf,
    /// What the compiler makes.
    built: PathBuf,
    /// Where `cargo-fuzz` is.
    tools: &'a Path,
}

impl Place<'_> {
    fn build(&self, name: &str) -> Result<()> {
        run_command(&mut self.cargo_fuzz("build", name)?)
    }

    fn run(&self, name: &str, seconds: u32) -> Result<()> {
        let corpus = self.kept.join("corpus");
        let findings = self.kept.join("findings");
        for folder in [&corpus, &findings] {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        let mut command = self.cargo_fuzz("run", name)?;
        command.arg(&corpus);
        command.args(self.seeds()?);
        command.args([
            "--".to_owned(),
            format!("-max_total_time={seconds}"),
            format!("-rss_limit_mb={MEMORY_MIB_MAX}"),
            format!("-malloc_limit_mb={ALLOCATION_MIB_MAX}"),
            format!("-timeout={INPUT_SECONDS_MAX}"),
            format!("-max_len={INPUT_BYTES_MAX}"),
            // How many executions there were stands at the end of its output.
            "-print_final_stats=1".to_owned(),
            format!("-artifact_prefix={}/", findings.display()),
        ]);
        run_command(&mut command)
            .with_context(|| format!("{name} failed on an input in {}", findings.display()))
    }

    /// `cargo fuzz` without a sanitizer: these packages have no unsafe code of their own, and what
    /// is looked for are panics, endless loops and memory without bound. So any compiler will do.
    fn cargo_fuzz(&self, verb: &str, name: &str) -> Result<Command> {
        let text = |path: &Path| {
            let text = path.to_str().map(str::to_owned);
            text.with_context(|| format!("{} is no text", path.display()))
        };
        let mut command = Command::new(self.tools.join("cargo-fuzz"));
        command
            .current_dir(&self.sources)
            .args(["fuzz", verb, "--fuzz-dir", ".", "--sanitizer", "none"])
            .args(["--target-dir", &text(&self.built)?])
            .arg(name);
        Ok(command)
    }

    /// The folder with the components that stand beside a target as text, if it has some.
    fn seeds(&self) -> Result<Option<PathBuf>> {
        let texts = self.sources.join("seeds");
        if !texts.is_dir() {
            return Ok(None);
        }
        let seeds = self.kept.join("seeds");
        fs::create_dir_all(&seeds).with_context(|| seeds.display().to_string())?;
        let mut count = 0;
        for entry in fs::read_dir(&texts).with_context(|| texts.display().to_string())? {
            let path = entry?.path();
            let component = wat::parse_file(&path)?;
            let name = path.file_stem().context("a file's name")?;
            fs::write(seeds.join(name).with_extension("wasm"), component)?;
            count += 1;
        }
        ensure!(count > 0, "{} is empty", texts.display());
        Ok(Some(seeds))
    }
}
