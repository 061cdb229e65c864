//! Plain components: which of their exports are tools, and how one is called.

use std::collections::HashMap;

use cofferdam_values::{Answer, Mismatch, Signature, Type};
use serde_json::Value as Json;
use wasmtime::AsContextMut;
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Val};

use crate::error::Error;
use crate::state::State;
use crate::typed::{self, Misfit, Reader};

/// A set becomes a list of names: each of its flags takes some 50 bytes here, of which the engine
/// counts the letters. So where a result has sets, this part of what a host call may allocate is
/// left for it: still a result of full size without sets, and some 15 MiB of memory with them. It is
/// held until the guest has cleaned up after itself.
const FLAGS_SHARE: usize = 8;
/// What toolchains export for themselves: the function, a parameter that tells it from an author's
/// of the same name, and what it is.
const INTERNALS: [(&str, &str, &str); 2] = [
    (
        "exports#init",
        "app-name",
        "componentize-py's own: it loads the program",
    ),
    (
        "init",
        "script",
        "componentize-qjs's own: it runs any script it is given",
    ),
];

/// What a plain component offers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Interface {
    /// What can be called, in the component's order.
    pub functions: Vec<Function>,
    /// What can't, and why.
    pub skipped: Vec<Skipped>,
}

/// An exported function that can be a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// `add`, or `docs:calc/ops@0.1.0#mul` for one of an interface.
    pub export: String,
    /// What it takes and returns.
    pub signature: Signature,
}

/// An export that is no tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// As in [`Function::export`], or the name of an interface.
    pub export: String,
    /// Why, and what the author could do.
    pub reason: String,
}

/// A plain component that is ready to be called.
pub(crate) struct Plain {
    pub(crate) instance: InstancePre<State>,
    pub(crate) interface: Interface,
    callable: HashMap<String, Callable>,
}

struct Callable {
    signature: Signature,
    index: ComponentExportIndex,
    has_flags: bool,
}

impl Plain {
    /// Reads what `component` offers.
    pub(crate) fn new(component: &Component, instance: InstancePre<State>) -> Self {
        let interface = read(component);
        let callable = interface.functions.iter().filter_map(|function| {
            let callable = Callable {
                signature: function.signature.clone(),
                has_flags: function
                    .signature
                    .result
                    .as_ref()
                    .is_some_and(typed::has_flags),
                index: index(component, &function.export)?,
            };
            Some((function.export.clone(), callable))
        });
        let callable = callable.collect();
        Self {
            instance,
            interface,
            callable,
        }
    }
}

impl Plain {
    /// Calls a function on a fresh instance and gives its answer as JSON text of at most `bytes_max`.
    pub(crate) async fn call(
        &self,
        mut store: impl AsContextMut<Data = State>,
        export: &str,
        arguments: &str,
        bytes_max: u64,
    ) -> wasmtime::Result<Result<String, Error>> {
        let Some(callable) = self.callable.get(export) else {
            return Ok(Err(Error::Internal(format!(
                "the component has no function `{export}`"
            ))));
        };
        let Callable {
            signature,
            index,
            has_flags,
        } = callable;
        let params = match lower(signature, arguments) {
            Ok(params) => params,
            Err(error) => return Ok(Err(error)),
        };
        let instance = self.instance.instantiate_async(&mut store).await?;
        let Some(function) = instance.get_func(&mut store, index) else {
            return Ok(Err(Error::Internal(format!(
                "the instance has no function `{export}`"
            ))));
        };
        if *has_flags {
            let mut store = store.as_context_mut();
            let share = store.hostcall_fuel() / FLAGS_SHARE;
            store.set_hostcall_fuel(share);
        }
        let mut results = vec![Val::Bool(false); usize::from(signature.result.is_some())];
        function
            .call_async(&mut store, &params, &mut results)
            .await?;
        Ok(answer(signature, results.pop(), bytes_max))
    }
}

/// JSON text to what the engine passes to the guest.
fn lower(signature: &Signature, arguments: &str) -> Result<Vec<Val>, Error> {
    let json = serde_json::from_str(arguments)
        .map_err(|error| Error::Internal(format!("arguments that are no JSON: {error}")))?;
    let values = signature.arguments(&json).map_err(Error::Arguments)?;
    let params = signature.params.iter().zip(values);
    params
        .map(|(param, value)| typed::lower(&param.ty, value))
        .collect::<Result<_, _>>()
        .map_err(|Misfit| Error::Internal("a decoded value is not of its type".to_owned()))
}

