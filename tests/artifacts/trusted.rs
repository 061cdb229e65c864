use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use tempfile::TempDir;

use super::*;

/// How often a host is killed while it adds a component.
const KILLS: u64 = 8;
/// Data of the component that is added then.
const DATA_BYTES: usize = 8 << 20;

/// The parts of a file's head, and some places of what follows.
const PLACES: [usize; 6] = [0, 7, 8, 16, 47, 48];

#[tokio::test]
async fn a_changed_byte_anywhere_is_noticed() -> Result<()> {
    let root = TempDir::new()?;
    let data = root.path().join("data");
    let host = Host::at(&data, &[])?;
    host.upload(guest("guest", "1.0.0")?).await?.ok()?;
    host.stop()?;
    let path = only_compiled(&data)?;
    let whole = fs::read(&path)?;
    let (middle, last) = (whole.len() / 2, whole.len() - 1);
    for place in PLACES.into_iter().chain([middle, last]) {
        let mut changed = whole.clone();
        changed[place] ^= 0x10;
        damaged(&data, &changed, &whole)
            .await
            .with_context(|| format!("byte {place}"))?;
    }
    for length in [0, 1, 47, 48, middle, last] {
        let cut = &whole[..length];
        damaged(&data, cut, &whole)
            .await
            .with_context(|| format!("length {length}"))?;
    }
    Ok(())
}

/// Starts a host that finds this file in place of its artifact: it answers right, and the artifact is
/// whole again.
async fn damaged(data: &Path, file: &[u8], whole: &[u8]) -> Result<()> {
    let path = only_compiled(data)?;
    fs::write(&path, file)?;
    let host = Host::at(data, &[])?;
    call(&host, "guest").await?;
    host.stop()?;
    let after = fs::read(only_compiled(data)?)?;
    ensure!(after == whole, "the file was not written again");
    Ok(())
}

#[tokio::test]
async fn an_artifact_of_another_installation_is_not_taken() -> Result<()> {
    let root = TempDir::new()?;
    let (own, other) = (root.path().join("own"), root.path().join("other"));
    for data in [&own, &other] {
        let host = Host::at(data, &[])?;
        host.upload(guest("guest", "1.0.0")?).await?.ok()?;
        host.stop()?;
        let key = fs::metadata(data.join("compiled.key"))?;
        ensure!(key.permissions().mode() & 0o777 == 0o600 && key.len() == 32);
        let folder = fs::metadata(data.join("compiled"))?;
        ensure!(folder.permissions().mode() & 0o777 == 0o700);
        let file = fs::metadata(only_compiled(data)?)?;
        ensure!(file.permissions().mode() & 0o777 == 0o600);
    }
    let (place, foreign) = (only_compiled(&own)?, only_compiled(&other)?);
    ensure!(place.file_name() != foreign.file_name(), "the same name");
    let (whole, foreign) = (fs::read(&place)?, fs::read(foreign)?);
    ensure!(foreign[48..] == whole[48..], "other machine code");
    damaged(&own, &foreign, &whole).await?;
    // With the key exchanged, its own artifacts are another's as well.
    fs::copy(other.join("compiled.key"), own.join("compiled.key"))?;
    let host = Host::at(&own, &[])?;
    call(&host, "guest").await?;
    host.stop()?;
    ensure!(compiled(&own)?.len() == 2);
    Ok(())
}

#[tokio::test]
async fn a_key_that_others_can_read_is_made_anew() -> Result<()> {
    let root = TempDir::new()?;
    let data = root.path().join("data");
    Host::at(&data, &[])?.stop()?;
    let path = data.join("compiled.key");
    let mut last = fs::read(&path)?;
    Host::at(&data, &[])?.stop()?;
    ensure!(fs::read(&path)? == last, "made once");
    let elsewhere = root.path().join("elsewhere");
    let spoilt: [(&str, &dyn Fn() -> std::io::Result<()>); 3] = [
        ("open", &|| {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644))
        }),
        ("short", &|| fs::write(&path, [1; 31])),
        ("link", &|| {
            fs::rename(&path, &elsewhere).and_then(|()| symlink(&elsewhere, &path))
        }),
    ];
    for (what, spoil) in spoilt {
        spoil()?;
        Host::at(&data, &[])?.stop()?;
        let about = fs::symlink_metadata(&path)?;
        ensure!(about.is_file() && about.permissions().mode() & 0o777 == 0o600);
        let key = fs::read(&path)?;
        ensure!(key.len() == 32 && key != last, "{what}");
        last = key;
    }
    Ok(())
}

#[tokio::test]
async fn a_directory_of_somebody_elses_is_not_used() -> Result<()> {
    let root = TempDir::new()?;
    let elsewhere = root.path().join("elsewhere");
    fs::create_dir(&elsewhere)?;
    for (name, is_link) in [("linked", true), ("open", false)] {
        let data = root.path().join(name);
        let place = data.join("compiled");
        fs::create_dir(&data)?;
        if is_link {
            symlink(&elsewhere, &place)?;
        } else {
            fs::create_dir(&place)?;
            fs::set_permissions(&place, fs::Permissions::from_mode(0o777))?;
        }
        let host = Host::at(&data, &[])?;
        host.upload(guest("guest", "1.0.0")?).await?.ok()?;
        call(&host, "guest").await?;
        host.stop()?;
        ensure!(compiled(&data)?.is_empty(), "{name} was used");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_killed_while_it_adds_leaves_nothing_half_done() -> Result<()> {
    let root = TempDir::new()?;
    let data = root.path().join("data");
    let mut halves = 0;
    for kill in 0..KILLS {
        let file = large(&format!("1.{kill}.0"))?;
        let host = Host::at(&data, &[])?;
        tokio::select! {
            answer = host.upload(file.clone()) => drop(answer?.ok()?),
            // Mostly while the artifact is written, which takes some milliseconds.
            half = half_written(data.clone()), if kill % 4 > 0 => half?,
            () = tokio::time::sleep(Duration::from_millis(kill * 40)), if kill % 4 == 0 => {}
        }
        host.kill()?;
        let is_half = |path: &&PathBuf| path.extension().is_none_or(|end| end != "cwasm");
        halves += compiled(&data)?.iter().filter(is_half).count();
        let host = Host::at(&data, &[])?;
        let left = compiled(&data)?;
        ensure!(left.iter().filter(is_half).count() == 0, "{left:?}");
        host.upload(file).await?.ok()?;
        call(&host, "guest").await?;
        host.kill()?;
    }
    cofferdam_testing::show(&format!("{KILLS} kills, {halves} artifacts half written"));
    Ok(())
}

/// A component whose artifact takes a while to write.
fn large(version: &str) -> Result<Vec<u8>> {
    let mut guest = Guest::well_behaved().named("guest", version);
    guest.pages = 2 + u32::try_from(DATA_BYTES >> 16)?;
    let text = "x".repeat(DATA_BYTES);
    guest
        .with(&format!("(data (i32.const 131072) \"{text}\")"))
        .component()
}

/// Waits until an artifact is being written, or was.
async fn half_written(data: PathBuf) -> Result<()> {
    let before = compiled(&data)?.len();
    let watching = tokio::task::spawn_blocking(move || {
        while compiled(&data).is_ok_and(|files| files.len() <= before) {
            std::hint::spin_loop();
        }
    });
    Ok(watching.await?)
}
