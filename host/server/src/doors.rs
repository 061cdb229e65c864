use std::net::{Ipv4Addr, SocketAddr};

use cofferdam_http::Router;
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