/// What the guest returned, as JSON text; the error of a `result` is the tool's own.
fn answer(signature: &Signature, result: Option<Val>, bytes_max: u64) -> Result<String, Error> {
    let value = match (&signature.result, result) {
        (Some(ty), Some(value)) => Some(typed::lift(ty, value).map_err(|Misfit| {
            Error::Internal("the guest's answer is not of its type".to_owned())
        })?),
        _ => None,
    };
    match signature.answer(value, usize::try_from(bytes_max).unwrap_or(usize::MAX)) {
        Ok(Answer::Ok(json)) => Ok(json.to_string()),
        Ok(Answer::Err(details)) => {
            let ty = match &signature.result {
                Some(Type::Result { err, .. }) => err.as_deref(),
                _ => None,
            };
            Err(tool_error(ty, details))
        }
        Err(Mismatch::TooLarge { .. }) => Err(Error::Output(bytes_max)),
        Err(Mismatch::Type { expected }) => Err(Error::Internal(format!(
            "the guest's answer is not {expected}"
        ))),
    }
}

/// An error that a function returned, in the words that it has for one: a case is its code, and what
/// it carries its message.
fn tool_error(ty: Option<&Type>, details: Json) -> Error {
    let (code, payload) = match (ty, &details) {
        (Some(Type::Variant(_) | Type::Enum(_)), Json::String(case)) => (Some(case), &details),
        (Some(Type::Variant(_)), Json::Object(case)) if case.len() == 1 => {
            (case.keys().next(), case.values().next().unwrap_or(&details))
        }
        _ => (None, &details),
    };
    let said = match payload {
        Json::String(text) => Some(text.clone()),
        Json::Object(fields) => fields
            .get("message")
            .and_then(Json::as_str)
            .map(str::to_owned),
        Json::Null => Some("the tool reports an error".to_owned()),
        _ => None,
    };
    Error::Tool {
        code: code.map_or_else(|| "error".to_owned(), String::clone),
        message: said.unwrap_or_else(|| details.to_string()),
        retryable: false,
        details,
    }
}

/// Sorts the exports of a component into tools and others.
fn read(component: &Component) -> Interface {
    let engine = component.engine();
    let mut found = Interface::default();
    let ty = component.component_type();
    for (name, export) in ty.exports(engine) {
        match export.ty {
            ComponentItem::ComponentFunc(function) => found.offer(name.to_owned(), &function),
            ComponentItem::ComponentInstance(instance) => {
                if name.starts_with("wasi:") {
                    found.skip(name, "an interface of WASI, which hosts call");
                    continue;
                }
                for (function, export) in instance.exports(engine) {
                    if let ComponentItem::ComponentFunc(ty) = export.ty {
                        found.offer(format!("{name}#{function}"), &ty);
                    }
                }
            }
            // Types and what they are made of.
            _ => {}
        }
    }
    found
}

impl Interface {
    fn offer(&mut self, export: String, function: &ComponentFunc) {
        match signature(&export, function) {
            Ok(signature) => self.functions.push(Function { export, signature }),
            Err(reason) => self.skip(&export, &reason),
        }
    }

    fn skip(&mut self, export: &str, reason: &str) {
        self.skipped.push(Skipped {
            export: export.to_owned(),
            reason: reason.to_owned(),
        });
    }
}

fn signature(export: &str, function: &ComponentFunc) -> Result<Signature, String> {
    if let Some(reason) = internal(export, function) {
        return Err(reason.to_owned());
    }
    if export.contains('[') {
        return Err(
            "it belongs to a resource, and a resource lives in one instance; each call \
                    has its own: offer a function that takes and returns data"
                .to_owned(),
        );
    }
    if function.async_() {
        return Err("it is async, which this host does not run; offer a plain function".to_owned());
    }
    let mut reader = Reader::new();
    let params = function.params().map(|(name, ty)| reader.field(name, &ty));
    let params = params.collect::<Result<_, _>>()?;
    let result = function
        .results()
        .next()
        .map(|ty| reader.read(&ty))
        .transpose()?;
    let signature = Signature { params, result };
    signature.check().map_err(|large| large.to_string())?;
    Ok(signature)
}

/// What an export is, if it belongs to its toolchain rather than to the author.
fn internal(export: &str, function: &ComponentFunc) -> Option<&'static str> {
    let (_, parameter, reason) = INTERNALS.iter().find(|(name, ..)| export == *name)?;
    let is_its = function.params().any(|(name, _)| name == *parameter);
    is_its.then_some(*reason)
}

fn index(component: &Component, export: &str) -> Option<ComponentExportIndex> {
    match export.split_once('#') {
        Some((interface, function)) => {
            let interface = component.get_export_index(None, interface)?;
            component.get_export_index(Some(&interface), function)
        }
        None => component.get_export_index(None, export),
    }
}

#[cfg(test)]
mod tests;
