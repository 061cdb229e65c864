//! Any component: one world of WIT, made by five toolchains, answers the same through every door
//! as in an independent host.

mod doors;
mod ended;
mod independent;
mod limits;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use cofferdam_testing::{Host, interop, show};
use serde_json::{Value, json};

use crate::doors::{Door, Doors};
use crate::ended::Ended;
use crate::independent::Independent;

/// The functions of the world: those of its interface, and `greet`.
const FUNCTIONS: usize = 24;

/// A call, and what it answers wherever the toolchain is not at fault.
struct Case {
    function: String,
    arguments: Value,
    expected: Ended,
    /// The toolchains that get it wrong by themselves.
    except: Vec<String>,
}

impl Case {
    fn read(case: &Value) -> Result<Self> {
        let except = case["except"].as_array().into_iter().flatten();
        let except = except.map(|name| name.as_str().map(str::to_owned));
        Ok(Self {
            function: case["function"].as_str().context("a function")?.to_owned(),
            arguments: case["arguments"].clone(),
            expected: Ended::read(case)?,
            except: except.collect::<Option<_>>().context("toolchains")?,
        })
    }
}

/// What a toolchain exports for itself, as [`added`] finds it among what was left out.
type Internals = &'static [(&'static str, &'static str)];

#[tokio::test]
async fn python() -> Result<()> {
    toolchain("python", &[("exports#init", "componentize-py's own")]).await
}

#[tokio::test]
async fn javascript() -> Result<()> {
    toolchain("javascript", &[]).await
}

#[tokio::test]
async fn quickjs() -> Result<()> {
    toolchain("quickjs", &[("init", "componentize-qjs's own")]).await
}

#[tokio::test]
async fn c() -> Result<()> {
    toolchain("c", &[]).await
}

#[tokio::test]
async fn rust() -> Result<()> {
    toolchain("rust", &[]).await
}

/// A file of this suite.
fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("interop")
        .join(name)
}

/// Adds what a toolchain made of the world, and puts every case to every door.
async fn toolchain(name: &str, internals: Internals) -> Result<()> {
    let path = interop(&format!("{name}.wasm"))?;
    let file = source("cases.json");
    let independent = Independent::run(&file, &path)?;
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(&file)?)?;
    ensure!(cases.len() == independent.answers.len(), "an answer each");

    let host = Host::start()?;
    let begin = Instant::now();
    let component = std::fs::read(&path)?;
    let size = component.len();
    let label = format!("kinds-{name}");
    let added = host.upload_as(component, &[("name", &label)]).await?;
    let compiled = begin.elapsed();
    let doors = Doors::open(&host).await?;
    check_added(&added.ok()?, &independent, &doors, internals)?;
    check_internals(&host, name, internals).await?;

    let begin = Instant::now();
    let mut wrong = Vec::new();
    for (case, theirs) in cases.iter().zip(&independent.answers) {
        let case = Case::read(case)?;
        wrong.extend(differences(&doors, name, &case, theirs).await?);
    }
    ensure!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
    show(&format!(
        "{name}: {} KiB, added in {compiled:.1?}; {} cases by {} doors in {:.1?}, all equal",
        size >> 10,
        cases.len(),
        Door::ALL.len(),
        begin.elapsed(),
    ));
    host.stop()
}

/// Checks that everything exported is either a tool or left out with the reason, and that the
/// imports are told, as an independent host reads the component.
fn check_added(
    added: &Value,
    independent: &Independent,
    doors: &Doors<'_>,
    internals: Internals,
) -> Result<()> {
    let skipped = added["skipped"].as_array().context("skipped")?;
    ensure!(skipped.len() == internals.len(), "{skipped:?}");
    for (export, reason) in internals {
        let told = skipped.iter().find(|it| it["export"] == *export);
        let told = told.and_then(|it| it["reason"].as_str());
        ensure!(
            told.is_some_and(|told| told.starts_with(reason)),
            "{export}: {told:?}"
        );
    }
    let tools = added["tools"].as_array().context("tools")?;
    ensure!(tools.len() == FUNCTIONS, "{tools:?}");
    ensure!(
        names(&added["tools"]) == doors.tools(),
        "MCP lists others than {tools:?}"
    );

    let exports = skipped.iter().filter_map(|it| it["export"].as_str());
    let exports: BTreeSet<&str> = exports.chain(doors.functions()).collect();
    ensure!(
        exports.iter().copied().eq(&independent.exports),
        "{exports:?} are not {:?}",
        independent.exports
    );
    ensure!(
        names(&added["imports"]).iter().eq(&independent.imports),
        "{} are not {:?}",
        added["imports"],
        independent.imports
    );
    Ok(())
}

/// Checks that the names which internals would have are no tools.
async fn check_internals(host: &Host, name: &str, internals: Internals) -> Result<()> {
    for (export, _) in internals {
        let function = export
            .rsplit_once('#')
            .map_or(*export, |(_, function)| function);
        let tool = format!("kinds-{name}-{function}");
        let answer = host.call(&tool, json!({}), json!({})).await?;
        ensure!(answer.code() == Some("not_found"), "{}", answer.body);
    }
    Ok(())
}

/// A JSON list of texts in order.
fn names(list: &Value) -> BTreeSet<String> {
    let names = list.as_array().into_iter().flatten();
    names
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}

/// Where a door answers something else than the independent host, or than the case says.
async fn differences(
    doors: &Doors<'_>,
    name: &str,
    case: &Case,
    theirs: &Ended,
) -> Result<Vec<String>> {
    let Case {
        function,
        arguments,
        expected,
        except,
    } = case;
    let mut wrong = Vec::new();
    let excepted = except.iter().any(|toolchain| toolchain == name);
    // An exception that is none any more has to go from the list.
    if (theirs == expected) == excepted {
        wrong.push(format!(
            "{function}({arguments}): the independent host answers {theirs:?}, the case {expected:?}"
        ));
    }
    for door in Door::ALL {
        let tool = format!("kinds-{name}-{function}");
        let ours = doors.call(door, &tool, arguments).await?;
        if ours != *theirs {
            wrong.push(format!(
                "{function}({arguments}): {door:?} answers {ours:?}, the independent host {theirs:?}"
            ));
        }
    }
    Ok(wrong)
}
