//! A door with the real sandbox behind it, and clients of both transports.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use cofferdam_mcp::{Content, Door, Http, Stdio, stdio};
use cofferdam_policy::Policy;
use cofferdam_registry::Registry;
use cofferdam_runtime::{Compiler, Options, Runtime};
use cofferdam_store_api::{Stores, ToolRecord};
use cofferdam_testing::{Guest, binary};
use cofferdam_toolbox::{Fixed, Labels, Parts, Toolbox};
use cofferdam_types::audit::Act;
use cofferdam_types::caller::{Caller, Role};
use cofferdam_types::page::PageRequest;
use cofferdam_types::tool::ToolSpec;
use cofferdam_types::{Ambient, Code, Digest, Tenant, Timestamp};
use futures::StreamExt;
use futures::future::Either;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// What makes the host's program a compiler's child.
const COMPILE: &str = "__compile";

/// Never the same twice, which is all that ids need here.
struct Counting(AtomicU64);

impl Ambient for Counting {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_763_719_200_000 + self.0.fetch_add(1, Ordering::Relaxed))
    }

    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            chunk.copy_from_slice(&number[8 - chunk.len()..]);
        }
    }
}

pub(crate) struct World {
    pub(crate) door: Door,
    pub(crate) http: Http,
    pub(crate) stop: CancellationToken,
    toolbox: Toolbox,
    stores: Stores,
}

impl World {
    pub(crate) async fn new() -> Result<Self> {
        let stores = cofferdam_store_memory::open();
        let ambient: Arc<dyn Ambient> = Arc::new(Counting(AtomicU64::new(1)));
        let (audit, writer) = cofferdam_audit::Audit::new(stores.audit.clone()).await?;
        tokio::spawn(writer.run());
        let options = Options::new(Compiler {
            program: binary()?,
            argument: COMPILE.to_owned(),
        });
        let secret_ambient = ambient.clone();
        let policy = Policy::builtin("/nonexistent".as_ref());
        let parts = Parts {
            registry: Registry::new(stores.clone()),
            policies: Arc::new(Fixed(policy.clone())),
            runtime: Runtime::new(options)?,
            audit,
            ambient: ambient.clone(),
            key_values: None,
            secrets: Arc::new(cofferdam_secrets::Vault::forgetful(
                stores.secrets.clone(),
                cofferdam_secrets::Sources::none(),
                secret_ambient,
            )),
            component_bytes_max: Parts::COMPONENT_BYTES_MAX,
        };
        let toolbox = Toolbox::new(parts, policy);
        let door = Door::new(toolbox.clone(), ambient);
        let stop = CancellationToken::new();
        Ok(Self {
            http: Http::new(door.clone(), stop.clone()),
            door,
            stop,
            toolbox,
            stores,
        })
    }

    /// A world with these components.
    pub(crate) async fn with(guests: &[Guest]) -> Result<Self> {
        let world = Self::new().await?;
        for guest in guests {
            world.add(guest).await?;
        }
        Ok(world)
    }

    pub(crate) async fn add(&self, guest: &Guest) -> Result<()> {
        let component = guest.component()?;
        let labels = Labels::default();
        self.toolbox.publish(&admin(), labels, &component).await?;
        Ok(())
    }

    /// Tools that are only listed: their component can't be run.
    pub(crate) async fn list(&self, specs: Vec<ToolSpec>) -> Result<()> {
        for spec in specs {
            let record = ToolRecord {
                digest: Digest::of(spec.name.as_str().as_bytes()),
                component: "listed".parse()?,
                contract: cofferdam_types::tool::Contract::Declared,
                imports: Vec::new(),
                created_at: Timestamp::from_millis(0),
                created_by: "local".to_owned(),
                spec,
            };
            let tools = &self.stores.tools;
            ensure!(tools.register(&Tenant::default(), &[record]).await?);
        }
        Ok(())
    }

