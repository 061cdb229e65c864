use std::fmt::Debug;
use std::io;
use std::net::IpAddr;

use async_trait::async_trait;
use cofferdam_policy::capability::network::Name;
use tokio::sync::Semaphore;

/// Looks names up. Asked once for each connection; what it answers is decided about and then
/// connected to, without a second look-up.
///
/// Safe to repeat and to drop. An answer may hold any number of addresses in any order; the first
/// [`ANSWERS_MAX`] count.
#[async_trait]
pub trait Resolve: Debug + Send + Sync {
    /// The addresses of a name; none when it has none.
    async fn resolve(&self, name: &Name) -> io::Result<Vec<IpAddr>>;
}

/// Addresses of one name that are considered: no server needs more tries.
pub(crate) const ANSWERS_MAX: usize = 16;

/// The system's own look-up, with its hosts file and name servers.
#[derive(Debug)]
pub struct System {
    places: Semaphore,
}

impl System {
    /// Look-ups at once. Each holds a thread of the pool for blocking work until the system's own
    /// timeout, whoever still waits for it.
    const PLACES: usize = 32;
}

impl Default for System {
    fn default() -> Self {
        Self {
            places: Semaphore::new(Self::PLACES),
        }
    }
}

#[async_trait]
impl Resolve for System {
    async fn resolve(&self, name: &Name) -> io::Result<Vec<IpAddr>> {
        let _place = self.places.acquire().await.map_err(io::Error::other)?;
        let answers = tokio::net::lookup_host((name.as_str(), 0)).await?;
        Ok(answers
            .map(|answer| answer.ip())
            .take(ANSWERS_MAX)
            .collect())
    }
}
