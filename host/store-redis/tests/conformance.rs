//! The Redis backend against the promises of the store traits, on a real server.

use cofferdam_store_api::Stores;
use cofferdam_store_api::conformance::{Durable, Harness};
use cofferdam_store_redis::testing::Server;
use cofferdam_store_redis::{Redis, Settings, open};

/// A server of its own for each case, so that a case that breaks it breaks no other.
struct Real {
    server: Server,
    open: Option<Redis>,
}

impl Real {
    async fn new(options: &[&str]) -> Self {
        let server = Server::with(options);
        let open = Some(connect(&server.settings()).await);
        Self { server, open }
    }
}

async fn connect(settings: &Settings) -> Redis {
    open(settings).await.expect("a server that is fit")
}

impl Harness for Real {
    fn stores(&self) -> Stores {
        self.open.as_ref().expect("an open connection").stores()
    }
}

impl Durable for Real {
    /// The server dies as well, and comes back with what its file holds.
    async fn restart(&mut self) {
        self.open = None;
        self.server.kill();
        self.server.start();
        self.open = Some(connect(&self.server.settings()).await);
    }
}

/// What is answered is on the disk.
const KEPT: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

cofferdam_store_api::conformance!(Real::new(&["--appendonly", "no"]).await);
cofferdam_store_api::restart_conformance!(Real::new(&KEPT).await);
