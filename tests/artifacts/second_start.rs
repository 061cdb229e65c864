use std::time::{Duration, Instant};

use cofferdam_testing::show;
use tempfile::TempDir;

use super::*;

/// Components of the full host.
const COMPONENTS: usize = 50;
/// Starts of each host, which take turns; the fastest counts, since other tests that run meanwhile can
/// only add to it.
const STARTS: usize = 15;
/// How much longer a full host may take to its first call than an empty one to its first answer.
const RATIO_MAX: f64 = 1.5;

#[tokio::test]
async fn the_first_call_comes_as_fast_as_an_empty_host() -> Result<()> {
    let root = TempDir::new()?;
    let (empty, full) = (root.path().join("empty"), root.path().join("full"));
    Host::at(&empty, &[])?.stop()?;
    let host = Host::at(&full, &[])?;
    for number in 0..COMPONENTS {
        let name = format!("guest-{number}");
        host.upload(guest(&name, "1.0.0")?).await?.ok()?;
    }
    host.stop()?;
    ensure!(compiled(&full)?.len() == COMPONENTS);
    let [mut bare, mut loaded] = [const { Vec::new() }; 2];
    for start in 0..STARTS {
        let begin = Instant::now();
        let host = Host::at(&empty, &[])?;
        host.get("/api/v1/tools").await?.ok()?;
        bare.push(begin.elapsed());
        host.stop()?;
        let begin = Instant::now();
        let host = Host::at(&full, &[])?;
        call(&host, &format!("guest-{}", start % COMPONENTS)).await?;
        loaded.push(begin.elapsed());
        host.stop()?;
    }
    let (bare, loaded) = (fastest(&bare)?, fastest(&loaded)?);
    let ratio = loaded.as_secs_f64() / bare.as_secs_f64();
    show(&format!(
        "second start with {COMPONENTS} components: first call after {loaded:.1?}, an empty host \
         answers after {bare:.1?}: {ratio:.2}"
    ));
    ensure!(ratio <= RATIO_MAX, "{ratio:.2} times an empty host");
    Ok(())
}

fn fastest(times: &[Duration]) -> Result<Duration> {
    times.iter().min().copied().context("no start")
}

#[tokio::test]
async fn a_call_needs_neither_the_compiler_nor_the_components_bytes() -> Result<()> {
    let root = TempDir::new()?;
    let data = root.path().join("data");
    let host = Host::at(&data, &[])?;
    host.upload(guest("guest", "1.0.0")?).await?.ok()?;
    host.stop()?;
    spoil_component(&data)?;
    let host = Host::at(&data, &[])?;
    call(&host, "guest").await?;
    host.stop()?;
    // Without the artifact the bytes are needed, and found to be spoilt.
    fs::remove_file(only_compiled(&data)?)?;
    let host = Host::at(&data, &[])?;
    let answer = host.call("guest-run", json!({}), json!({})).await?;
    ensure!(answer.code() == Some("internal"), "{}", answer.body);
    Ok(())
}

/// Changes a byte of the component in the store's file.
fn spoil_component(data: &Path) -> Result<()> {
    let path = data.join("cofferdam.db");
    let mut bytes = fs::read(&path)?;
    let magic = b"\0asm\x0d\0\x01\0";
    let begins = |window: &[u8]| window == magic;
    let at = bytes.windows(magic.len()).position(begins);
    let at = at.context("a component in the store")?;
    bytes[at + 200] ^= 1;
    fs::write(&path, bytes)?;
    Ok(())
}
