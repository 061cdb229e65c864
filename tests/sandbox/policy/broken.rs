use std::process::Command;

use cofferdam_testing::settled;

use super::*;

/// Texts that are no policy, and what is said of each.
fn broken() -> Vec<(String, &'static str)> {
    let mut bomb = String::from("version: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let item = format!("*a{}, ", level - 1).repeat(10);
        bomb.extend([format!("a{level}: &a{level} [{item}]\n")]);
    }
    let owned = |(text, said): (&str, &'static str)| (text.to_owned(), said);
    let mut all: Vec<_> = [
        ("", "1:1: it is empty"),
        ("null", "1:1: "),
        ("\u{feff}version: 1\n", "byte order mark"),
        ("version: 1\nrules: [{tools: [", "2:"),
        ("version: 1\nrules: {}\n", "2:"),
        (
            "version: 1\nrules: [{tools: [a], limits: {memory: much}}]\n",
            "2:",
        ),
        ("version: 1\nrulez: []\n", "2:1: unknown field `rulez`"),
        ("version: 1\nname: a\nversion: 1\n", "3:1: "),
    ]
    .map(owned)
    .into();
    all.push((bomb, ""));
    all
}

/// PO-02: a host does not start with what is no policy, nor with none where one was named.
#[test]
fn a_host_does_not_start_with_a_broken_policy() -> Result<()> {
    let directory = TempDir::new()?;
    let file = directory.path().join("policy.yaml");
    let said = match started(directory.path(), &file) {
        Ok(_) => anyhow::bail!("it started without its policy"),
        Err(error) => format!("{error:#}"),
    };
    ensure!(said.contains("policy.yaml"), "{said}");
    for (text, expected) in broken() {
        check_refused(directory.path(), &text, expected)?;
    }
    replace(&file, OPEN)?;
    started(directory.path(), &file)?.stop()
}

/// The host doesn't start with this text, and says why.
fn check_refused(directory: &Path, text: &str, expected: &str) -> Result<()> {
    let file = directory.join("policy.yaml");
    replace(&file, text)?;
    match started(directory, &file) {
        Ok(_) => anyhow::bail!("it started with: {text}"),
        Err(error) => {
            let said = format!("{error:#}");
            ensure!(
                said.contains("policy.yaml") && said.contains(expected),
                "{text}\nexpected {expected}\nsaid {said}"
            );
            Ok(())
        }
    }
}

/// PO-01: what is no policy changes nothing, and is told in the log and in the audit.
#[tokio::test]
async fn a_broken_policy_leaves_the_last_good_one() -> Result<()> {
    let ruled = Ruled::start(OPEN).await?;
    let all = broken();
    for (at, (text, expected)) in all.iter().enumerate() {
        replace(&ruled.file, text)?;
        ruled.until_said(REFUSED, at + 1).await?;
        ruled.call().await?.ok()?;
        let records = ruled.records("policy_refused").await?;
        let last = records.last().context("a record")?;
        let reason = last["reason"].as_str().unwrap_or_default();
        ensure!(
            records.len() == at + 1 && reason.contains(expected) && last["generation"] == 1,
            "{text}\nexpected {expected}\nrecorded {last}"
        );
    }
    fs::remove_file(&ruled.file)?;
    ruled.until_said(REFUSED, all.len() + 1).await?;
    ruled.call().await?.ok()?;
    replace(&ruled.file, CLOSED)?;
    ruled.until_said(IN_FORCE, 1).await?;
    ensure!(ruled.call().await?.code() == Some("policy_denied"));
    settled(&ruled.host, &ruled.before).await
}

/// PO-09: a file that others can write, a link to one, a pipe, and one that is half written.
#[tokio::test]
async fn what_others_could_have_written_is_no_policy() -> Result<()> {
    let ruled = Ruled::start(OPEN).await?;
    let beside = ruled.file.with_file_name("beside.yaml");
    fs::write(&beside, CLOSED)?;
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o666))?;
    let place = |how: &str| -> Result<()> {
        let fresh = ruled.file.with_extension("new");
        match how {
            "open" => drop(fs::copy(&beside, &fresh)?),
            "link" => std::os::unix::fs::symlink(&beside, &fresh)?,
            "pipe" => ensure!(Command::new("mkfifo").arg(&fresh).status()?.success()),
            _ => fs::create_dir(&fresh)?,
        }
        if how == "directory" {
            fs::remove_file(&ruled.file)?;
        }
        Ok(fs::rename(&fresh, &ruled.file)?)
    };
    for (at, (how, expected)) in [
        ("open", "may be written by others"),
        ("link", "may be written by others"),
        ("pipe", "not a regular file"),
        ("directory", "not a regular file"),
    ]
    .into_iter()
    .enumerate()
    {
        place(how)?;
        ruled.until_said(REFUSED, at + 1).await?;
        ensure!(ruled.said(expected) > 0, "{how}: {}", ruled.host.log());
        ruled.call().await?.ok()?;
    }
    fs::remove_dir(&ruled.file)?;
    // Whatever is seen of a file that grows line by line, only all of it denies the call.
    for end in [20, 40, CLOSED.len()] {
        fs::write(&ruled.file, &CLOSED[..end])?;
        fs::set_permissions(&ruled.file, fs::Permissions::from_mode(0o600))?;
        ensure!(end == CLOSED.len() || ruled.call().await?.code().is_none());
    }
    ruled.until_said(IN_FORCE, 1).await?;
    ensure!(ruled.call().await?.code() == Some("policy_denied"));
    settled(&ruled.host, &ruled.before).await?;

    let directory = TempDir::new()?;
    let file = directory.path().join("policy.yaml");
    fs::copy(&beside, &file)?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666))?;
    let said = started(directory.path(), &file)
        .err()
        .context("it started")?;
    ensure!(
        format!("{said:#}").contains("may be written by others"),
        "{said:#}"
    );
    Ok(())
}

/// FS-13: mounts that could mean another directory than they say, or none.
#[test]
fn a_mount_is_one_plain_directory() -> Result<()> {
    let directory = TempDir::new()?;
    for path in [
        "",
        "srv",
        "./srv",
        "~/srv",
        "$HOME/srv",
        "/srv/../etc",
        "/srv/.",
    ] {
        let text = format!("version: 1\nmounts:\n  refs: {{path: '{path}'}}\n");
        check_refused(directory.path(), &text, "3:16: ")?;
    }
    let absent = directory.path().join("absent");
    let text = format!(
        "version: 1\nmounts:\n  refs: {{path: '{}'}}\n",
        absent.display()
    );
    check_refused(directory.path(), &text, "3:16: ")
}

/// FS-14: mounts through which the machine or the host itself is run.
#[test]
fn a_mount_shows_neither_the_machine_nor_the_host() -> Result<()> {
    let directory = TempDir::new()?;
    let data = directory.path().join("data");
    let data = data.to_str().context("a plain path")?;
    let above = directory.path().to_str().context("a plain path")?;
    let link = directory.path().join("link");
    std::os::unix::fs::symlink("/proc", &link)?;
    let link = link.to_str().context("a plain path")?;
    for path in [
        "/", "/proc", "/proc/1", "/sys", "/dev", "/run", data, above, link,
    ] {
        let text = format!("version: 1\nmounts:\n  refs: {{path: '{path}'}}\n");
        check_refused(directory.path(), &text, "3:16: ")?;
    }
    let text = "version: 1\nmounts:\n  refs: {path: /proc, dangerous: true}\n";
    let file = directory.path().join("policy.yaml");
    replace(&file, text)?;
    started(directory.path(), &file)?.stop()
}
