use std::path::Path;

use bytes::Bytes;
use futures::Stream;
use http::{Request, Response};

use crate::claim::Claim;
use crate::config::{Durability, Runs, Store};
use crate::data_dir::admin_key;
use crate::error::Error;
use crate::host::Host;

/// Guests at once: a command makes one call, a plan some.
const LIVE_CALLS: u32 = 64;

/// How to speak to the host of a data directory.
pub enum Reached {
    /// It listens here.
    Listens(String),
    /// There was none, so this process is it.
    Inside(Inside),
}

/// A host inside this process, without a door: it answers the requests of this process alone.
/// It keeps its data directory until it is closed.
pub struct Inside(Host);

/// Finds the host of a data directory, or becomes it for `command`, a word for whoever finds the
/// directory taken meanwhile.
///
/// **Errors**: those of starting a host; [`Error::Busy`] when another command has the directory.
pub async fn reach(data_dir: &Path, command: &str, runs: Runs) -> Result<Reached, Error> {
    match Claim::stake(data_dir, command).await? {
        Claim::Theirs(address) => Ok(Reached::Listens(format!("http://{address}"))),
        Claim::Ours(dir) => {
            let store = Store::Embedded(Durability::Safe);
            let host = Host::start(dir, store, Some(LIVE_CALLS), runs).await?;
            Ok(Reached::Inside(Inside(host)))
        }
    }
}

impl Inside {
    /// The key of its admin.
    pub fn admin_key(&self) -> Option<String> {
        admin_key(self.0.dir().path())
    }

    /// Answers a request as over a connection.
    ///
    /// **Cancel**: dropping the future, or the body of its answer, stops the call that it waits for.
    pub async fn answer(
        &self,
        request: Request<Vec<u8>>,
    ) -> Response<
        impl Stream<Item = Result<Bytes, impl std::error::Error + Send + Sync + use<>>> + Send + use<>,
    > {
        cofferdam_http::answer(self.0.router(), request.map(Bytes::from)).await
    }

    /// Stops in good order and gives the directory back.
    pub async fn close(self) {
        self.0.drain().await;
        self.0.close().await;
    }
}
