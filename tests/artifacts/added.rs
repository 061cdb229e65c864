use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cofferdam_testing::{show, tool};
use futures::future::join_all;
use serde_json::Value;
use tempfile::TempDir;

use super::*;

/// Uploads of the same bytes at once.
const UPLOADS: usize = 100;
/// What a status may be followed by, in this order.
const STATUSES: [&str; 4] = ["inspecting", "compiling", "registering", "ready"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_uploads_compile_once() -> Result<()> {
    let host = Host::start()?;
    let file = tool("data")?;
    let is_over = AtomicBool::new(false);
    let (answers, children) = std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut seen = BTreeSet::new();
            while !is_over.load(Ordering::Relaxed) {
                seen.extend(children(host.pid()));
                std::thread::sleep(Duration::from_millis(1));
            }
            seen
        });
        let uploads = join_all((0..UPLOADS).map(|_| host.upload(file.clone())));
        let answers =
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(uploads));
        is_over.store(true, Ordering::Relaxed);
        (answers, watching.join())
    });
    let children = children.map_err(|_| anyhow::anyhow!("the watch broke off"))?;
    let mut created = 0;
    for answer in answers {
        let added = answer?.ok()?;
        created += usize::from(added["created"] == true);
    }
    ensure!(created == 1, "{created} were new");
    ensure!(children.len() == 1, "compilers: {children:?}");
    show(&format!(
        "{UPLOADS} uploads of {} bytes at once: one compiler",
        file.len()
    ));
    host.stop()
}

/// The children of a process.
fn children(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten();
    let lists = tasks.filter_map(|task| {
        let path = task.ok()?.path().join("children");
        fs::read_to_string(path).ok()
    });
    let numbers = |list: String| -> Vec<u32> {
        list.split_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .collect()
    };
    lists.flat_map(numbers).collect()
}

#[tokio::test]
async fn adding_is_watched_until_the_tools_are_there() -> Result<()> {
    let root = TempDir::new()?;
    let data = root.path().join("data");
    let host = Host::at(&data, &[])?;
    let (place, mut view) = begin(&host, tool("data")?).await?;
    let mut seen: Vec<String> = Vec::new();
    while view["status"] != "ready" {
        let status = view["status"].as_str().context("a status")?.to_owned();
        let rank = |word: &str| STATUSES.iter().position(|status| *status == word);
        ensure!(rank(&status).is_some(), "{view}");
        ensure!(
            seen.last().is_none_or(|last| rank(last) <= rank(&status)),
            "{seen:?} {status}"
        );
        seen.push(status);
        tokio::time::sleep(Duration::from_millis(2)).await;
        view = host.get(&place).await?.ok()?;
    }
    ensure!(seen.iter().any(|status| status == "compiling"), "{seen:?}");
    let component = view["component"].clone();
    ensure!(component["created"] == true && component["digest"] == view["digest"]);
    for tool in component["tools"].as_array().context("its tools")? {
        let tool = tool.as_str().context("a name")?;
        host.get(&format!("/api/v1/tools/{tool}")).await?.ok()?;
    }
    let again = host.upload(tool("data")?).await?.ok()?;
    ensure!(
        again["created"] == false && again["tools"] == component["tools"],
        "{again}"
    );
    host.stop()?;
    // A host that remembers no addition finds the component in the registry.
    let host = Host::at(&data, &[])?;
    let view = host.get(&place).await?.ok()?;
    ensure!(view["status"] == "ready", "{view}");
    for field in ["component", "version", "digest", "imports"] {
        ensure!(
            view["component"][field] == component[field],
            "{field}: {view}"
        );
    }
    // The registry has them by name.
    let tools = |component: &Value| {
        component["tools"].as_array().cloned().map(|mut tools| {
            tools.sort_by_key(Value::to_string);
            tools
        })
    };
    ensure!(tools(&view["component"]) == tools(&component), "{view}");
    host.stop()
}

#[tokio::test]
async fn what_is_refused_says_why_and_leaves_nothing() -> Result<()> {
    let root = TempDir::new()?;
    let data = root.path().join("data");
    let host = Host::at(&data, &[])?;
    host.upload(guest("guest", "1.0.0")?).await?.ok()?;
    // Other bytes under a name and version that are there: refused after it was compiled.
    let mut other = cofferdam_testing::Guest::new("(nop) (global.get $answer)");
    other.pages = 3;
    for (file, code) in [
        (other.component()?, "conflict"),
        (b"\0asm".to_vec(), "component_invalid"),
    ] {
        let (place, mut view) = begin(&host, file).await?;
        while view["status"] != "failed" {
            ensure!(view["status"] != "ready", "{view}");
            tokio::time::sleep(Duration::from_millis(2)).await;
            view = host.get(&place).await?.ok()?;
        }
        ensure!(
            view["error"]["code"] == code && view["component"] == Value::Null,
            "{view}"
        );
    }
    ensure!(compiled(&data)?.len() == 1, "{:?}", compiled(&data)?);
    host.stop()
}

/// Adds a component without waiting; where its status is, and the first one.
async fn begin(host: &Host, file: Vec<u8>) -> Result<(String, Value)> {
    let request = host
        .request("POST", "/api/v1/components")?
        .header("content-type", "application/wasm")
        .header("prefer", "respond-async")
        .body(file);
    let response = request.send().await?;
    ensure!(response.status() == 202, "{}", response.status());
    let place = response.headers().get("location").context("a location")?;
    let place = place.to_str()?.to_owned();
    let view: Value = response.json().await?;
    let digest = view["digest"].as_str().context("a digest")?;
    ensure!(place == format!("/api/v1/components/{digest}"), "{place}");
    Ok((place, view))
}
