//! Writes the C bindings of the world `kinds`: `kinds.h`, `kinds.c` and the object with its types.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use wit_bindgen_core::{Files, wit_parser::Resolve};

const WIT: &str = "../wit/kinds";

#[expect(clippy::disallowed_methods, reason = "how cargo names the folder")]
fn main() -> Result<()> {
    println!("cargo:rerun-if-changed={WIT}");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(WIT)?;
    let world = resolve.select_world(&[package], Some("kinds"))?;

    let mut files = Files::default();
    let mut generator = wit_bindgen_c::Opts::default().build();
    generator.generate(&mut resolve, world, &mut files)?;

    let out = PathBuf::from(std::env::var_os("OUT_DIR").context("cargo names a folder")?);
    for (name, content) in files.iter() {
        let path = out.join(name);
        fs::write(&path, content).with_context(|| path.display().to_string())?;
    }
    Ok(())
}
