//! What a guest can reach, one file per capability. Absent unless the grant says otherwise.
//!
//! WASI is linked as a whole, so that components of every toolchain load; what is not granted is
//! refused when it is used. Where WASI has an error for that, the guest gets it; where it has none
//! (clocks, secure randomness), the call ends with a denial, since a wrong time or predictable
//! bytes would be worse.

pub(crate) mod clocks;
pub(crate) mod environment;
pub(crate) mod filesystem;
pub(crate) mod http;
pub(crate) mod key_value;
pub(crate) mod log;
pub(crate) mod lookup;
pub(crate) mod process;
pub(crate) mod progress;
pub(crate) mod random;
pub(crate) mod secrets;
pub(crate) mod sockets;
pub(crate) mod tls;
pub(crate) mod tool_call;

use std::fmt;

use cofferdam_policy::Capability;
use cofferdam_types::call::{Denial, DenialCode};
use wasmtime::component::{HasSelf, Linker};

use crate::bindings;
use crate::meter::Meter;
use crate::state::State;
use crate::warrant::Warrant;

/// A denial on its way out of a host function, as a trap.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) Denial);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.reason)
    }
}

impl std::error::Error for Refused {}

/// Everything a component may import.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    clocks::link(linker)?;
    filesystem::link(linker)?;
    random::link(linker)?;
    http::link(linker)?;
    lookup::link(linker)?;
    linker.allow_shadowing(false);
    tls::link(linker)?;
    bindings::cofferdam::tool::key_value::add_to_linker::<State, HasSelf<State>>(
        linker,
        |state| state,
    )?;
    tool_call::link(linker)?;
    bindings::cofferdam::tool::log::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    bindings::cofferdam::tool::process::add_to_linker::<State, HasSelf<State>>(linker, |state| {
        state
    })?;
    bindings::cofferdam::tool::secrets::add_to_linker::<State, HasSelf<State>>(linker, |state| {
        state
    })?;
    bindings::cofferdam::tool::progress::add_to_linker::<State, HasSelf<State>>(linker, |state| {
        state
    })
}

/// Ends the call over a capability that it was granted and that a later policy took back.
fn still<C: Capability<Ask = ()>>(warrant: &Warrant) -> wasmtime::Result<()> {
    match warrant.grant().decide::<C>(&()) {
        Ok(_) => Ok(()),
        Err(denial) => {
            warrant.refused(denial.clone());
            Err(wasmtime::Error::new(Refused(denial)))
        }
    }
}

/// Ends the call over a capability that the tool uses without declaring it.
fn undeclared<T>(meter: &Meter, kind: &str, operation: &str) -> wasmtime::Result<T> {
    let denial = Denial {
        capability: kind.to_owned(),
        operation: operation.to_owned(),
        resource: "host".to_owned(),
        code: DenialCode::NotDeclared,
        rule: "declared capabilities".to_owned(),
        file: None,
        line: None,
        reason: format!("the tool uses `{kind}` without declaring it"),
        smallest_grant: format!("the tool declares the capability `{kind}`"),
    };
    meter.deny(denial.clone());
    Err(wasmtime::Error::new(Refused(denial)))
}
