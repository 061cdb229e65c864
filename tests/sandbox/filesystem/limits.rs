use cofferdam_testing::scale;

use super::*;

/// FS-19, FS-20, FS-21, FS-22: each ends at its limit.
#[tokio::test]
async fn what_is_made_ends() -> Result<()> {
    // In full as many as a call may make by default.
    let files = scale::of(10_000, 1_000);
    let rights = "rights: [read, write, create, delete, list]";
    let entry = format!("{{mount: workspace, {rights}, quota: {{files: {files}}}}}");
    let prober = Prober::under("{}", &[&entry]).await?;
    let file = json!({
        "op": "open", "path": "file", "flags": ["create", "write"], "name": "f",
    });
    let size = json!({"op": "set-size", "on": "f", "number": 1_u64 << 62});
    prober
        .check_limit("FS-20", &json!([file, size]), "disk")
        .await?;
    let hole = json!({"op": "write", "on": "f", "number": 1_u64 << 40, "text": "x"});
    prober
        .check_limit("FS-20", &json!([file, hole]), "disk")
        .await?;
    let length = std::fs::metadata(prober.workspace.join("file"))?.len();
    ensure!(length == 0, "FS-20: {length} bytes");
    let deep = json!([{"op": "mkdir", "path": "a", "times": 10_000, "enter": true}]);
    prober.check_limit("FS-19 deep", &deep, "depth").await?;
    let many = json!([
        {"op": "open", "path": "n-{}", "flags": ["create"], "name": "f", "times": 1_000_000},
    ]);
    prober.check_limit("FS-19 many", &many, "files").await?;
    let names = scale::of(1_000_000, 10_000);
    // With those there are: `file`, `a`, and what was made last.
    for name in files + 2..names {
        std::fs::write(prober.workspace.join(format!("m-{name}")), "")?;
    }
    let came = prober.came("FS-22", &json!([op("list", "")])).await?;
    ensure!(came == [names.to_string()], "FS-22: {came:?}");
    let open = json!([
        {"op": "open", "path": "file", "flags": ["read"], "name": "f-{}", "times": 100_000},
    ]);
    prober.check_limit("FS-21", &open, "handles").await
}
