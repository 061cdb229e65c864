use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;

use cofferdam_types::Digest;
use cofferdam_types::audit::Act;

use crate::claim::Claim;
use crate::config::{Config, Runs};
use crate::data_dir::holder;
use crate::doors::{Doors, Listen};
use crate::error::Error;
use crate::host::{Host, STEP_GRACE};
use crate::retention::Retention;

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
    let settings_digest = Digest::of(format!("{config:?}").as_bytes());
    let host = Host::start(
        dir,
        config.store,
        config.live_calls,
        Runs::Driven,
        config.rules,
    )
    .await?;
    host.toolbox().set_strict_audit(config.audit.is_strict);
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
    record_start(&host, settings_digest).await;
    let retention = Retention::start(host.toolbox(), config.audit.keep);
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
    retention.stop().await;
    record(&host, Act::HostStopped {}).await;
    host.close().await;
    Ok(())
}

/// Leaves the records that the host is there, and under which policy.
async fn record_start(host: &Host, settings_digest: Digest) {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let started = Act::HostStarted {
        version,
        settings_digest,
    };
    record(host, started).await;
    let ruling = host.toolbox().ruling();
    let loaded = Act::PolicyLoaded {
        policy: ruling.policy.name().to_owned(),
        source: host.policy(),
        old_digest: None,
        new_digest: *ruling.policy.digest(),
        generation: ruling.generation,
    };
    record(host, loaded).await;
}

/// Leaves a record of what the host does by itself.
async fn record(host: &Host, act: Act) {
    if let Err(failure) = host.toolbox().record_act(None, act).await {
        // Calls meet the same and are refused.
        tracing::error!(%failure, "the audit does not take that the host starts or ends");
    }
}
