use std::net::{Ipv4Addr, SocketAddr};

use cofferdam_http::Router;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::host::Host;
use crate::mcp;

/// Where a host takes requests, and under which names of itself.
#[derive(Debug, Clone)]
pub(crate) struct Listen {
    pub(crate) address: SocketAddr,
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) allowed_origins: Vec<String>,
}

impl Listen {
    /// On a free port, for other processes of this machine.
    pub(crate) fn nearby() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
        }
    }
}

/// The connections of a host.
pub(crate) struct Doors {
    pub(crate) address: SocketAddr,
    /// Ends them in good order.
    pub(crate) stop: CancellationToken,
    listener: TcpListener,
    router: Router,
}

impl Doors {
    /// Listens for a host, and says in its directory where.
    pub(crate) async fn open(host: &Host, listen: Listen) -> Result<Self, Error> {
        raise_descriptors();
        let fail = |source| Error::Listen {
            address: listen.address,
            source,
        };
        let listener = TcpListener::bind(listen.address).await.map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        host.dir().write_address(address)?;
        let stop = CancellationToken::new();
        let listen = Listen { address, ..listen };
        let mcp = mcp::routes(host.toolbox(), host.access(), &listen, &stop);
        Ok(Self {
            address,
            router: host.router().merge(mcp),
            stop,
            listener,
        })
    }

    /// Takes requests until it is stopped.
    pub(crate) async fn serve(self) {
        cofferdam_http::serve(self.listener, self.router, self.stop).await;
    }
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
