//! `cargo xtask attack`: runs the tests of every attack in the catalogue and writes what came of them
//! into `docs/ATTACKS.md`.

mod catalogue;
mod marks;
mod suites;
mod table;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;

use anyhow::{Context, Result, bail, ensure};

use crate::command::{Stages, root};
use crate::test;
use crate::tidy::{Source, sources};
use crate::tools;

use catalogue::Catalogue;
use marks::Mark;
use suites::Outcome;

/// Where the results are shown.
const PAGE: &str = "docs/ATTACKS.md";

/// Says to the suites how large their crowds, floods and races are, in percent.
const SCALE: &str = "COFFERDAM_SCALE";
/// Says how many cases a property test has, and how often the crate of files swaps a directory.
const CASES: &str = "PROPTEST_CASES";

/// How large the attacks are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// As in every run of the tests.
    Hundredth,
    /// As the catalogue says.
    Full,
}

impl Size {
    /// What the suites are told.
    fn environment(self) -> [(&'static str, OsString); 2] {
        let (percent, cases) = match self {
            Self::Hundredth => ("1", "10000"),
            Self::Full => ("100", "100000"),
        };
        [(SCALE, percent.into()), (CASES, cases.into())]
    }

    /// How the page calls it.
    fn words(self) -> &'static str {
        match self {
            Self::Hundredth => "at a hundredth of the full size",
            Self::Full => "at full size",
        }
    }
}

/// What is wrong with the catalogue and the tests that name its attacks.
pub(crate) fn faults(sources: &[Source]) -> Vec<String> {
    match Catalogue::of(sources) {
        Ok(catalogue) => catalogue.faults(&marks::all(sources)),
        Err(error) => vec![format!("{}: {error:#}", catalogue::FILE)],
    }
}

/// Runs the attacks and writes the page; an attack that is not held is an error at the end.
pub(crate) fn run(size: Size) -> Result<()> {
    let mut stages = Stages::new();
    let result = stages_of(&mut stages, size);
    stages.summary();
    result
}

fn stages_of(stages: &mut Stages, size: Size) -> Result<()> {
    let sources = sources(root())?;
    let catalogue = Catalogue::of(&sources)?;
    let marks = marks::all(&sources);
    for fault in catalogue.faults(&marks) {
        eprintln!("attack: {fault}");
    }
    let tools = stages.stage("tools", tools::build)?;
    let built = stages.stage("building host and suites", suites::build)?;
    let places = [
        ("COFFERDAM_TOOLS", tools.into()),
        (test::BINARY, test::binary()?.into()),
    ];
    let environment = [places, size.environment()].concat();
    let outcomes = stages.stage("attacks", || suites::run(&built, &marks, &environment))?;
    let page = table::page(&catalogue, &marks, &outcomes, &table::Setting::read(size)?);
    fs::write(root().join(PAGE), page).context(PAGE)?;
    eprintln!("attack: the results are in {PAGE}");
    verdict(&catalogue, &marks, &outcomes)
}

fn verdict(
    catalogue: &Catalogue,
    marks: &[Mark],
    outcomes: &BTreeMap<Mark, Outcome>,
) -> Result<()> {
    ensure!(!outcomes.is_empty(), "no attack has a test");
    let failed: Vec<&str> = marks
        .iter()
        .filter(|mark| outcomes.get(*mark) != Some(&Outcome::Held))
        .map(|mark| mark.test.as_str())
        .collect();
    if !failed.is_empty() {
        bail!("not held: {}", failed.join(", "));
    }
    let faults = catalogue.faults(marks).len();
    ensure!(
        faults == 0,
        "{faults} faults in the catalogue, listed above"
    );
    Ok(())
}
