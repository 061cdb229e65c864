use std::sync::Arc;

use cofferdam_store_api::Stores;
use zeroize::Zeroizing;

use crate::error::OpenError;
use crate::link::Link;
use crate::names::Names;
use crate::prefix::Prefix;
use crate::url::Address;
use crate::{fitness, script};

/// Where the stores are and how they are told apart.
#[derive(Clone)]
pub struct Settings {
    /// The server, or those that know it.
    pub address: Address,
    /// In place of the one in the address.
    pub password: Option<Zeroizing<String>>,
    /// What all keys begin with.
    pub prefix: Prefix,
    /// Whether a server that may throw keys away when its memory is full will do: what is queued
    /// or registered there can vanish.
    pub allow_eviction: bool,
}

/// Opens the stores: connects, and looks whether the server is set up to keep them.
///
/// **Errors**: [`OpenError`]; nothing was written.
pub async fn open(settings: &Settings) -> Result<Redis, OpenError> {
    let link = Link::open(settings).await?;
    fitness::check(&link, settings).await?;
    let names = Names::new(&settings.prefix);
    Ok(Redis(Arc::new(Tables { link, names })))
}

/// The stores on a server, open.
#[derive(Clone)]
pub struct Redis(Arc<Tables>);

impl Redis {
    /// All tables.
    pub fn stores(&self) -> Stores {
        Stores {
            tools: self.0.clone(),
            blobs: self.0.clone(),
            tasks: self.0.clone(),
            runs: self.0.clone(),
            events: self.0.clone(),
            agents: self.0.clone(),
            keys: self.0.clone(),
            audit: self.0.clone(),
            key_values: self.0.clone(),
            secrets: self.0.clone(),
        }
    }
}

/// What every table works with.
pub(crate) struct Tables {
    pub(crate) link: Link,
    pub(crate) names: Names,
}

impl Tables {
    /// Runs a script that answers a number alone.
    pub(crate) async fn write(
        &self,
        script: &script::Lua,
        keys: &[String],
        arguments: &[&[u8]],
    ) -> Result<bool, cofferdam_store_api::StoreError> {
        let code = self.link.script(script, keys, arguments).await?;
        script::answer(code)
    }
}
