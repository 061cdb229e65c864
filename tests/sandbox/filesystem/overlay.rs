use super::*;

const OVERLAY: &str =
    "{mount: workspace, rights: [read, write, create, delete, list], writes: overlay}";

/// A workspace with the files `old` and `gone`, under this entry.
async fn over(entry: &str) -> Result<Prober> {
    let prober = Prober::under("{}", &[entry]).await?;
    std::fs::write(prober.workspace.join("old"), "old")?;
    std::fs::write(prober.workspace.join("gone"), "gone")?;
    Ok(prober)
}

/// What is in the workspace.
fn names(prober: &Prober) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(&prober.workspace)?;
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        Ok(entry?.file_name().to_string_lossy().into_owned())
    };
    let mut names: Vec<String> = entries.map(name).collect::<Result<_>>()?;
    names.sort();
    Ok(names)
}

/// Removes `gone`, and writes this text to a new file.
fn writing(text: &str) -> Value {
    json!([
        {"op": "open", "path": "new", "flags": ["create", "write"], "name": "n"},
        {"op": "write", "on": "n", "text": text},
        op("unlink", "gone"),
    ])
}

/// Changes that are kept back count when the call succeeds, whole, and not at all when it fails; the
/// audit tells which.
#[tokio::test]
async fn changes_count_when_the_call_succeeds() -> Result<()> {
    let prober = over(OVERLAY).await?;
    let new = json!({"op": "open", "path": "new", "flags": ["create", "write"], "name": "n"});
    let write = json!({"op": "write", "on": "n", "text": "text"});
    let gone = op("unlink", "gone");
    let endless =
        json!({"op": "open", "path": "old", "flags": ["read"], "name": "f-{}", "times": 100_000});

    let failing = json!([new, write, gone, endless]);
    prober.check_limit("P-036", &failing, "handles").await?;
    let names = || names(&prober);
    ensure!(names()? == ["gone", "old"], "{:?}", names()?);

    let steps = [(new, "ok"), (write, "4"), (gone, "ok")];
    prober.check("P-036", &steps).await?;
    ensure!(names()? == ["new", "old"], "{:?}", names()?);
    ensure!(std::fs::read_to_string(prober.workspace.join("new"))? == "text");

    let audit = prober.host.get("/api/v1/audit?limit=2").await?.ok()?;
    let (applied, failed) = (&audit["items"][0], &audit["items"][1]);
    ensure!(failed["changes"].is_null(), "{failed}");
    let changes = &applied["changes"];
    ensure!(
        (&changes["created"], &changes["deleted"], &changes["bytes"])
            == (&json!(1), &json!(1), &json!(4)),
        "{applied}"
    );
    ensure!(
        changes["paths"] == json!(["/workspace/gone", "/workspace/new"]),
        "{changes}"
    );
    Ok(())
}

/// P-036: changes are told before they count, and then those count that were told, or none.
#[tokio::test]
async fn changes_are_told_before_they_count() -> Result<()> {
    let prober = over(OVERLAY).await?;
    let call = async |text: &str, more: Value| {
        let answer = prober.call_with("probe", &writing(text), &more).await?;
        prober.check_after("P-036", &answer.body).await?;
        anyhow::Ok(answer)
    };
    let untouched = || -> Result<()> {
        ensure!(names(&prober)? == ["gone", "old"], "{:?}", names(&prober)?);
        Ok(())
    };

    let preview = json!({"preview": true});
    let told = call("text", preview.clone()).await?.ok()?;
    ensure!(told["result"] == json!(["ok", "4", "ok"]), "{told}");
    let changes = &told["changes"];
    let mount = json!({
        "mount": "workspace", "created": 1, "modified": 0, "deleted": 1, "bytes": 4,
        "paths": [
            {"path": "gone", "change": "deleted", "bytes": 0},
            {"path": "new", "change": "created", "bytes": 4},
        ],
    });
    ensure!(changes["mounts"] == json!([mount]), "{changes}");
    untouched()?;
    let again = call("text", preview.clone()).await?.ok()?;
    ensure!(again["changes"] == *changes, "{again} after {told}");
    untouched()?;

    // Other contents of the same size are other changes.
    let wanted = json!({"if_changes": changes["digest"]});
    let other = call("TEXT", wanted.clone()).await?;
    ensure!(
        (other.status, other.code()) == (412, Some("precondition_failed")),
        "{}",
        other.body
    );
    untouched()?;
    let theirs = call("TEXT", preview).await?.ok()?;
    let details = &other.body["error"]["details"];
    ensure!(details["changes"] == theirs["changes"], "{details}");

    let done = call("text", wanted).await?.ok()?;
    ensure!(done["changes"] == *changes, "{done}");
    ensure!(names(&prober)? == ["new", "old"], "{:?}", names(&prober)?);
    ensure!(std::fs::read_to_string(prober.workspace.join("new"))? == "text");
    check_records(&prober, &changes["digest"]).await
}

/// Of all those calls the audit knows one that changed something, and three that only looked.
async fn check_records(prober: &Prober, digest: &Value) -> Result<()> {
    let audit = prober.host.get("/api/v1/audit?limit=5").await?.ok()?;
    let items = audit["items"].as_array().context("records")?;
    let previews: Vec<bool> = items.iter().map(|it| it["preview"] == true).collect();
    ensure!(previews == [false, true, false, true, true], "{audit}");
    ensure!(items[0]["changes"]["digest"] == *digest, "{audit}");
    ensure!(
        items[1..].iter().all(|it| it["changes"].is_null()),
        "{audit}"
    );
    Ok(())
}

/// P-036: what would be a change at once is refused before the tool runs.
#[tokio::test]
async fn what_can_t_be_taken_back_is_not_previewed() -> Result<()> {
    let direct = "{mount: workspace, rights: [read, write, create, delete, list]}";
    let prober = over(direct).await?;
    let digest = format!("sha256:{}", "0".repeat(64));
    for (more, pointer) in [
        (json!({"preview": true}), "/preview"),
        (json!({"if_changes": digest}), "/if_changes"),
    ] {
        let answer = prober.call_with("probe", &writing("text"), &more).await?;
        let error = &answer.body["error"];
        ensure!(
            error["code"] == "invalid_input" && error["details"]["faults"][0]["pointer"] == pointer,
            "{error}"
        );
        let message = error["message"].as_str().unwrap_or_default();
        ensure!(message.contains("`workspace` directly"), "{message}");
        ensure!(names(&prober)? == ["gone", "old"], "{:?}", names(&prober)?);
    }
    // Who only looks changes nothing anyhow.
    let looking = json!([op("list", "")]);
    let more = json!({"preview": true});
    let told = prober.call_with("look", &looking, &more).await?.ok()?;
    ensure!(told["changes"]["mounts"] == json!([]), "{told}");
    prober.check_after("P-036", &told).await
}
