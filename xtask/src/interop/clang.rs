//! The C compiler for the sandbox, from the distribution.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use crate::command::{read, run as run_command};

/// What installs it on Debian.
const INSTALL: [&str; 7] = [
    "install",
    "-y",
    "--no-install-recommends",
    "clang",
    "lld",
    "wasi-libc",
    "libclang-rt-dev-wasm32",
];
/// How it is told what to compile for: a library that is called, not a program that runs.
pub(super) const TARGET: [&str; 2] = ["--target=wasm32-wasi", "-mexec-model=reactor"];
/// Needs the compiler, its runtime, the linker and the headers and library of C.
const PROBE: &str = "#include <stdlib.h>\nvoid *probe(void) { return malloc(1); }\n";

/// Makes sure that there is a compiler, and answers its version.
pub(super) fn ensure(out: &Path) -> Result<String> {
    let Err(missing) = probe(out) else {
        return read(clang().arg("--version"));
    };
    if !may_install() {
        let advice = anyhow!(
            "C for the sandbox needs a compiler: apt-get {}",
            INSTALL.join(" ")
        );
        return Err(missing.context(advice));
    }
    run_command(Command::new("apt-get").arg("update"))?;
    let mut install = Command::new("apt-get");
    run_command(
        install
            .args(INSTALL)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )?;
    probe(out)?;
    read(clang().arg("--version"))
}

fn clang() -> Command {
    Command::new("clang")
}

fn probe(out: &Path) -> Result<()> {
    let source = out.join("probe.c");
    fs::write(&source, PROBE).with_context(|| source.display().to_string())?;
    let mut compile = clang();
    compile.args(TARGET).arg(&source);
    compile.arg("-o").arg(out.join("probe.wasm"));
    read(&mut compile).map(|_| ())
}

/// Only a machine that exists for one run may be changed unasked, and only one where it works.
#[expect(
    clippy::disallowed_methods,
    reason = "how a machine says that it is for one run"
)]
fn may_install() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
        && rustix::process::geteuid().is_root()
        && Path::new("/etc/debian_version").exists()
}
