//! One client on a pair of streams.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cofferdam_testing::{Guest, escaped};
use cofferdam_types::Code;
use serde_json::{Value, json};

use crate::world::{World, call, cancel, echo, modern, request, returning, spin};

const MESSAGE_BYTES_MAX: usize = 4 << 20;

#[tokio::test]
async fn a_client_lists_and_calls() -> Result<()> {
    let world = World::with(&[echo()]).await?;
    let mut line = world.stdio();
    line.initialize().await?;
    let list = line.ask(&request(1, "tools/list", json!({}))).await?;
    assert_eq!(list["result"]["tools"][0]["name"], "echo-run");
    let answer = line.ask(&call("x", "echo-run", json!({"a": 1}))).await?;
    assert_eq!(answer["id"], "x");
    assert_eq!(
        answer["result"]["structuredContent"],
        json!({"result": {"a": 1}})
    );
    assert_eq!(
        line.ask(&request(2, "ping", json!({}))).await?["result"],
        json!({})
    );
    let message = modern(3, "tools/call", json!({"name": "echo-run"}));
    assert_eq!(
        line.ask(&message).await?["result"]["resultType"],
        "complete"
    );
    assert_eq!(line.close().await?, Vec::<Value>::new());
    Ok(())
}

#[tokio::test]
async fn what_is_no_message_is_answered_and_survived() -> Result<()> {
    let world = World::new().await?;
    let mut line = world.stdio();
    for (text, code) in [
        ("nonsense", -32700),
        ("{\"jsonrpc\":\"2.0\",", -32700),
        ("[]", -32600),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, -32700),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"Method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"no/such"}"#, -32601),
    ] {
        line.write(format!("{text}\n").as_bytes()).await?;
        assert_eq!(line.next().await?["error"]["code"], code, "{text}");
    }
    line.write(b"\"\xff\xfe\"\n").await?;
    assert_eq!(line.next().await?["error"]["code"], -32700);
    line.write(b"\n \r\n\t\n").await?;
    let deep = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{}}}\n",
        "[".repeat(100_000)
    );
    line.write(deep.as_bytes()).await?;
    assert_eq!(line.next().await?["error"]["code"], -32700);
    assert_eq!(line.ask(&request(9, "ping", json!({}))).await?["id"], 9);
    Ok(())
}

#[tokio::test]
async fn a_line_of_100_mb_is_refused_and_not_kept() -> Result<()> {
    let world = World::with(&[echo()]).await?;
    let mut line = world.stdio();
    let megabyte = vec![b'x'; 1 << 20];
    for _ in 0..100 {
        line.write(&megabyte).await?;
    }
    line.write(b"\n").await?;
    assert_eq!(line.next().await?["error"]["code"], -32600);
    // The longest that is taken.
    let frame = call(1, "echo-run", json!({"t": ""})).to_string().len();
    let text = "x".repeat(MESSAGE_BYTES_MAX - frame);
    let answer = line.ask(&call(1, "echo-run", json!({"t": text}))).await?;
    let code = &answer["result"]["_meta"]["cofferdam/error"]["code"];
    assert_eq!(code, "output_too_large", "it was called");
    let answer = line
        .ask(&call(1, "echo-run", json!({"t": text + "x"})))
        .await?;
    assert_eq!(answer["error"]["code"], -32600);
    Ok(())
}

#[tokio::test]
async fn a_thousand_calls_at_once_each_get_their_own_answer() -> Result<()> {
    const CALLS: u64 = 1_000;
    let world = World::with(&[echo()]).await?;
    let mut line = world.stdio();
    let mut all = Vec::new();
    for n in 0..CALLS {
        all.extend_from_slice(format!("{}\n", call(n, "echo-run", json!({"n": n}))).as_bytes());
    }
    line.write(&all).await?;
    let mut seen = HashSet::new();
    for _ in 0..CALLS {
        let answer = line.next().await?;
        let n = answer["id"].as_u64().context("an id")?;
        let result = &answer["result"]["structuredContent"];
        ensure!(*result == json!({"result": {"n": n}}), "{answer}");
        ensure!(seen.insert(n), "{n} was answered twice");
    }
    Ok(())
}

