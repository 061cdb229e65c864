//! Components that export functions with WIT types: what becomes a tool under which name, and what
//! passes in and out.

mod docs;
mod errors;
mod http;
mod names;
mod refused;
mod sizes;
mod skipped;
mod values;

use anyhow::{Context, Result, ensure};
use cofferdam_testing::{Answer, Host, Plain};
use serde_json::{Value, json};

/// A package of one interface with two functions.
const CALC_WIT: &str = "package docs:calc@1.2.0;
    interface ops { add: func(a: s32, b: s32) -> s32; mul: func(a: s32, b: s32) -> s32; }
    world calc { export ops; }";
const CALC: &str = r#"
    (func (export "docs:calc/ops@1.2.0#add") (param i32 i32) (result i32)
      (i32.add (local.get 0) (local.get 1)))
    (func (export "docs:calc/ops@1.2.0#mul") (param i32 i32) (result i32)
      (i32.mul (local.get 0) (local.get 1)))"#;

/// Adds a component that must be taken.
async fn add(host: &Host, plain: &Plain, parameters: &[(&str, &str)]) -> Result<Value> {
    host.upload_as(plain.component()?, parameters).await?.ok()
}

/// Calls a tool that must answer.
async fn result(host: &Host, tool: &str, arguments: Value) -> Result<Value> {
    let answer = host.call(tool, arguments, json!({})).await?;
    Ok(answer.ok()?["result"].take())
}

/// The reason why an answer says that an export was skipped.
fn reason(added: &Value, export: &str) -> Result<String> {
    let skipped = added["skipped"].as_array().context("what was skipped")?;
    let found = skipped.iter().find(|skipped| skipped["export"] == export);
    let reason = found.with_context(|| format!("`{export}` was not skipped: {added}"))?;
    Ok(reason["reason"].as_str().unwrap_or_default().to_owned())
}

/// Checks an error's code and that it says `word`.
fn says(answer: &Answer, code: &str, word: &str) -> Result<()> {
    ensure!(answer.code() == Some(code), "{}", answer.body);
    ensure!(
        answer.body.to_string().contains(word),
        "not `{word}`: {}",
        answer.body
    );
    Ok(())
}

/// The places that an answer finds fault with.
fn places(answer: &Answer) -> Vec<&str> {
    let faults = answer.body["error"]["details"]["faults"].as_array();
    let faults = faults.into_iter().flatten();
    let mut places: Vec<_> = faults
        .filter_map(|fault| fault["pointer"].as_str())
        .collect();
    places.sort_unstable();
    places
}
