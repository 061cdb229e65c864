use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use cofferdam_access::Access;
use cofferdam_engine::{Engine, Options, Tools};
use cofferdam_policy::Policy;
use cofferdam_registry::Registry;
use cofferdam_runtime::{Compiler, Runtime};
use cofferdam_store_api::{Stores, ToolRecord};
use cofferdam_toolbox::{Fixed, Parts, PolicySource, Toolbox};
use cofferdam_types::call::{CallLog, Observer, Outcome, ToolCall, Usage};
use cofferdam_types::caller::Role;
use cofferdam_types::tool::{Identity, SafetyFlags, ToolRef, ToolSpec};
use cofferdam_types::{Ambient, Code, Digest, Failure, Tenant, Timestamp};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{Check, Services, router};

pub(super) const ROLES: [Role; 4] = [Role::Viewer, Role::User, Role::Author, Role::Admin];

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

/// Tools of the engine: `echo` answers its arguments, `fail` fails, any other never ends.
struct Double;

#[async_trait]
impl Tools for Double {
    async fn call(&self, call: ToolCall, _: Arc<dyn Observer>) -> Outcome {
        let result = match call.tool.name.as_str() {
            "echo" => Ok(call.arguments),
            "fail" => Err(Failure::new(Code::ToolError, "it failed")),
            _ => std::future::pending().await,
        };
        Outcome {
            call_id: call.id,
            tool: Some(Identity {
                name: call.tool.name,
                version: "1.0.0".parse().expect("a version"),
                digest: Digest::of(b""),
            }),
            result,
            usage: Usage::default(),
            log: CallLog::default(),
            uses: Vec::new(),
            denials: Vec::new(),
            changes: None,
        }
    }

    async fn safety(&self, _: &Tenant, _: &ToolRef) -> Option<SafetyFlags> {
        None
    }
}

/// A router and keys to it.
pub(super) struct World {
    pub(super) router: Router,
    pub(super) engine: Engine,
    pub(super) access: Arc<Access>,
    keys: BTreeMap<Role, String>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Reply {
    pub(super) async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 64 << 20).await.expect("a whole body");
        Self {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).expect("UTF-8"),
        }
    }

    pub(super) fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json", "{self:?}");
        serde_json::from_str(&self.text).expect("JSON")
    }

    /// The reply is the error body of `code` with `status`.
    #[track_caller]
    pub(super) fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        let body = self.json();
        assert_eq!(body["error"]["code"], code, "{self:?}");
        assert_eq!(body["detail"], body["error"]["message"]);
        body["error"]["details"].clone()
    }

    /// The reply is `invalid_input` at `pointer`.
    #[track_caller]
    pub(super) fn invalid(&self, status: u16, pointer: &str) {
        let details = self.refused(status, "invalid_input");
        assert_eq!(details["faults"][0]["pointer"], pointer, "{self:?}");
    }
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(Vec::new(), Vec::new()).await
    }

    /// A host that has these tools and health checks.
    pub(super) async fn with(tools: Vec<ToolSpec>, checks: Vec<Check>) -> Self {
        let policy = Policy::builtin("/nonexistent".as_ref());
        Self::under(Arc::new(Fixed(policy)), tools, checks).await
    }

    /// The same under the policy of this source.
    pub(super) async fn under(
        policies: Arc<dyn PolicySource>,
        tools: Vec<ToolSpec>,
        checks: Vec<Check>,
    ) -> Self {
        let stores = cofferdam_store_memory::open();
        let ambient: Arc<dyn Ambient> = Arc::new(Counting(AtomicU64::new(1)));
        register(&stores, tools).await;
        let access = Arc::new(Access::new(stores.keys.clone(), ambient.clone()));
        let mut keys = BTreeMap::new();
        for role in ROLES {
            let key = access.create_key("test", role, &Tenant::default()).await;
            keys.insert(role, key.expect("kept").reveal());
        }
        let engine = Engine::start(
            Options::default(),
            stores.clone(),
            Arc::new(Double),
            ambient.clone(),
        );
        let engine = engine.await.expect("a store that works");
        let services = Services {
            access: access.clone(),
            toolbox: toolbox(&stores, policies, ambient.clone()).await,
            engine: engine.clone(),
            ambient,
            checks,
        };
        Self {
            router: router(services),
            engine,
            access,
            keys,
        }
    }

    /// The same host for an admin of another tenant.
    pub(super) async fn elsewhere(mut self) -> Self {
        let tenant = "other".parse().expect("a name");
        let key = self.access.create_key("other", Role::Admin, &tenant).await;
        self.keys.insert(Role::Admin, key.expect("kept").reveal());
        self
    }

    pub(super) fn key(&self, role: Role) -> &str {
        &self.keys[&role]
    }

    /// A request with an admin's key, to be changed further.
    pub(super) fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let key = self.key(Role::Admin);
        Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {key}"))
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await;
        Reply::read(response.expect("a router never fails")).await
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        let request = self.request(Method::GET, path).body(Body::empty());
        self.send(request.expect("a request")).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_text(path, body.to_string()).await
    }

    pub(super) async fn post_text(&self, path: &str, body: impl Into<Body>) -> Reply {
        let request = self
            .request(Method::POST, path)
            .header("content-type", "application/json")
            .body(body.into());
        self.send(request.expect("a request")).await
    }

    /// A POST without a body.
    pub(super) async fn act(&self, path: &str) -> Reply {
        let request = self.request(Method::POST, path).body(Body::empty());
        self.send(request.expect("a request")).await
    }

    /// The id of a new task that calls these tools one after the other.
    pub(super) async fn task(&self, tools: &[&str]) -> String {
        let step = |(index, tool): (usize, &&str)| json!({"name": format!("step-{index}"), "tool": tool, "arguments": {"n": index}});
        let steps: Vec<_> = tools.iter().enumerate().map(step).collect();
        let body = json!({"title": "test", "plan": {"steps": steps}});
        let reply = self.post("/api/v1/tasks", &body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        reply.json()["id"].as_str().expect("an id").to_owned()
    }
}