    /// Waits until the audit has as many calls that ended with this code.
    pub(crate) async fn audited(&self, code: Code, count: usize) -> Result<()> {
        let start = Instant::now();
        loop {
            let page = self.toolbox.audit(&admin(), &PageRequest::first()).await?;
            let ended = |act: &Act| matches!(act, Act::Call(call) if call.code == Some(code));
            let seen = page.items.iter().filter(|e| ended(&e.record().act)).count();
            if seen >= count {
                return Ok(());
            }
            ensure!(
                start.elapsed() < PATIENCE,
                "{seen} of {count} calls ended with {code}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A client on stdio.
    pub(crate) fn stdio(&self) -> Line {
        let (ours, theirs) = tokio::io::duplex(64 << 10);
        let (reader, writer) = tokio::io::split(theirs);
        let (shutdown, asked) = oneshot::channel::<()>();
        let client = Stdio {
            caller: admin(),
            workspace: None,
        };
        let asked = async move {
            // Also when the test ends: then the door does too.
            asked.await.ok();
        };
        let task = tokio::spawn(stdio(self.door.clone(), client, reader, writer, asked));
        let (reader, writer) = tokio::io::split(ours);
        Line {
            reader: BufReader::new(reader),
            writer,
            shutdown: Some(shutdown),
            task,
        }
    }

    /// Sends a request over HTTP as `caller`.
    pub(crate) async fn send(
        &self,
        caller: Caller,
        mut request: Request<Bytes>,
    ) -> Response<Content> {
        request.extensions_mut().insert(caller);
        let Ok(response) = self.http.clone().oneshot(request).await;
        response
    }

    /// Posts a message over HTTP with these headers.
    pub(crate) async fn post(&self, message: &Value, headers: &[(&str, &str)]) -> Result<Reply> {
        self.post_text(message.to_string(), headers).await
    }

    pub(crate) async fn post_text(
        &self,
        text: impl Into<Bytes>,
        headers: &[(&str, &str)],
    ) -> Result<Reply> {
        let request = posted(text, headers)?;
        Reply::whole(self.send(admin(), request).await).await
    }

    /// Posts a request of the newer era with the headers that belong to it.
    pub(crate) async fn modern(&self, message: &Value) -> Result<Reply> {
        let mut headers = vec![("mcp-protocol-version", "2026-07-28")];
        let method = message["method"].as_str().unwrap_or_default();
        headers.push(("mcp-method", method));
        if let Some(name) = message["params"]["name"].as_str() {
            headers.push(("mcp-name", name));
        }
        self.post(message, &headers).await
    }

    /// Opens a session of the older era and gives its id.
    pub(crate) async fn session(&self, caller: Caller) -> Result<String> {
        let text = initialize("2025-11-25").to_string();
        let response = self.send(caller, posted(text, &[])?).await;
        let id = response.headers().get("mcp-session-id");
        Ok(id.context("a session")?.to_str()?.to_owned())
    }
}

pub(crate) fn posted(text: impl Into<Bytes>, headers: &[(&str, &str)]) -> Result<Request<Bytes>> {
    let mut request = Request::builder()
        .method(Method::POST)
        .header("accept", "application/json, text/event-stream");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Ok(request.body(text.into())?)
}

pub(crate) fn admin() -> Caller {
    Caller::local()
}

pub(crate) fn other(role: Role) -> Caller {
    Caller {
        principal: "key:other".to_owned(),
        role,
        tenant: Tenant::default(),
    }
}

/// What came back over HTTP.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: String,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) async fn whole(response: Response<Content>) -> Result<Self> {
        let content_type = response.headers().get("content-type");
        let content_type = content_type.map(|value| value.to_str().map(str::to_owned));
        let (status, content_type) = (response.status(), content_type.transpose()?);
        let bytes = match response.into_body() {
            Either::Left(bytes) => bytes.to_vec(),
            Either::Right(pieces) => pieces.collect::<Vec<_>>().await.concat(),
        };
        Ok(Self {
            status,
            content_type: content_type.unwrap_or_default(),
            text: String::from_utf8(bytes)?,
        })
    }

    pub(crate) fn json(&self) -> Result<Value> {
        ensure!(self.content_type == "application/json", "{self:?}");
        serde_json::from_str(&self.text).with_context(|| format!("{self:?}"))
    }

    /// The messages of a stream.
    pub(crate) fn events(&self) -> Result<Vec<Value>> {
        ensure!(self.content_type == "text/event-stream", "{self:?}");
        events(&self.text)
    }

    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: i64) {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        let body = self.json().expect("JSON");
        assert_eq!(body["error"]["code"], code, "{self:?}");
    }
}

