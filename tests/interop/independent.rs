//! The host that others made: PyPI's wasmtime, with its own reading of the mapping to JSON.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cofferdam_testing::interop;
use serde_json::Value;

use crate::ended::Ended;
use crate::{names, source};

/// What it reads in a component, and what that answers there.
pub(crate) struct Independent {
    pub(crate) imports: BTreeSet<String>,
    pub(crate) exports: BTreeSet<String>,
    /// One answer for each case.
    pub(crate) answers: Vec<Ended>,
}

impl Independent {
    /// Puts the file's cases to the component.
    pub(crate) fn run(cases: &Path, component: &Path) -> Result<Self> {
        let output = Command::new(interop("venv")?.join("bin/python"))
            .arg("-B")
            .arg(source("differential.py"))
            .args([cases, component])
            .output()?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout)?;
        let mut lines = text.lines().map(serde_json::from_str::<Value>);
        let listing = lines.next().context("the listing")??;
        let exports = listing["exports"].as_object().context("exports")?;
        let answers = lines.map(|line| Ended::read(&line?));
        Ok(Self {
            imports: names(&listing["imports"]),
            exports: exports.keys().cloned().collect(),
            answers: answers.collect::<Result<_>>()?,
        })
    }
}