/// A tool as a component would describe it.
pub(super) fn spec(name: &str, version: &str, capabilities: &Value) -> ToolSpec {
    serde_json::from_value(json!({
        "name": name,
        "function": "run",
        "version": version,
        "description": "A tool for tests.",
        "args_schema": {
            "type": "object",
            "properties": {"n": {"type": "integer"}},
            "additionalProperties": false,
        },
        "returns_schema": {},
        "capabilities": capabilities,
    }))
    .expect("a spec")
}

async fn register(stores: &Stores, tools: Vec<ToolSpec>) {
    for spec in tools {
        let record = ToolRecord {
            digest: Digest::of(spec.version.to_string().as_bytes()),
            component: "test".parse().expect("a name"),
            contract: cofferdam_types::tool::Contract::Declared,
            imports: Vec::new(),
            created_at: Timestamp::from_millis(0),
            created_by: "key:test".to_owned(),
            spec,
        };
        let registered = stores.tools.register(&Tenant::default(), &[record]).await;
        assert_eq!(registered, Ok(true));
    }
}

/// A toolbox that knows its tools, but can compile none.
async fn toolbox(
    stores: &Stores,
    policies: Arc<dyn PolicySource>,
    ambient: Arc<dyn Ambient>,
) -> Toolbox {
    let (audit, writer) = cofferdam_audit::Audit::new(stores.audit.clone())
        .await
        .expect("an empty chain");
    tokio::spawn(writer.run());
    let mut options = cofferdam_runtime::Options::new(Compiler {
        program: "/nonexistent".into(),
        argument: String::new(),
    });
    options.live_calls = 2;
    let secret_ambient = ambient.clone();
    let policy = policies.load().expect("a policy to begin with");
    let parts = Parts {
        registry: Registry::new(stores.clone()),
        policies,
        runtime: Runtime::new(options).expect("a small sandbox"),
        audit,
        ambient,
        key_values: None,
        secrets: Arc::new(cofferdam_secrets::Vault::forgetful(
            stores.secrets.clone(),
            cofferdam_secrets::Sources::none(),
            secret_ambient,
        )),
        component_bytes_max: Parts::COMPONENT_BYTES_MAX,
    };
    Toolbox::new(parts, policy)
}
