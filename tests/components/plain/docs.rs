use anyhow::{Context, Result, ensure};
use cofferdam_testing::{Host, Plain};
use serde_json::json;

use super::add;

const WIT: &str = "package docs:calc@1.2.0;
    interface ops {
        /// Adds two numbers.
        ///
        /// Wraps around.
        add: func(a: s32, b: s32) -> s32;
        mul: func(a: s32, b: s32) -> s32;
    }
    world calc {
        export ops;
        /// The world's own.
        export neg: func(a: s32) -> s32;
        export mute: func() -> u32;
    }";
const CODE: &str = r#"
    (func (export "docs:calc/ops@1.2.0#add") (param i32 i32) (result i32) (local.get 0))
    (func (export "docs:calc/ops@1.2.0#mul") (param i32 i32) (result i32) (local.get 0))
    (func (export "neg") (param i32) (result i32) (local.get 0))
    (func (export "mute") (result i32) (i32.const 0))"#;

async fn description(host: &Host, tool: &str) -> Result<String> {
    let tool = host.get(&format!("/api/v1/tools/{tool}")).await?.ok()?;
    let text = tool["description"].as_str();
    Ok(text.with_context(|| format!("{tool}"))?.to_owned())
}

#[tokio::test]
async fn comments_become_descriptions_without_control_characters() -> Result<()> {
    let host = Host::start()?;
    add(&host, &Plain::new(WIT, CODE).documented(), &[]).await?;
    let add = description(&host, "calc-add").await?;
    ensure!(add == "Adds two numbers.\n\nWraps around.", "{add:?}");
    let mul = description(&host, "calc-mul").await?;
    ensure!(
        mul == "The function `mul` of `docs:calc/ops@1.2.0`.",
        "{mul}"
    );
    let neg = description(&host, "calc-neg").await?;
    ensure!(neg == "The world's own.", "{neg:?}");
    let mute = description(&host, "calc-mute").await?;
    ensure!(mute == "The function `mute`.", "{mute:?}");
    host.stop()
}

/// WIT has no control characters; whoever writes the section by hand has.
#[tokio::test]
async fn control_characters_do_not_pass() -> Result<()> {
    let host = Host::start()?;
    let docs = json!({"worlds": {"calc": {"func_exports": {
        "neg": {"docs": "a \u{1b}[31mred\u{1b}[0m bell\u{7}, a \u{9b}2Jscreen\r"},
        "mute": {"docs": "\u{7}\u{1b}"},
    }}}});
    let section = format!("\u{1}{docs}");
    let plain = Plain::new(WIT, CODE).section("package-docs", section.as_bytes());
    add(&host, &plain, &[]).await?;
    let neg = description(&host, "calc-neg").await?;
    ensure!(neg == "a [31mred[0m bell, a 2Jscreen", "{neg:?}");
    let mute = description(&host, "calc-mute").await?;
    ensure!(mute == "The function `mute`.", "{mute:?}");
    host.stop()
}

/// Sections that say nothing readable, or too much, are as if they were not there.
#[tokio::test]
async fn damaged_and_endless_sections_are_passed_over() -> Result<()> {
    let host = Host::start()?;
    let long = format!(
        "package docs:calc@1.2.0; world calc {{
            /// {}
            export neg: func() -> u32; }}",
        "word ".repeat(4_000)
    );
    let code = r#"(func (export "neg") (result i32) (i32.const 0))"#;
    let plain = Plain::new(&long, code).called("calc");
    let deep = format!(
        "\u{0}{{\"worlds\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    for (version, plain) in [
        ("1.0.0", plain.clone().documented()),
        ("1.0.1", plain.clone().section("package-docs", b"\x01{")),
        ("1.0.2", plain.clone().section("package-docs", b"")),
        (
            "1.0.3",
            plain.clone().section("package-docs", deep.as_bytes()),
        ),
        (
            "1.0.4",
            plain.clone().section("package-docs", &vec![b'['; 2 << 20]),
        ),
        ("1.0.5", plain.section("component-name", b"\0\xff\xff\xff")),
    ] {
        add(&host, &plain, &[("version", version), ("name", "calc")]).await?;
        let text = description(&host, &format!("calc-neg?version={version}")).await?;
        ensure!(text == "The function `neg`.", "{version}: {text}");
    }
    host.stop()
}
