//! The vault of a host, and what keeps secrets in its memory alone.

use std::path::Path;
use std::sync::Arc;

use cofferdam_secrets::{Sources, Vault};
use cofferdam_store_api::Stores;

use crate::ambient::System;
use crate::error::Error;

/// The vault over these stores, with the keys in `file`; without one, keys that are gone with it.
pub(crate) async fn open(stores: &Stores, file: Option<&Path>) -> Result<Arc<Vault>, Error> {
    let (table, ambient) = (stores.secrets.clone(), Arc::new(System));
    let sources = given()?;
    let vault = match file {
        Some(file) => Vault::open(file, table, sources, ambient).await?,
        None => Vault::forgetful(table, sources, ambient),
    };
    Ok(Arc::new(vault))
}

/// The secrets that the environment gives.
fn given() -> Result<Sources, Error> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads which secrets the environment gives"
    )]
    let variables = std::env::vars_os();
    Ok(Sources::from_variables(variables)?)
}

/// A variable of the host, for a tool to which the policy gives it.
pub(crate) fn host_variable(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads what a policy passes on"
    )]
    std::env::var(name).ok()
}

/// Shuts other processes of this user out of this process's memory and environment, which hold
/// secrets, and lets it leave no core file. An administrator still gets in.
pub(crate) fn keep_to_itself() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};

        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            tracing::warn!(%error, "other processes of this user can read this one's memory");
        }
    }
}