/// The messages in the text of a stream.
pub(crate) fn events(text: &str) -> Result<Vec<Value>> {
    let blocks = text.split_terminator("\n\n");
    let data = blocks.filter_map(|block| block.strip_prefix("event: message\ndata: "));
    data.map(|data| Ok(serde_json::from_str(data)?)).collect()
}

/// The client's end of stdio.
pub(crate) struct Line {
    reader: BufReader<ReadHalf<DuplexStream>>,
    writer: WriteHalf<DuplexStream>,
    shutdown: Option<oneshot::Sender<()>>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Line {
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.writer.write_all(bytes).await?)
    }

    pub(crate) async fn send(&mut self, message: &Value) -> Result<()> {
        self.write(format!("{message}\n").as_bytes()).await
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> Result<Value> {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line);
        let read = tokio::time::timeout(PATIENCE, read).await??;
        ensure!(read > 0, "the door closed its end");
        serde_json::from_str(&line).with_context(|| line)
    }

    pub(crate) async fn ask(&mut self, message: &Value) -> Result<Value> {
        self.send(message).await?;
        self.next().await
    }

    pub(crate) async fn initialize(&mut self) -> Result<()> {
        let answer = self.ask(&initialize("2025-11-25")).await?;
        ensure!(
            answer["result"]["protocolVersion"] == "2025-11-25",
            "{answer}"
        );
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        self.send(&initialized).await
    }

    /// Closes the client's end of stdin; what the door still says, and how it ended.
    pub(crate) async fn close(mut self) -> Result<Vec<Value>> {
        self.writer.shutdown().await?;
        self.rest().await
    }

    /// Asks the door to end.
    pub(crate) async fn shut_down(mut self) -> Result<Vec<Value>> {
        drop(self.shutdown.take());
        self.rest().await
    }

    async fn rest(mut self) -> Result<Vec<Value>> {
        let ended = tokio::time::timeout(PATIENCE, &mut self.task).await;
        ended???;
        // Its half of the stream is gone with it.
        drop(self.writer);
        let mut lines = self.reader.lines();
        let mut said = Vec::new();
        while let Some(line) = lines.next_line().await? {
            said.push(serde_json::from_str(&line)?);
        }
        Ok(said)
    }
}

pub(crate) fn initialize(version: &str) -> Value {
    request(
        0,
        "initialize",
        json!({
            "protocolVersion": version,
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        }),
    )
}

#[expect(clippy::needless_pass_by_value, reason = "tests write it in place")]
pub(crate) fn request(id: impl Into<Value>, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params})
}

/// A request of the newer era.
pub(crate) fn modern(id: impl Into<Value>, method: &str, mut params: Value) -> Value {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    request(id, method, params)
}

#[expect(clippy::needless_pass_by_value, reason = "tests write it in place")]
pub(crate) fn call(id: impl Into<Value>, tool: &str, arguments: Value) -> Value {
    request(
        id,
        "tools/call",
        json!({"name": tool, "arguments": arguments}),
    )
}

pub(crate) fn cancel(id: impl Into<Value>) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": {"requestId": id.into(), "reason": "enough"}})
}

/// Answers its arguments.
pub(crate) fn echo() -> Guest {
    const BODY: &str = "(i32.store offset=4 (global.get $answer) (local.get 2))
        (i32.store offset=8 (global.get $answer) (local.get 3))
        (global.get $answer)";
    Guest::new(BODY).named("echo", "1.0.0")
}

/// Never ends.
pub(crate) fn spin() -> Guest {
    Guest::new("(loop $l (br $l)) (global.get $answer)").named("spin", "1.0.0")
}

/// The same guest, whose results are of this schema.
pub(crate) fn returning(mut guest: Guest, schema: &Value) -> Guest {
    let any = "\"returns_schema\":{}";
    guest.manifest = guest
        .manifest
        .replace(any, &format!("\"returns_schema\":{schema}"));
    guest
}