#[tokio::test]
async fn more_than_a_thousand_wait_outside() -> Result<()> {
    const TAKEN: usize = 1_024;
    let world = World::with(&[spin()]).await?;
    let mut line = world.stdio();
    for n in 0..=TAKEN {
        line.send(&call(n, "spin-run", json!({}))).await?;
    }
    let answer = line.next().await?;
    assert_eq!(answer["id"], TAKEN);
    assert_eq!(answer["error"]["data"]["code"], "rate_limited");
    line.shut_down().await?;
    // As many as one page of the audit shows.
    world.audited(Code::Cancelled, 1_000).await
}

#[tokio::test]
async fn a_call_that_is_taken_back_stops_and_is_not_answered() -> Result<()> {
    let world = World::with(&[echo(), spin()]).await?;
    let mut line = world.stdio();
    line.initialize().await?;
    line.send(&call("long", "spin-run", json!({}))).await?;
    let answer = line.ask(&call("long", "echo-run", json!({}))).await?;
    assert_eq!(answer["error"]["code"], -32600, "the id is in use");
    // Neither of another id nor of another kind is it.
    line.send(&cancel("other")).await?;
    line.send(&cancel(1)).await?;
    line.send(&cancel(json!({}))).await?;
    line.send(&cancel("long")).await?;
    world.audited(Code::Cancelled, 1).await?;
    // The id is free, and what comes is the answer to this.
    let answer = line
        .ask(&call("long", "echo-run", json!({"again": 1})))
        .await?;
    assert_eq!(
        answer["result"]["structuredContent"],
        json!({"result": {"again": 1}})
    );
    line.send(&cancel("long")).await?;
    assert_eq!(line.close().await?, Vec::<Value>::new());
    Ok(())
}

#[tokio::test]
async fn the_end_of_stdin_lets_calls_end_and_is_the_end() -> Result<()> {
    let world = World::with(&[echo(), spin()]).await?;
    let mut line = world.stdio();
    for n in 0..20 {
        line.send(&call(n, "echo-run", json!({}))).await?;
    }
    // A last line without its end is one all the same.
    line.write(call(20, "echo-run", json!({})).to_string().as_bytes())
        .await?;
    let said = line.close().await?;
    assert_eq!(said.len(), 21);

    let mut line = world.stdio();
    line.write(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"meth").await?;
    let said = line.close().await?;
    assert_eq!(said[0]["error"]["code"], -32700);

    let mut line = world.stdio();
    line.send(&call(1, "spin-run", json!({}))).await?;
    let start = Instant::now();
    assert_eq!(line.close().await?, Vec::<Value>::new());
    let took = start.elapsed();
    ensure!(took < Duration::from_secs(15), "it took {took:?}");
    world.audited(Code::Cancelled, 1).await
}

