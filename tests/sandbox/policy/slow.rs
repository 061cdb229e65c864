use cofferdam_testing::{settled, tool};

use super::*;

/// Rules that have to be looked at, or passed over.
const RULES: usize = 5_000;
/// How long all decisions of a call may take together, with the call, on a busy machine.
const BOUND: Duration = Duration::from_secs(10);

/// PO-14: patterns that a careless matcher tries in every way there is, among thousands of rules;
/// what they don't cover is denied, and soon.
#[tokio::test]
async fn a_decision_that_was_made_hard_denies_in_time() -> Result<()> {
    let hard = format!("{}b", "*a".repeat(100));
    let mut policy = String::from("version: 1\nname: hard\nrules:\n");
    for rule in 0..RULES {
        policy.extend([format!(
            "  - {{name: 'r{rule}', tools: ['*a*a*a*a*a*a{rule}'], allow: {{}}}}\n"
        )]);
    }
    let patterns = vec![format!("'{hard}'"); 50].join(", ");
    policy.extend([format!(
        "  - name: files\n    tools: ['files-prober-*']\n    allow:\n      filesystem: \
         [{{mount: workspace, paths: [{patterns}], rights: [read, list]}}]\n"
    )]);
    let ruled = Ruled::with(&policy, tool("files-prober")?, "files-prober-probe").await?;
    let workspace = ruled.host.workspace("probe")?;
    let name = "a".repeat(250);
    fs::write(workspace.join(&name), "canary")?;
    let steps = json!([{
        "op": "peek", "path": name, "flags": ["read"], "times": 100, "how": "whatever",
    }]);
    let with = json!({"workspace": {"name": "probe", "access": "read_write"}});
    let began = Instant::now();
    let call = ruled
        .host
        .call("files-prober-probe", json!({"steps": steps}), with);
    let body = call.await?.ok()?;
    ensure!(body["result"] == json!(["not-permitted"]), "{body}");
    ensure!(began.elapsed() < BOUND, "{:?}", began.elapsed());
    settled(&ruled.host, &ruled.before).await
}
