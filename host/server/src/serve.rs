use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_access::Access;
use cofferdam_engine::Engine;
use cofferdam_http::{Check, Services, router};
use cofferdam_policy::Policy;
use cofferdam_store_api::Stores;
use cofferdam_store_embedded as embedded;
use cofferdam_types::caller::Role;
use cofferdam_types::{Ambient, Tenant};
use cofferdam_wire::health::Health;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::ambient::System;
use crate::app::Core;
use crate::config::{Config, Durability, Store};
use crate::data_dir::{DataDir, admin_key};
use crate::error::Error;
use crate::mcp;
use crate::tools::Door;

/// How long steps under way may take once the host stops: shorter than the grace that service
/// managers give, since what is cut off is taken up again at the next start.
const STEP_GRACE: Duration = Duration::from_secs(10);

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
    raise_descriptors();
    let dir = DataDir::take(&config.data_dir)?;
    let (stores, store) = open(&config, &dir)?;
    let core = Core::new(
        &stores,
        Policy::builtin(&dir.workspaces()),
        config.live_calls,
    )
    .await?;
    let ambient: Arc<dyn Ambient> = Arc::new(System);
    let access = Arc::new(Access::new(stores.keys.clone(), ambient.clone()));
    make_admin_key(&access, &dir, &config).await?;
    let tools = Arc::new(Door(core.toolbox.clone()));
    let engine = Engine::start(
        cofferdam_engine::Options::default(),
        stores.clone(),
        tools,
        ambient.clone(),
    )
    .await?;
    let listen = |source| Error::Listen {
        address: config.listen,
        source,
    };
    let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
    let ready = Ready {
        address: listener.local_addr().map_err(listen)?,
        store,
        policy: "built-in: a tool gets the workspace it is offered, clocks and randomness, and nothing else"
            .to_owned(),
        admin_key_file: dir.admin_key_file(),
    };
    let stop = CancellationToken::new();
    let mcp = mcp::routes(&core.toolbox, &access, ready.address, &config, &stop);
    let services = Services {
        access,
        toolbox: core.toolbox.clone(),
        engine: engine.clone(),
        ambient,
        checks: vec![store_check(&stores)],
    };
    on_ready(&ready);
    let routes = router(services).merge(mcp);
    let serving = cofferdam_http::serve(listener, routes, stop.clone());
    tokio::pin!(serving);
    tokio::select! {
        () = &mut serving => {}
        () = shutdown => {
            stop.cancel();
            // Together: a stream of events ends when the engine does, and the doors wait for it.
            tokio::join!(serving, engine.drain(STEP_GRACE));
        }
    }
    drop(engine);
    core.finish().await;
    // Closing the file waits for the disk, which no async thread should.
    tokio::task::spawn_blocking(move || drop(stores)).await.ok();
    Ok(())
}

/// Lets this process have as many descriptors as the system allows: connections, workspaces and the
/// images of components each take some, and the usual soft limit is meant for programs that don't
/// serve.
fn raise_descriptors() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of descriptors stays as it is");
    }
}

fn open(config: &Config, dir: &DataDir) -> Result<(Stores, String), Error> {
    let durability = match config.store {
        Store::Memory => {
            return Ok((
                cofferdam_store_memory::open(),
                "memory: everything is gone at the end".to_owned(),
            ));
        }
        Store::Embedded(Durability::Safe) => embedded::Durability::Safe,
        Store::Embedded(Durability::Fast) => embedded::Durability::Fast,
    };
    let file = dir.store_file();
    let stores = embedded::open(&file, durability)?.stores();
    let promise = match durability {
        embedded::Durability::Safe => "safe: what is acknowledged survives loss of power",
        embedded::Durability::Fast => "fast: what is acknowledged survives a crash of the host",
    };
    Ok((stores, format!("embedded, {} ({promise})", file.display())))
}

/// Makes sure that the file holds a key that works.
async fn make_admin_key(access: &Access, dir: &DataDir, config: &Config) -> Result<(), Error> {
    if let Some(key) = admin_key(&config.data_dir)
        && access
            .authenticate(&key)
            .await
            .is_ok_and(|caller| caller.role == Role::Admin)
    {
        return Ok(());
    }
    let key = access
        .create_key("admin", Role::Admin, &Tenant::default())
        .await?;
    dir.write_admin_key(&key.reveal())
}

fn store_check(stores: &Stores) -> Check {
    let audit = stores.audit.clone();
    Check::new("store", move || {
        let audit = audit.clone();
        async move {
            match audit.last().await {
                Ok(_) => Health::Healthy,
                Err(_) => Health::Unhealthy,
            }
        }
    })
}
