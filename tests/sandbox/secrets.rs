//! Secrets: a tool that asks for them and tries to let them out.

mod machine;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use cofferdam_testing::{Answer, Host, Leftovers, tool};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::network::server::{Says, Server, ok};
use crate::settled;

const VALUE: &str = "hunter2/canary+0815";
/// What of the value would be seen in any form that people read.
const CANARIES: [&str; 5] = ["hunter2", "canary", "yranac", "68756e746572", "%68%75%6E"];

struct Wall {
    host: Host,
    before: Leftovers,
    files: TempDir,
}

impl Wall {
    /// `entries` is YAML below `allow`, on lines of their own.
    async fn new(entries: &str, environment: &[(&str, &str)]) -> Result<Self> {
        let files = TempDir::new()?;
        let policy = files.path().join("policy.yaml");
        let entries: String = entries
            .lines()
            .flat_map(|line| ["      ", line, "\n"])
            .collect();
        let text = format!(
            "version: 1\nname: wall\nrules:\n  - name: prober\n    tools: \
             [\"secret-prober-*\"]\n    allow:\n{entries}"
        );
        std::fs::write(&policy, text)?;
        std::fs::set_permissions(&policy, std::fs::Permissions::from_mode(0o600))?;
        let policy = policy.to_str().context("a plain path")?;
        let data = files.path().join("data");
        let host = Host::with_environment(&data, &["--policy", policy], environment)?;
        for canary in CANARIES {
            host.hide(canary);
        }
        host.upload(tool("secret-prober")?).await?.ok()?;
        let before = Leftovers::of(host.pid())?;
        Ok(Self {
            host,
            before,
            files,
        })
    }

    async fn set(&self, name: &str, value: &str) -> Result<Value> {
        let path = format!("/api/v1/secrets/{name}");
        let request = self.host.request("PUT", &path)?;
        let request = request.json(&json!({ "value": value }));
        self.host.send(request).await?.ok()
    }

    async fn remove(&self, name: &str) -> Result<Value> {
        let path = format!("/api/v1/secrets/{name}");
        self.host
            .send(self.host.request("DELETE", &path)?)
            .await?
            .ok()
    }

    async fn call(&self, function: &str, arguments: Value) -> Result<Answer> {
        let name = format!("secret-prober-{function}");
        self.host.call(&name, arguments, json!({})).await
    }

    async fn say(&self, name: &str, how: &str) -> Result<Answer> {
        self.call("say", json!({"name": name, "how": how})).await
    }

    /// Sends one request and says what came of it.
    async fn send(&self, probe: Value, names: &[&str]) -> Result<String> {
        let arguments = json!({"probes": [probe], "names": names});
        let body = self.call("send", arguments).await?.ok()?;
        let said = body["result"][0].as_str().context("what came of it")?;
        Ok(said.to_owned())
    }
}

/// Nothing of the value is in a text.
fn clean(what: &str, text: &str) -> Result<()> {
    for canary in CANARIES {
        ensure!(!text.contains(canary), "{what} shows `{canary}`: {text}");
    }
    Ok(())
}

/// SE-01, SE-02: an exposed value leaves in no usual form, whatever way out is tried.
#[tokio::test]
async fn a_value_is_taken_out_of_all_that_a_call_leaves() -> Result<()> {
    let wall = Wall::new("secrets:\n  - {name: token, expose: true}", &[]).await?;
    wall.set("token", VALUE).await?;
    for (how, status) in [
        ("result", 200),
        ("key", 200),
        ("backwards", 200),
        ("hex", 200),
        ("percent", 200),
        ("stdout", 200),
        ("stderr", 200),
        ("log", 200),
        ("progress", 200),
        ("error", 422),
        ("panic", 422),
    ] {
        let answer = wall.say("token", how).await?;
        ensure!(answer.status == status, "{how}: {answer:?}");
        let text = answer.body.to_string();
        clean(how, &text)?;
        ensure!(
            how == "progress" || text.contains("[redacted:token]"),
            "{how}: {text}"
        );
    }
    wall.set("token", "12345678901234").await?;
    let text = wall.say("token", "number").await?.body.to_string();
    ensure!(!text.contains("12345678901234"), "{text}");
    let audit = wall.host.get("/api/v1/audit?limit=100").await?.ok()?;
    clean("the audit", &audit.to_string())?;
    settled(&wall.host, &wall.before).await
}

/// SE-04, SE-09, SE-11: neither files nor answers of the host hold a value.
#[tokio::test]
async fn a_value_is_nowhere_in_files_and_answers() -> Result<()> {
    let wall = Wall::new("secrets:\n  - {name: token, expose: true}", &[]).await?;
    clean("the answer", &wall.set("token", VALUE).await?.to_string())?;
    wall.say("token", "error").await?;
    for path in ["secrets", "health", "audit", "nothing", "tools"] {
        let answer = wall.host.get(&format!("/api/v1/{path}")).await?;
        clean(path, &answer.body.to_string())?;
    }
    for (value, status) in [(json!("hunter2"), 400), (json!(["hunter2"]), 400)] {
        let request = wall.host.request("PUT", "/api/v1/secrets/token")?;
        let request = request.json(&json!({ "value": value }));
        let answer = wall.host.send(request).await?;
        ensure!(answer.status == status, "{answer:?}");
        clean("the refusal", &answer.body.to_string())?;
    }
    let data = wall.files.path().join("data");
    files(&data, &mut |path| {
        let bytes = std::fs::read(path)?;
        clean(
            &path.display().to_string(),
            &String::from_utf8_lossy(&bytes),
        )?;
        let mode = std::fs::metadata(path)?.permissions().mode() & 0o777;
        ensure!(mode.trailing_zeros() >= 6, "{}: {mode:o}", path.display());
        Ok(())
    })?;
    settled(&wall.host, &wall.before).await
}

