use std::sync::Arc;
use std::time::Duration;

use cofferdam_access::Access;
use cofferdam_engine::Engine;
use cofferdam_http::{Check, Router, Services, router};
use cofferdam_runtime::Scratch;
use cofferdam_store_api::Stores;
use cofferdam_store_embedded as embedded;
use cofferdam_toolbox::Toolbox;
use cofferdam_types::caller::Role;
use cofferdam_types::{Ambient, Tenant};
use cofferdam_wire::health::Health;
use tokio_util::task::AbortOnDropHandle;

use crate::ambient::System;
use crate::app::{Core, Sandbox};
use crate::artifacts::artifacts;
use crate::config::{Durability, Rules, Runs, Store};
use crate::data_dir::{DataDir, admin_key};
use crate::error::Error;
use crate::policy::Policies;
use crate::secrets;
use crate::tools::Door;

/// How long steps under way may take once the host stops: shorter than the grace that service
/// managers give, since what is cut off is taken up again at the next start.
pub(crate) const STEP_GRACE: Duration = Duration::from_secs(10);

/// What works on a data directory: everything of a host but the connections.
pub(crate) struct Host {
    core: Core,
    /// Follow the policy's file, and what other hosts change in the registry.
    following: [AbortOnDropHandle<()>; 2],
    access: Arc<Access>,
    engine: Engine,
    router: Router,
    stores: Stores,
    /// The store, in words.
    store: String,
    /// Given back last.
    dir: DataDir,
}

impl Host {
    /// Opens the stores and starts what works on them.
    pub(crate) async fn start(
        dir: DataDir,
        store: Store,
        live_calls: Option<u32>,
        runs: Runs,
        rules: Rules,
    ) -> Result<Self, Error> {
        let (stores, store) = open(store, &dir).await?;
        let authorities = rules.read_authorities()?;
        let policies = Arc::new(Policies::new(rules.file, rules.narrowing, &dir));
        let scratch = Scratch::open(&dir.scratch()).map_err(|errno| {
            cofferdam_runtime::Error::Internal(format!(
                "no directory for what is private to calls: {errno}"
            ))
        })?;
        let sandbox = Sandbox {
            live_calls,
            artifacts: artifacts(&dir),
            scratch: Some(Arc::new(scratch)),
            authorities,
        };
        let vault = secrets::open(&stores, Some(&dir.secrets_key_file())).await?;
        let core = Core::new(&stores, policies.clone(), vault, sandbox).await?;
        let toolbox = core.toolbox.clone();
        let following = [
            tokio::spawn(policies.follow(core.toolbox.clone())),
            tokio::spawn(async move { toolbox.follow_registry().await }),
        ];
        let ambient: Arc<dyn Ambient> = Arc::new(System);
        let access = Arc::new(Access::new(stores.keys.clone(), ambient.clone()));
        make_admin_key(&access, &dir).await?;
        let mut options = cofferdam_engine::Options::default();
        if runs == Runs::Left {
            options.drivers_max = 0;
        }
        let tools = Arc::new(Door(core.toolbox.clone()));
        let engine = Engine::start(options, stores.clone(), tools, ambient.clone()).await?;
        let router = router(Services {
            access: access.clone(),
            toolbox: core.toolbox.clone(),
            engine: engine.clone(),
            ambient,
            checks: vec![store_check(&stores)],
        });
        Ok(Self {
            core,
            following: following.map(AbortOnDropHandle::new),
            access,
            engine,
            router,
            stores,
            store,
            dir,
        })
    }

    /// The one door to its tools.
    pub(crate) fn toolbox(&self) -> &Toolbox {
        &self.core.toolbox
    }

    /// Who calls.
    pub(crate) fn access(&self) -> &Arc<Access> {
        &self.access
    }

    /// Every route of the API.
    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    /// The store, in words.
    pub(crate) fn store(&self) -> &str {
        &self.store
    }

    /// The policy in force, in words.
    pub(crate) fn policy(&self) -> String {
        let ruling = self.toolbox().ruling();
        let policy = &ruling.policy;
        match policy.file() {
            Some(file) => format!(
                "{} ({}, {})",
                policy.name(),
                file.display(),
                policy.digest()
            ),
            None => format!(
                "{}: a tool gets the workspace it is offered, clocks and randomness, and nothing \
                 else",
                policy.name()
            ),
        }
    }

    /// Where its files are.
    pub(crate) fn dir(&self) -> &DataDir {
        &self.dir
    }

    /// Takes its address away, so that nobody comes who would be sent away.
    pub(crate) fn hide(&self) {
        if let Err(error) = self.dir.remove_address() {
            tracing::warn!(%error, "the file with this host's address stays");
        }
    }

    /// Lets the steps of runs end within `grace`, or leaves them for the next start.
    pub(crate) async fn drain(&self, grace: Duration) {
        self.engine.drain(grace).await;
    }

    /// Writes the audit, closes the stores and gives the directory back. Nothing may serve the
    /// router any more.
    pub(crate) async fn close(self) {
        let Self {
            core,
            following,
            access,
            engine,
            router,
            stores,
            store: _,
            dir,
        } = self;
        for task in following {
            task.abort();
            task.await.ok();
        }
        drop((access, engine, router));
        core.finish().await;
        // Closing the file waits for the disk, which no async thread should.
        tokio::task::spawn_blocking(move || drop(stores)).await.ok();
        drop(dir);
    }
}

async fn open(store: Store, dir: &DataDir) -> Result<(Stores, String), Error> {
    let durability = match store {
        Store::Memory => {
            return Ok((
                cofferdam_store_memory::open(),
                "memory: everything is gone at the end".to_owned(),
            ));
        }
        Store::Redis(redis) => {
            let stores = cofferdam_store_redis::open(&redis.settings()?)
                .await?
                .stores();
            let words = format!(
                "{}, keys `{}` (what is acknowledged survives what that server survives)",
                redis.address, redis.prefix
            );
            return Ok((stores, words));
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
async fn make_admin_key(access: &Access, dir: &DataDir) -> Result<(), Error> {
    if let Some(key) = admin_key(dir.path())
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
