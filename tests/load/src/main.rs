//! `cargo xtask bench call`: what a call costs beside the bare engine and the bare HTTP stack.
//!
//! Everything is measured in one run, in rounds that take turns, so that what the machine does
//! meanwhile hits all alike; the figures are ratios with their spread over the rounds.

mod bare;
mod load;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use cofferdam_server::{Config, Labels, Local, LocalCall, Store, admin_key};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::bare::{Allocation, Bare};
use crate::report::{line, machine, ratio, say};

/// Rounds; each measures everything once.
const ROUNDS: usize = 9;
/// How long each is measured in a round.
const TIME: Duration = Duration::from_millis(700);
/// Connections of the load.
const CLIENTS: usize = 16;
/// The tool: built with the SDK, so with all that a Rust tool brings along, and trivial.
const COMPONENT: &str = "spin";
const FUNCTION: &str = "count";
const ARGUMENTS: &str = r#"{"until":1}"#;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("__compile") {
        return cofferdam_server::compiler_child();
    }
    match tokio::runtime::Runtime::new()
        .context("threads")
        .and_then(|runtime| runtime.block_on(bench()))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn bench() -> Result<()> {
    let component = report::component(COMPONENT)?;
    let pooled = Bare::new(&component, Allocation::Pooling)?;
    let on_demand = Bare::new(&component, Allocation::OnDemand)?;
    let local = Local::open(cofferdam_server::Rules::default()).await?;
    local
        .add(Labels::default(), &component)
        .await
        .map_err(|body| body.error)?;
    let data = tempfile::TempDir::new()?;
    let stop = CancellationToken::new();
    let (host, served) = serve(data.path().to_owned(), &stop).await?;
    let key = admin_key(data.path()).context("the admin key")?;
    upload(&host, &key, &component).await?;
    let echo = echo(&stop).await?;
    let request = load::post(
        &format!("/api/v1/tools/{COMPONENT}-{FUNCTION}/call"),
        &key,
        &format!(r#"{{"arguments":{ARGUMENTS}}}"#),
    );
    let echoed = load::post("/echo", &key, &format!(r#"{{"arguments":{ARGUMENTS}}}"#));

    let call = checked()?;
    let mut figures: [Vec<f64>; 5] = Default::default();
    for round in 0..=ROUNDS {
        let measured = [
            each(|| pooled.call(FUNCTION, ARGUMENTS)).await?,
            each(|| on_demand.call(FUNCTION, ARGUMENTS)).await?,
            each(|| through_the_door(&local, &call)).await?,
            load::rate(&host, &request, CLIENTS, TIME).await?,
            load::rate(&echo, &echoed, CLIENTS, TIME).await?,
        ];
        // The first round warms caches and allocators up.
        if round > 0 {
            for (figure, value) in figures.iter_mut().zip(measured) {
                figure.push(value);
            }
        }
    }
    report(&figures);
    stop.cancel();
    served.await??;
    Ok(())
}

/// Microseconds of one call, over as many as fit into the time, one after the other.
async fn each<T, F: Future<Output = Result<T>>>(call: impl Fn() -> F) -> Result<f64> {
    let begin = Instant::now();
    let mut count = 0_u32;
    while begin.elapsed() < TIME {
        call().await?;
        count += 1;
    }
    Ok(begin.elapsed().as_secs_f64() * 1e6 / f64::from(count))
}

/// The call as the doors have it once they have read it.
fn checked() -> Result<LocalCall> {
    Ok(LocalCall {
        tool: format!("{COMPONENT}-{FUNCTION}").parse()?,
        arguments: serde_json::from_str(ARGUMENTS)?,
        workspace: None,
        limits: cofferdam_server::types::limits::LimitRequest::default(),
        commit: cofferdam_server::types::change::Commit::Apply,
    })
}

async fn through_the_door(local: &Local, call: &LocalCall) -> Result<()> {
    local
        .call(call.clone())
        .await
        .answer
        .map_err(|body| body.error)?;
    Ok(())
}

type Served = tokio::task::JoinHandle<Result<(), cofferdam_server::Error>>;

/// The whole host on a free port, over the memory store.
async fn serve(data_dir: PathBuf, stop: &CancellationToken) -> Result<(String, Served)> {
    let config = Config {
        listen: "127.0.0.1:0".parse()?,
        data_dir,
        store: Store::Memory,
        rules: cofferdam_server::Rules::default(),
        live_calls: None,
        allowed_hosts: Vec::new(),
        allowed_origins: Vec::new(),
        audit: cofferdam_server::Audit::default(),
    };
    let (ready, listening) = tokio::sync::oneshot::channel();
    let stop = stop.clone();
    let served = tokio::spawn(async move {
        let shutdown = stop.cancelled_owned();
        cofferdam_server::serve(
            config,
            |host| drop(ready.send(host.address.to_string())),
            shutdown,
        )
        .await
    });
    Ok((listening.await.context("the host did not start")?, served))
}

async fn upload(address: &str, key: &str, component: &[u8]) -> Result<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let head = format!(
        "POST /api/v1/components HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/wasm\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        component.len()
    );
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(component).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    anyhow::ensure!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    Ok(())
}

/// The same stack and guards with nothing behind them.
async fn echo(stop: &CancellationToken) -> Result<String> {
    let handler = |body: Bytes| async move { ([(CONTENT_TYPE, "application/json")], body) };
    let router = cofferdam_http::guarded(Router::new().route("/echo", post(handler)));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let stop = stop.clone();
    tokio::spawn(async move { cofferdam_http::serve(listener, router, stop).await });
    Ok(address)
}

fn report(figures: &[Vec<f64>; 5]) {
    let [pooled, on_demand, door, host, echo] = figures;
    say(&format!(
        "{COMPONENT}-{FUNCTION} {ARGUMENTS}, {ROUNDS} rounds of {} ms, {CLIENTS} connections, {}",
        TIME.as_millis(),
        machine()
    ));
    line("(a) bare engine, pooled", pooled, "us a call");
    line("    bare engine, on demand", on_demand, "us a call");
    line("(b) toolbox", door, "us a call");
    line("(c) HTTP call", host, "calls a second");
    line("(d) HTTP echo", echo, "requests a second");
    ratio("on demand / pooled", on_demand, pooled);
    ratio("b / a", door, pooled);
    ratio("c / d", host, echo);
}
