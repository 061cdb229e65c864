//! Environment variables: those that the grant names, and no others.

use cofferdam_policy::Grant;
use cofferdam_policy::capability::environment::variables;
use wasmtime_wasi::WasiCtxBuilder;

/// Looks up a variable of the host; the grant says which. This crate reads none itself.
pub type HostVariable = fn(&str) -> Option<String>;

/// Gives a guest its variables.
pub(crate) fn set_up(wasi: &mut WasiCtxBuilder, grant: &Grant, host: HostVariable) {
    for (name, value) in variables(grant.environment(), |name| host(name.as_str())) {
        wasi.env(name.as_str(), value);
    }
}
