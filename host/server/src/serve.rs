use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::claim::Claim;
use crate::config::{Config, Runs};
use crate::data_dir::holder;
use crate::doors::{Doors, Listen};
use crate::error::Error;
use crate::host::{Host, STEP_GRACE};

/// What a data directory's lock says of a host that serves.
const SERVE: &str = "serve";

/// A host that takes requests.
#[derive(Debug, Clone)]
pub struct Ready {
    /// Where it listens.
    pub address: SocketAddr,
    /// The store, in words.
    pub store: String,
    /// The policy, in words.
    pub policy: String,
    /// Where the admin key is.
    pub admin_key_file: PathBuf,
}

/// Runs a host until `shutdown`, then stops it in good order: no new connections, requests under
/// way end, steps under way end or are left for the next start, the audit is written.
///
/// **Errors**: whatever keeps the host from starting.
pub async fn serve(
    config: Config,
    on_ready: impl FnOnce(&Ready),
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let dir = match Claim::stake(&config.data_dir, SERVE).await? {
        Claim::Ours(dir) => dir,
        Claim::Theirs(_) => {
            return Err(Error::InUse {
                holder: holder(&config.data_dir),
                path: config.data_dir,
            });
        }
    };
    let host = Host::start(
        dir,
        config.store,
        config.live_calls,
        Runs::Driven,
        config.rules,
    )
    .await?;
    let listen = Listen {
        address: config.listen,
        allowed_hosts: config.allowed_hosts,
        allowed_origins: config.allowed_origins,
    };
    let doors = Doors::open(&host, listen).await?;
    on_ready(&Ready {
        address: doors.address,
        store: host.store().to_owned(),
        policy: host.policy(),
        admin_key_file: host.dir().admin_key_file(),
    });
    let stop = doors.stop.clone();
    let serving = doors.serve();
    tokio::pin!(serving);
    tokio::select! {
        () = &mut serving => {}
        () = shutdown => {
            host.hide();
            stop.cancel();
            // Together: a stream of events ends when the engine does, and the doors wait for it.
            tokio::join!(serving, host.drain(STEP_GRACE));
        }
    }
    host.close().await;
    Ok(())
}
