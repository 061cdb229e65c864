use anyhow::{Result, ensure};
use cofferdam_testing::{Guest, Host};
use serde_json::json;

use crate::{Case, check};

const EXIT: &str = r#"
    (import "wasi:cli/exit@0.2.12" "exit" (func $exit (param i32)))"#;

#[tokio::test]
async fn leaving_instead_of_answering() -> Result<()> {
    let mut trap_in_realloc = Case::new("RS-13 in the allocator", "(global.get $answer)", "trap");
    // Describing allocates nothing; the arguments of a call do.
    trap_in_realloc.guest.realloc = "(unreachable)".to_owned();
    check(vec![
        Case::new("RS-13 in the code", "(unreachable)", "trap"),
        trap_in_realloc,
        Case::new(
            "RS-15 success",
            "(call $exit (i32.const 0)) (unreachable)",
            "trap",
        )
        .importing(EXIT, &[]),
        Case::new(
            "RS-15 failure",
            "(call $exit (i32.const 1)) (unreachable)",
            "trap",
        )
        .importing(EXIT, &[]),
        Case::new(
            "a division by zero",
            "(i32.div_u (i32.const 1) (i32.const 0))",
            "trap",
        ),
        Case::new("outside its memory", "(i32.load (i32.const -8))", "trap"),
    ])
    .await
}

#[tokio::test]
async fn while_it_is_added() -> Result<()> {
    let host = Host::start()?;
    let refused = |guest: Guest, cause: &'static str| {
        let host = &host;
        async move {
            let answer = host.upload(guest.component()?).await?;
            ensure!(
                answer.code() == Some("component_invalid"),
                "{cause}: {}",
                answer.body
            );
            ensure!(
                answer.body["error"]["details"]["cause"] == cause,
                "{cause}: {}",
                answer.body
            );
            anyhow::Ok(())
        }
    };
    let describing = |code: &str| Guest {
        describe: code.to_owned(),
        ..Guest::well_behaved()
    };
    let starting =
        |code: &str| Guest::well_behaved().with(&format!("(func $start {code}) (start $start)"));
    refused(describing("(unreachable)"), "trap").await?;
    refused(describing("(loop $l (br $l))"), "fuel_exhausted").await?;
    refused(starting("(unreachable)"), "trap").await?;
    refused(starting("(loop $l (br $l))"), "fuel_exhausted").await?;
    let manifest = |text: &str| Guest {
        manifest: text.to_owned(),
        ..Guest::well_behaved()
    };
    for text in [
        "",
        "not JSON",
        "{}",
        "[]",
        r#"{"name": "<b>", "version": "1.0.0", "tools": []}"#,
    ] {
        let answer = host.upload(manifest(text).component()?).await?;
        ensure!(
            answer.code() == Some("component_invalid"),
            "{text}: {}",
            answer.body
        );
    }
    host.upload(Guest::well_behaved().component()?)
        .await?
        .ok()?;
    host.call("guest-run", json!({}), json!({})).await?.ok()?;
    Ok(())
}
