//! One call inside the sandbox: a fresh store and instance, then the guest, then its answer.

use std::sync::Arc;

use cofferdam_policy::Grant;
use wasmtime::component::ResourceTableError;
use wasmtime::{Store, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::bindings::SdkPre;
use crate::bindings::exports::cofferdam::tool::tools::ToolError;
use crate::capability::Refused;
use crate::capability::filesystem::QuotaReached;
use crate::capability::process::Overrun;
use crate::capability::random::{RANDOM_BYTES_MAX, TooMany};
use crate::component::{Program, Ready};
use crate::error::{Error, Limit};
use crate::meter::Meter;
use crate::schedule::Place;
use crate::state::State;

/// What to ask a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question {
    /// Its manifest.
    Describe,
    /// A run of a tool.
    Call {
        /// The tool's function.
        function: String,
        /// A JSON object.
        arguments: String,
    },
}

/// What a byte of JSON can become as values: a digit and a comma are a number of forty bytes.
const VALUES_FACTOR: u64 = 20;

impl Question {
    /// What the host holds of the arguments while the guest runs, in bytes, at most.
    pub(crate) fn host_bytes(&self, program: &Program) -> u64 {
        match (self, program) {
            (Self::Describe, _) => 0,
            (Self::Call { arguments, .. }, Program::Sdk(_)) => arguments.len() as u64,
            (Self::Call { arguments, .. }, Program::Plain(_)) => {
                (arguments.len() as u64).saturating_mul(VALUES_FACTOR)
            }
        }
    }
}

/// Instantiates the component and asks it. The store is dropped before the answer is returned, and
/// before its place, also when this future is dropped.
pub(crate) async fn ask(
    place: Place,
    ready: Arc<Ready>,
    mut store: Store<State>,
    question: Question,
    grant: Arc<Grant>,
    meter: Arc<Meter>,
) -> Result<String, Error> {
    let max = grant.limits().result_bytes;
    let answer = match (&ready.program, &question) {
        (Program::Sdk(tools), question) => sdk(tools, &mut store, question).await,
        (
            Program::Plain(plain),
            Question::Call {
                function,
                arguments,
            },
        ) => plain.call(&mut store, function, arguments, max).await,
        (Program::Plain(_), Question::Describe) => Ok(Err(Error::Internal(
            "a plain component does not describe itself".to_owned(),
        ))),
    };
    let paid = store
        .get_fuel()
        .ok()
        .is_none_or(|left| meter.settle(left).is_some());
    drop(store);
    drop(place);
    match answer {
        // What host functions cost in the last slice was more than was left.
        Ok(_) if !paid => Err(Error::Fuel(grant.limits().fuel)),
        Ok(Ok(text)) if text.len() as u64 > max => Err(Error::Output(max)),
        Ok(Err(error)) if error.text_bytes() > max => Err(Error::Output(max)),
        Ok(answer) => answer,
        Err(error) => Err(cause(&error, &grant, &meter)),
    }
}

async fn sdk(
    tools: &SdkPre<State>,
    mut store: &mut Store<State>,
    question: &Question,
) -> wasmtime::Result<Result<String, Error>> {
    let instance = tools.instantiate_async(&mut store).await?;
    let tools = instance.cofferdam_tool_tools();
    match question {
        Question::Describe => tools.call_describe(&mut store).await.map(Ok),
        Question::Call {
            function,
            arguments,
        } => {
            let answer = tools.call_call(&mut store, function, arguments).await?;
            Ok(answer.map_err(tool_error))
        }
    }
}

fn tool_error(error: ToolError) -> Error {
    let ToolError {
        code,
        message,
        retryable,
        details,
    } = error;
    let details = details.unwrap_or_default();
    let details = match details.as_str() {
        "" => serde_json::Value::Null,
        text => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
    };
    Error::Tool {
        code,
        message,
        retryable,
        details,
    }
}

/// What a failure of the engine means. A refused growth comes first: a guest that gives up over
/// it ends in whatever trap its allocator likes.
fn cause(error: &wasmtime::Error, grant: &Grant, meter: &Meter) -> Error {
    let limits = grant.limits();
    if error.is::<wasmtime::PoolConcurrencyLimitError>() {
        return Error::Busy("the places for tools are taken; try again");
    }
    let trap = error.downcast_ref::<Trap>();
    if let Some(refused) = error.downcast_ref::<Refused>() {
        return Error::Denied(Box::new(refused.0.clone()));
    }
    if trap == Some(&Trap::OutOfFuel) {
        return Error::Fuel(limits.fuel);
    }
    if let Some(QuotaReached { limit, value }) = error.downcast_ref::<QuotaReached>() {
        return Error::Limit {
            limit: (*limit).into(),
            value: *value,
        };
    }
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return Error::Exit(exit.0);
    }
    if meter.memory_refused() {
        return Error::Memory(limits.memory_bytes);
    }
    if meter.host_memory_refused() {
        return Error::Busy("the memory set aside for tools is used up; try again");
    }
    if error.downcast_ref::<TooMany>().is_some() {
        return Error::Limit {
            limit: Limit::RandomBytes,
            value: RANDOM_BYTES_MAX,
        };
    }
    if let Some(Overrun { limit, value }) = error.downcast_ref::<Overrun>() {
        return Error::Limit {
            limit: Limit::Program(*limit),
            value: *value,
        };
    }
    // The innermost error alone: what stands around it may repeat names that a guest chose.
    let text = error.root_cause().to_string();
    let in_guest = error.downcast_ref::<WasmBacktrace>().is_some();
    if is_handles(error, &text) {
        return Error::Limit {
            limit: Limit::Handles,
            value: limits.handles,
        };
    }
    if is_host_alloc(&text) {
        // Outside the guest's code only its answer is read.
        return if in_guest {
            Error::Limit {
                limit: Limit::HostAlloc,
                value: limits.host_alloc_bytes,
            }
        } else {
            Error::Output(limits.result_bytes)
        };
    }
    match trap {
        Some(trap) => Error::Trap {
            reason: trap.to_string(),
        },
        None if in_guest => Error::Trap {
            reason: error.root_cause().to_string(),
        },
        None if meter.memory_peak() == 0 => Error::Internal(format!("instantiating: {text}")),
        None => Error::InvalidOutput(error.root_cause().to_string()),
    }
}

/// The engine has no types for these two; its words are pinned by the tests of hostile guests.
fn is_handles(error: &wasmtime::Error, text: &str) -> bool {
    matches!(
        error.downcast_ref::<ResourceTableError>(),
        Some(ResourceTableError::Full)
    ) || text.contains("handle limit exceeded")
}

fn is_host_alloc(text: &str) -> bool {
    text.contains("fuel allocated for hostcalls has been exhausted")
}
