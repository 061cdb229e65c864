use anyhow::{Context, Result};
use cofferdam_testing::{Host, Plain};

use super::says;

fn text(component: &str) -> Result<Vec<u8>> {
    Ok(wat::parse_str(component)?)
}

/// CO-12, CO-13 and their neighbours: the component, and a word of the reason.
#[expect(clippy::too_many_lines, reason = "a table")]
fn components() -> Result<Vec<(&'static str, Vec<u8>, &'static str)>> {
    let lifted = |options: &str, ty: &str| {
        text(&format!(
            r#"(component
              (core module $m
                (func (export "f") (result i32) (i32.const 0))
                (func (export "c") (param i32 i32 i32) (result i32) (i32.const 0)))
              (core instance $i (instantiate $m))
              (func (export "run") {ty}
                (canon lift (core func $i "f") {options})))"#
        ))
    };
    let function = |signature: &str| {
        text(&format!(
            r#"(component
              (component $c (import "f" (func $f {signature})) (export "run" (func $f)))
              (export "c" (component $c)))"#
        ))
    };
    Ok(vec![
        (
            "async with a callback",
            lifted(r#"async (callback (core func $i "c"))"#, "")?,
            "async",
        ),
        (
            "async with a mistyped callback",
            lifted(r#"async (callback (core func $i "f"))"#, "")?,
            "async",
        ),
        ("async without a callback", lifted("async", "")?, "async"),
        ("an async type", lifted("", "async (result u32)")?, "async"),
        ("a stream", function("(param \"x\" (stream u8))")?, "async"),
        ("a future", function("(param \"x\" (future u8))")?, "async"),
        (
            "an error-context",
            function("(param \"x\" error-context)")?,
            "error-context",
        ),
        (
            "a name without end",
            text(&format!(
                r#"(component
                  (core module $m (func (export "f")))
                  (core instance $i (instantiate $m))
                  (func $f (canon lift (core func $i "f")))
                  (export "{}" (func $f)))"#,
                "a".repeat(201)
            ))?,
            "longer than 200 bytes",
        ),
        (
            "a name that is not kebab",
            text(
                r#"(component
                  (core module $m (func (export "f")))
                  (core instance $i (instantiate $m))
                  (func $f (canon lift (core func $i "f")))
                  (export "Not_Kebab" (func $f)))"#,
            )?,
            "Not_Kebab",
        ),
        (
            "an import of a release candidate",
            text(
                r#"(component (import "wasi:io/poll@0.2.0-rc-2023-11-10" (instance (export "poll" (func)))))"#,
            )?,
            "release candidate",
        ),
        (
            "an import of the snapshot before",
            text(
                r#"(component (import "wasi:cli/environment@0.2.0-rc-2023-12-05" (instance (export "get" (func)))))"#,
            )?,
            "release candidate",
        ),
        (
            "a module linked to the first preview",
            text(r#"(component (import "wasi_snapshot_preview1" (instance)))"#)?,
            "not a valid component",
        ),
        (
            "an older encoding",
            b"\0asm\x0a\0\x01\0".to_vec(),
            "not a valid component",
        ),
    ])
}

#[tokio::test]
async fn what_this_host_does_not_run_is_refused_by_name() -> Result<()> {
    let host = Host::start()?;
    for (name, component, word) in components()? {
        let answer = host.upload_as(component, &[("name", "t")]).await?;
        says(&answer, "component_invalid", word).context(name)?;
    }
    host.stop()
}

/// A component whose own code traps or never ends while it starts is added, since nothing of it
/// runs for that; the call bears it.
#[tokio::test]
async fn nothing_of_a_component_runs_while_it_is_added() -> Result<()> {
    let host = Host::start()?;
    let wit = "package t:t; world w { export go: func() -> u32; }";
    let go = r#"(func (export "go") (result i32) (i32.const 1))"#;
    for (name, start, code) in [
        ("trapping", "unreachable", "trap"),
        ("looping", "(loop (br 0))", "fuel_exhausted"),
    ] {
        let code_text = format!("{go} (func $start {start}) (start $start)");
        let component = Plain::new(wit, &code_text).component()?;
        host.upload_as(component, &[("name", name)]).await?.ok()?;
        let limits = serde_json::json!({"limits": {"fuel": 50_000_000}});
        let tool = format!("{name}-go");
        let answer = host.call(&tool, serde_json::json!({}), limits).await?;
        says(&answer, code, "").context(name)?;
    }
    host.stop()
}