/// SE-05, SE-10: what may not be used, has no name's form, or isn't there, gets one answer.
#[tokio::test]
async fn nobody_learns_which_secrets_there_are() -> Result<()> {
    let entries = "secrets:\n  - {name: token, expose: true}\n  - {name: gone, expose: true}";
    let wall = Wall::new(entries, &[]).await?;
    wall.set("token", VALUE).await?;
    wall.set("other", VALUE).await?;
    for name in [
        "other",
        "gone",
        "nobody",
        "TOKEN",
        "tok*",
        "token/../token",
        "",
        "token\n",
    ] {
        let answer = wall.say(name, "result").await?;
        ensure!(answer.status == 422, "{name}: {answer:?}");
        let error = answer.body["error"].to_string();
        ensure!(error.contains("secret_denied"), "{name}: {error}");
        clean(name, &answer.body.to_string())?;
    }
    settled(&wall.host, &wall.before).await
}

/// SE-06: a bound secret goes to its own server, and no redirect and no placeholder takes it on.
#[tokio::test]
async fn a_bound_secret_goes_to_its_server_alone() -> Result<()> {
    let other = Server::ok("other").await?;
    let port = other.port;
    let own = Server::start(Says::Redirect(format!("http://other.test:{port}/end"))).await?;
    let plain = Server::start(Says::Once(ok("own"))).await?;
    let network = |host: &str, at: u16, port: u16| {
        format!(
            "  - {{host: {host}, scheme: http, port: {port}, at: '127.0.0.1:{at}', methods: \
             [GET, POST], paths: ['/**'], redirects: 2, headers: [authorization, x-other]}}\n"
        )
    };
    let entries = format!(
        "secrets:\n  - {{name: token, inject: {{scheme: http, hosts: [own.test, plain.test], \
         header: authorization, format: 'Bearer {{}}'}}}}\n  - {{name: key, inject: {{scheme: \
         http, hosts: [plain.test], query: key}}}}\nnetwork:\n{}{}{}",
        network("own.test", own.port, 80),
        network("plain.test", plain.port, 80),
        network("other.test", other.port, other.port),
    );
    let wall = Wall::new(&entries, &[]).await?;
    wall.set("token", VALUE).await?;
    wall.set("key", VALUE).await?;
    let probe = |url: &str| json!({ "url": url });
    wall.send(probe("http://own.test/a"), &[]).await?;
    wall.send(probe("http://plain.test/a?b=1"), &[]).await?;
    let seen = own.heard().concat();
    ensure!(
        seen.contains(&format!("authorization: Bearer {VALUE}\r\n")),
        "{seen}"
    );
    let seen = plain.heard().concat();
    ensure!(seen.contains("b=1&key=hunter2%2Fcanary%2B0815 "), "{seen}");
    clean("the other server", &other.heard().concat())?;

    let to_other = format!("http://other.test:{port}");
    for probe in [
        json!({"url": format!("{to_other}/?key={{key}}")}),
        json!({"url": format!("{to_other}/{{key}}")}),
        json!({"url": to_other, "headers": [["authorization", "{token}"]]}),
        json!({"url": "http://plain.test/?other={key}"}),
        json!({"url": "http://plain.test/", "headers": [["x-other", "{token}"]]}),
    ] {
        let came = wall.send(probe.clone(), &["token", "key"]).await?;
        ensure!(came == "request_denied", "{probe}: {came}");
    }
    let in_body = json!({"url": to_other, "body": "{token} {key}"});
    wall.send(in_body, &["token", "key"]).await?;
    clean("the other server", &other.heard().concat())?;
    settled(&wall.host, &wall.before).await
}

/// SE-07: what was changed or removed is so for the next use.
#[tokio::test]
async fn a_change_is_seen_by_the_next_use() -> Result<()> {
    let server = Server::ok("own").await?;
    let entries = format!(
        "secrets:\n  - {{name: token, inject: {{scheme: http, hosts: [api.good.test], header: \
         x-key}}}}\n{}",
        server.entry(", methods: [POST]")
    );
    let wall = Wall::new(&entries, &[]).await?;
    let probe = || json!({"url": "http://api.good.test/"});
    for value in ["the first value", "the second value"] {
        wall.set("token", value).await?;
        let came = wall.send(probe(), &[]).await?;
        ensure!(came.starts_with("200"), "{came}");
        let last = server.heard().pop().context("a request")?;
        ensure!(last.contains(&format!("x-key: {value}\r\n")), "{last}");
    }
    wall.remove("token").await?;
    let before = server.heard().len();
    let came = wall.send(probe(), &[]).await?;
    ensure!(
        came == "request_denied" && server.heard().len() == before,
        "{came}"
    );
    settled(&wall.host, &wall.before).await
}

/// Of the host's environment a tool sees what is named, and never the host's own settings.
#[tokio::test]
async fn only_named_variables_exist() -> Result<()> {
    let entries = "environment:\n  - {name: LANG, value: C}\n  - {name: PASSED, from: host}";
    let environment = [
        ("PASSED", "on"),
        ("NOT_PASSED", VALUE),
        ("COFFERDAM_SECRET_GIVEN", VALUE),
    ];
    let wall = Wall::new(entries, &environment).await?;
    let body = wall.call("environment", json!({})).await?.ok()?;
    let seen = &body["result"];
    ensure!(*seen == json!({"LANG": "C", "PASSED": "on"}), "{seen}");
    settled(&wall.host, &wall.before).await
}

/// Every file below a directory.
fn files(directory: &Path, each: &mut impl FnMut(&Path) -> Result<()>) -> Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            files(&path, each)?;
        } else {
            each(&path)?;
        }
    }
    Ok(())
}
