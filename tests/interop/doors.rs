//! The ways into the host.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cofferdam_testing::{Host, binary};
use serde_json::{Value, json};

use crate::ended::Ended;

/// The last revision of MCP that opens sessions, and the first whose requests stand for themselves.
const WITH_SESSION: &str = "2025-11-25";
const STATELESS: &str = "2026-07-28";

/// A way to call a tool.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Door {
    Http,
    McpSession,
    McpStateless,
    Cli,
}

impl Door {
    pub(crate) const ALL: [Self; 4] = [Self::Http, Self::McpSession, Self::McpStateless, Self::Cli];
}

/// All doors of one host.
pub(crate) struct Doors<'h> {
    host: &'h Host,
    /// The session of the older MCP.
    session: String,
    /// Each tool's entry in the lists of MCP and of the HTTP API.
    listed: BTreeMap<String, [Value; 2]>,
}

impl<'h> Doors<'h> {
    pub(crate) async fn open(host: &'h Host) -> Result<Self> {
        let params = json!({
            "protocolVersion": WITH_SESSION,
            "capabilities": {},
            "clientInfo": {"name": "interop", "version": "1.0.0"},
        });
        let request = host.request("POST", "/mcp")?;
        let message = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        let response = request
            .header("accept", "application/json, text/event-stream")
            .json(&message)
            .send()
            .await?;
        let session = response
            .headers()
            .get("mcp-session-id")
            .context("a session")?;
        let mut doors = Self {
            host,
            session: session.to_str()?.to_owned(),
            listed: BTreeMap::new(),
        };
        doors.list().await?;
        Ok(doors)
    }

    /// Reads the lists of tools.
    async fn list(&mut self) -> Result<()> {
        let ours = self.host.get("/api/v1/tools?limit=1000").await?.ok()?;
        let mut params = json!({});
        loop {
            let result = self.session("tools/list", params).await?;
            for tool in result["tools"].as_array().context("tools")? {
                let name = tool["name"].as_str().context("a name")?;
                let items = ours["items"].as_array().into_iter().flatten();
                let item = items.clone().find(|item| item["name"] == name);
                let item = item.with_context(|| format!("only MCP lists {name}"))?;
                self.listed
                    .insert(name.to_owned(), [tool.clone(), item.clone()]);
            }
            let Some(cursor) = result.get("nextCursor") else {
                return Ok(());
            };
            params = json!({"cursor": cursor});
        }
    }

    /// The names of all tools.
    pub(crate) fn tools(&self) -> BTreeSet<String> {
        self.listed.keys().cloned().collect()
    }

    /// The exports that the tools call.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &str> {
        let items = self.listed.values();
        items.filter_map(|[_, item]| item["function"].as_str())
    }

    pub(crate) async fn call(&self, door: Door, tool: &str, arguments: &Value) -> Result<Ended> {
        let params = json!({"name": tool, "arguments": arguments});
        match door {
            Door::Http => {
                let answer = self.host.call(tool, arguments.clone(), json!({})).await?;
                answer_of(&answer.body)
            }
            Door::McpSession => {
                let result = self.session("tools/call", params).await?;
                self.told(tool, &result)
            }
            Door::McpStateless => {
                let result = self.stateless("tools/call", params).await?;
                self.told(tool, &result)
            }
            Door::Cli => self.cli(tool, arguments),
        }
    }

    /// A request of the older MCP.
    async fn session(&self, method: &str, params: Value) -> Result<Value> {
        let headers = [
            ("mcp-session-id", self.session.as_str()),
            ("mcp-protocol-version", WITH_SESSION),
        ];
        self.post(method, &params, &headers).await
    }

    /// A request of the newer MCP, which says by itself what it speaks.
    async fn stateless(&self, method: &str, mut params: Value) -> Result<Value> {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": STATELESS,
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let name = params["name"].as_str().unwrap_or_default().to_owned();
        let headers = [
            ("mcp-protocol-version", STATELESS),
            ("mcp-method", method),
            ("mcp-name", &name),
        ];
        self.post(method, &params, &headers).await
    }

    async fn post(&self, method: &str, params: &Value, headers: &[(&str, &str)]) -> Result<Value> {
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut request = self
            .host
            .request("POST", "/mcp")?
            .header("accept", "application/json, text/event-stream");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut body = self.host.send(request.json(&message)).await?.ok()?;
        ensure!(body.get("result").is_some(), "{method} {params}: {body}");
        Ok(body["result"].take())
    }

    /// The result of a `tools/call`. A result that is no object stands in one, as the tool's
    /// output schema says; no record of this world has a field of that name.
    fn told(&self, tool: &str, result: &Value) -> Result<Ended> {
        if result["isError"] == true {
            let error = &result["_meta"]["cofferdam/error"];
            let text = result["content"][0]["text"].as_str().context("a text")?;
            let text: Value = serde_json::from_str(text)?;
            ensure!(text["error"] == *error, "{text} is not {error}");
            return Ended::of_error(error);
        }
        let structured = &result["structuredContent"];
        let [listed, _] = self.listed.get(tool).context("listed")?;
        let wrapped = listed["outputSchema"]["properties"].get("result").is_some();
        let value = if wrapped {
            structured.get("result")
        } else {
            Some(structured)
        };
        Ok(Ended::Ok(value.context("a result")?.clone()))
    }

    fn cli(&self, tool: &str, arguments: &Value) -> Result<Ended> {
        let output = Command::new(binary()?)
            .args(["tool", "call", tool, "--json", "--args"])
            .arg(arguments.to_string())
            .args(["--server", self.host.address()])
            .args(["--api-key", self.host.key()])
            .output()?;
        let body: Value = serde_json::from_slice(&output.stdout).with_context(|| {
            let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
            format!("{}: {complaint}", output.status)
        })?;
        let ended = answer_of(&body)?;
        let is_ok = matches!(ended, Ended::Ok(_));
        ensure!(output.status.success() == is_ok, "{}", output.status);
        Ok(ended)
    }
}

/// The answer of the HTTP API to a call.
fn answer_of(body: &Value) -> Result<Ended> {
    match (body.get("result"), body.get("error")) {
        (Some(result), None) => Ok(Ended::Ok(result.clone())),
        (None, Some(error)) => Ended::of_error(error),
        _ => Err(anyhow::anyhow!("no answer: {body}")),
    }
}
