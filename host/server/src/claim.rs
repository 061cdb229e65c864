use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::data_dir::{DataDir, address, holder};
use crate::error::Error;

/// How long to wait for a process that holds the directory and takes no requests: another command
/// that is about to end, a host that starts or drains. Longer, and a person thinks that it hangs.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks. A command holds the directory for some tens of milliseconds.
const LOOK: Duration = Duration::from_millis(10);
/// For the connection to a host of this machine.
const CONNECT_TIME: Duration = Duration::from_secs(1);

/// Who works on a data directory.
pub(crate) enum Claim {
    /// This process, from now on.
    Ours(DataDir),
    /// A host that takes requests here.
    Theirs(SocketAddr),
}

impl Claim {
    /// Takes the directory for `command`, or finds the host that has it.
    ///
    /// **Errors**: [`Error::DataDir`]; [`Error::Busy`] when somebody keeps it who is no host.
    pub(crate) async fn stake(path: &Path, command: &str) -> Result<Self, Error> {
        let start = Instant::now();
        loop {
            if let Some(dir) = DataDir::take(path, command)? {
                return Ok(Self::Ours(dir));
            }
            if let Some(address) = address(path).map(reachable)
                && answers(address).await
            {
                return Ok(Self::Theirs(address));
            }
            if start.elapsed() >= PATIENCE {
                return Err(Error::Busy {
                    path: path.to_owned(),
                    holder: holder(path),
                    waited: PATIENCE,
                });
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Where to connect to a host that listens here: one that listens everywhere is reached by
/// loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let loopback: IpAddr = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(loopback, address.port())
}

/// True when somebody listens there: a host that ends has stopped to, a moment before its address
/// is gone.
async fn answers(address: SocketAddr) -> bool {
    let connected = tokio::time::timeout(CONNECT_TIME, TcpStream::connect(address)).await;
    matches!(connected, Ok(Ok(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_listens_everywhere_is_reached_by_loopback() {
        for (listens, reached) in [
            ("127.0.0.1:8000", "127.0.0.1:8000"),
            ("0.0.0.0:1", "127.0.0.1:1"),
            ("[::]:1", "[::1]:1"),
            ("10.0.0.7:1", "10.0.0.7:1"),
        ] {
            let address = reachable(listens.parse().expect("an address"));
            assert_eq!(address.to_string(), reached);
        }
    }
}