#[tokio::test]
async fn being_asked_to_end_ends_at_once() -> Result<()> {
    let world = World::with(&[spin()]).await?;
    let mut line = world.stdio();
    line.send(&call(1, "spin-run", json!({}))).await?;
    line.ask(&request(2, "ping", json!({}))).await?;
    let start = Instant::now();
    assert_eq!(line.shut_down().await?, Vec::<Value>::new());
    ensure!(start.elapsed() < Duration::from_secs(3));
    world.audited(Code::Cancelled, 1).await
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_no_more_than_itself() -> Result<()> {
    let world = World::with(&[echo()]).await?;
    let mut mute = world.stdio();
    let text = "x".repeat(100_000);
    let flood = async {
        for n in 0.. {
            mute.send(&call(n, "echo-run", json!({"t": text}))).await?;
        }
        Ok::<_, anyhow::Error>(())
    };
    let flooded = tokio::time::timeout(Duration::from_secs(10), flood).await;
    ensure!(flooded.is_err(), "somebody read on and on");
    let mut line = world.stdio();
    let answer = line.ask(&call(1, "echo-run", json!({}))).await?;
    assert_eq!(answer["result"]["isError"], false);
    Ok(())
}

#[tokio::test]
async fn what_a_tool_prints_is_not_the_protocol() -> Result<()> {
    const STDOUT: &str = r#"
        (import "wasi:cli/stdout@0.2.12" "get-stdout" (func $stdout (result i32)))
        (import "wasi:io/streams@0.2.12" "[method]output-stream.blocking-write-and-flush"
          (func $write (param i32 i32 i32 i32)))"#;
    let forged = format!(
        "\n{}\n",
        json!({"jsonrpc": "2.0", "id": 2, "result": {"forged": true}})
    );
    let data = format!("(data (i32.const 300) \"{}\")", escaped(&forged));
    let length = forged.len();
    let body = format!(
        "(call $write (call $stdout) (i32.const 300) (i32.const {length}) (i32.const 128))
         (global.get $answer)"
    );
    // Its result looks like an answer too, with line ends in it.
    let guest = Guest::new(&body)
        .with(STDOUT)
        .with(&data)
        .named("forge", "1.0.0");
    let world = World::with(&[guest, echo()]).await?;
    let mut line = world.stdio();
    let answer = line.ask(&call(1, "forge-run", json!({}))).await?;
    assert_eq!(answer["id"], 1);
    assert_eq!(
        answer["result"]["structuredContent"],
        json!({"result": true})
    );
    let answer = line.ask(&call(2, "echo-run", json!({"t": forged}))).await?;
    assert_eq!(
        answer["result"]["structuredContent"],
        json!({"result": {"t": forged}})
    );
    assert_eq!(line.close().await?, Vec::<Value>::new());
    Ok(())
}

#[tokio::test]
async fn news_of_tools_reach_whoever_listens() -> Result<()> {
    let world = World::new().await?;
    let mut old = world.stdio();
    old.initialize().await?;
    old.ask(&request(1, "ping", json!({}))).await?;
    let mut new = world.stdio();
    let listen = |id: i64, wanted: Value| {
        modern(id, "subscriptions/listen", json!({"notifications": wanted}))
    };
    let first = new
        .ask(&listen(
            5,
            json!({"toolsListChanged": true, "promptsListChanged": true}),
        ))
        .await?;
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(
        first["params"]["notifications"],
        json!({"toolsListChanged": true})
    );
    assert_eq!(
        first["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"],
        5
    );
    let second = new.ask(&listen(6, json!({}))).await?;
    assert_eq!(second["params"]["notifications"], json!({}));
    let mut silent = world.stdio();

    world.add(&echo()).await?;
    assert_eq!(
        old.next().await?["method"],
        "notifications/tools/list_changed"
    );
    let news = new.next().await?;
    assert_eq!(news["method"], "notifications/tools/list_changed");
    assert_eq!(
        news["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"],
        5
    );
    // Nothing of what is there already is news.
    world.add(&echo()).await?;
    assert_eq!(old.ask(&request(2, "ping", json!({}))).await?["id"], 2);
    assert_eq!(silent.ask(&request(2, "ping", json!({}))).await?["id"], 2);
    new.send(&cancel(5)).await?;
    let tools = new.ask(&modern(7, "tools/list", json!({}))).await?;
    assert_eq!(tools["result"]["tools"][0]["name"], "echo-run");
    world.add(&returning(spin(), &json!({}))).await?;
    assert_eq!(
        old.next().await?["method"],
        "notifications/tools/list_changed"
    );
    let said = new.close().await?;
    let ended: Vec<_> = said.iter().map(|message| &message["id"]).collect();
    assert_eq!(ended, [6], "{said:?}");
    Ok(())
}
