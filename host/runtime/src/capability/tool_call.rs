//! Calls of other tools. The runtime asks the grant and measures out what the called tool may use of
//! the caller's fuel, time and memory; who finds and runs it is plugged in, and is the one door that
//! every call goes through.

use std::sync::Arc;
use std::time::Instant;

use cofferdam_policy::Grant;
use cofferdam_policy::capability::tool_call::{CallCaps, ToolCall, ToolUse};
use cofferdam_types::call::Usage;
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::{Identity, ToolRef};
use cofferdam_types::{Code, Failure};
use futures::future::BoxFuture;
use wasmtime::component::Linker;
use wasmtime::{AsContextMut, StoreContextMut, Trap};

use crate::bindings::cofferdam::tool::tool_call as wit;
use crate::fuel;
use crate::state::State;

/// Finds and runs the tools that tools call.
pub trait Tools: Send + Sync {
    /// The tool that a name means to the caller.
    ///
    /// **Errors**: `not_found`, or why nobody can tell.
    fn find<'a>(&'a self, tool: &'a ToolRef) -> BoxFuture<'a, Result<Identity, Failure>>;

    /// Runs it. It goes on elsewhere; dropping the future stops it.
    fn call(&self, nested: Nested) -> BoxFuture<'static, Finished>;
}

/// A call that a tool makes.
pub struct Nested {
    /// What is to run.
    pub tool: Identity,
    /// A JSON object as text.
    pub arguments: String,
    /// What the caller has left of each limit.
    pub limits: LimitRequest,
    /// How deep it is, and may go.
    pub depth: Depth,
    /// The caller's grant.
    pub caller: Arc<Grant>,
}

/// Where a call stands in the tree of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Calls above it.
    pub level: u8,
    /// Calls that may be below it.
    pub left: u8,
}

impl Depth {
    /// Of a call that no tool made.
    pub const ROOT: Self = Self {
        level: 0,
        left: CallCaps::DEPTH_MAX,
    };

    /// Of a call that this one makes, under an allow of `caps`. `None` when it would be too deep.
    fn below(self, caps: &CallCaps) -> Option<Self> {
        Some(Self {
            level: self.level + 1,
            left: self.left.min(caps.depth).checked_sub(1)?,
        })
    }
}

/// How a nested call ended.
pub struct Finished {
    /// Its result as JSON text, or why there is none.
    pub result: Result<String, Failure>,
    /// What it used.
    pub usage: Usage,
}

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut interface = linker.instance("cofferdam:tool/tool-call@0.1.0")?;
    interface.func_wrap_async("call", |store, (tool, arguments): (String, String)| {
        Box::new(async move {
            let answer = call(store, &tool, arguments).await?;
            Ok((answer.map_err(outward),))
        })
    })
}

fn outward(failure: Failure) -> wit::Error {
    // A guest is told what it did wrong and not what policy says.
    let details = if failure.code == Code::PolicyDenied {
        String::from("{}")
    } else {
        serde_json::Value::Object(failure.details).to_string()
    };
    let message = match failure.code {
        Code::PolicyDenied => "policy does not allow this call".to_owned(),
        _ => failure.message,
    };
    wit::Error {
        code: failure.code.as_str().to_owned(),
        message,
        details,
    }
}

/// **Errors**: a trap alone, when the fuel is used up; what else goes wrong is an answer.
async fn call(
    mut store: StoreContextMut<'_, State>,
    tool: &str,
    arguments: String,
) -> wasmtime::Result<Result<String, Failure>> {
    let cost = fuel::TOOL_CALL + fuel::bytes(arguments.len());
    store.data().meter.charge(cost);
    let left = pay(&mut store)?;
    let (tools, nested) = match prepare(store.data_mut(), tool, arguments, left).await {
        Ok(prepared) => prepared,
        Err(failure) => return Ok(Err(failure)),
    };
    let Finished { result, usage } = tools.call(nested).await;
    let state = store.data_mut();
    state.meter.charge(usage.fuel);
    let peak = state.limiter.held().saturating_add(usage.memory_peak_bytes);
    state.meter.saw_tree_memory(peak);
    if let Ok(text) = &result {
        state.meter.charge(fuel::bytes(text.len()));
    }
    pay(&mut store)?;
    Ok(result)
}

/// Pays what host functions cost and says what is left.
fn pay(store: &mut StoreContextMut<'_, State>) -> wasmtime::Result<u64> {
    let mut store = store.as_context_mut();
    let left = store.get_fuel()?;
    let left = store.data().meter.settle(left);
    store.set_fuel(left.unwrap_or(0))?;
    left.ok_or_else(|| wasmtime::Error::new(Trap::OutOfFuel))
}

async fn prepare(
    state: &mut State,
    tool: &str,
    arguments: String,
    fuel_left: u64,
) -> Result<(Arc<dyn Tools>, Nested), Failure> {
    let tool: ToolRef = tool
        .parse()
        .map_err(|error| Failure::invalid_at("/tool", format!("{error}")))?;
    let denied = |_| Failure::new(Code::PolicyDenied, "policy does not allow this call");
    let Some(tools) = state.tools.clone() else {
        let ask = ToolUse {
            tool: tool.name,
            version: None,
        };
        return Err(match state.warrant.ask::<ToolCall>(&ask) {
            Err(denial) => denied(denial),
            Ok(_) => Failure::new(Code::Unavailable, "no tool can be called from here"),
        });
    };
    let found = tools.find(&tool).await;
    let ask = ToolUse {
        tool: tool.name.clone(),
        version: found.as_ref().ok().map(|found| found.version.clone()),
    };
    // Before it is told whether there is such a tool: only who may call it learns that.
    let caps = state.warrant.ask::<ToolCall>(&ask).map_err(denied)?;
    let found = found?;
    let depth = state.depth.below(&caps).ok_or_else(|| {
        let message = "calls of tools by tools are nested too deeply";
        Failure::limit("tool_call_depth", u64::from(state.depth.level), message)
    })?;
    if state.tool_calls >= caps.calls {
        let message = "this call has called as many tools as it may";
        return Err(Failure::limit("tool_calls", u64::from(caps.calls), message));
    }
    state.tool_calls += 1;
    let time_left = state.ends.saturating_duration_since(Instant::now());
    let memory_max = state.warrant.grant().limits().memory_bytes;
    let limits = LimitRequest {
        fuel: Some(caps.fuel.of(fuel_left)),
        deadline_ms: Some(u64::try_from(time_left.as_millis()).unwrap_or(u64::MAX)),
        memory_bytes: Some(memory_max.saturating_sub(state.limiter.held())),
        ..LimitRequest::default()
    };
    let nested = Nested {
        tool: found,
        arguments,
        limits,
        depth,
        caller: state.warrant.shared(),
    };
    Ok((tools, nested))
}
