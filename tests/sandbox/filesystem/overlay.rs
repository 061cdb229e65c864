use super::*;

/// Changes that are kept back count when the call succeeds, whole, and not at all when it fails; the
/// audit tells which.
#[tokio::test]
async fn changes_count_when_the_call_succeeds() -> Result<()> {
    let entry = "{mount: workspace, rights: [read, write, create, delete, list], writes: overlay}";
    let prober = Prober::under("{}", &[entry]).await?;
    std::fs::write(prober.workspace.join("old"), "old")?;
    std::fs::write(prober.workspace.join("gone"), "gone")?;
    let new = json!({"op": "open", "path": "new", "flags": ["create", "write"], "name": "n"});
    let write = json!({"op": "write", "on": "n", "text": "text"});
    let gone = op("unlink", "gone");
    let endless =
        json!({"op": "open", "path": "old", "flags": ["read"], "name": "f-{}", "times": 100_000});

    let failing = json!([new, write, gone, endless]);
    prober.check_limit("P-036", &failing, "handles").await?;
    let names = || -> Result<Vec<String>> {
        let entries = std::fs::read_dir(&prober.workspace)?;
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            Ok(entry?.file_name().to_string_lossy().into_owned())
        };
        let mut names: Vec<String> = entries.map(name).collect::<Result<_>>()?;
        names.sort();
        Ok(names)
    };
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
