use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use cofferdam_policy::capability::network::{self, Name};
use cofferdam_policy::capability::sockets;
use cofferdam_types::call::Denial;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::client::Client;
use crate::error::{Error, Limit};
use crate::hop::Outgoing;
use crate::resolve::SEATS;

/// What a call may do. Asked for every request, every hop and every address; notes nothing until
/// it is told what came of it.
pub trait Warrant: Send + Sync {
    /// What the call may have of a request.
    ///
    /// **Errors**: the denial.
    fn network(&self, ask: &network::Ask) -> Result<network::Caps, Denial>;

    /// What the call may have of a connection or a look-up.
    ///
    /// **Errors**: the denial.
    fn sockets(&self, ask: &sockets::Ask) -> Result<sockets::Caps, Denial>;

    /// A request goes out.
    fn sends(&self, ask: &network::Ask);

    /// A connection is opened or a name looked up.
    fn opens(&self, ask: &sockets::Ask);

    /// Something was refused.
    fn refuses(&self, denial: &Denial);
}

/// Puts the secrets of a call where they belong, after a request was decided about.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Adds to the request what is bound to its server, and nothing else. Asked anew for each hop,
    /// with what the tool itself sent: what was added for another server is gone. Awaited within the
    /// call's deadline; safe to drop.
    ///
    /// **Errors**: the denial, when a secret that the request names may not go there.
    async fn add(&self, to: &mut Outgoing<'_>) -> Result<(), Denial>;
}

/// On whose account requests go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The tenant.
    pub tenant: String,
    /// The tool's name, without its version: a new version starts no new count.
    pub tool: String,
}

/// How long a tool wants to wait. Each is held within the host's own and the call's deadline.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Option<Duration>,
    /// For the response's headers.
    pub first_byte: Option<Duration>,
    /// Between two pieces of the response's body.
    pub between_bytes: Option<Duration>,
}

/// What a session used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Requests sent, redirects included, and connections opened.
    pub requests: u64,
    /// Bytes of bodies and raw connections sent.
    pub sent_bytes: u64,
    /// Bytes of bodies and raw connections received.
    pub received_bytes: u64,
}

/// The outgoing side of one call. What it opened closes when it is dropped, as do the requests and
/// bodies that are under way when their futures are.
pub struct Session {
    pub(crate) client: Client,
    pub(crate) warrant: Arc<dyn Warrant>,
    pub(crate) credentials: Option<Arc<dyn Credentials>>,
    pub(crate) owner: Owner,
    pub(crate) deadline: Instant,
    pub(crate) counts: Arc<Counts>,
    /// Places for look-ups that have not ended.
    pub(crate) seats: Arc<Semaphore>,
    /// The names that this call looked up, by the address that came back.
    names: Mutex<BTreeMap<IpAddr, Vec<Name>>>,
    /// Where datagrams went.
    pub(crate) sent_to: Mutex<BTreeSet<SocketAddr>>,
    /// What the guest's own sockets were opened for, each once.
    pub(crate) opened: Mutex<Vec<sockets::Ask>>,
}

/// Counted over one call.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) requests: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) sent: AtomicU64,
    pub(crate) received: AtomicU64,
    open: AtomicU32,
}

/// A place among the requests at once; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Counts>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Counts {
    pub(crate) fn place(self: &Arc<Self>, most: u32) -> Result<Place, Error> {
        let more = |open: u32| (open < most).then_some(open + 1);
        self.open
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
            .map(|_| Place(self.clone()))
            .map_err(|_| Error::limit(Limit::Connections, most.into()))
    }

    /// One more, of at most so many.
    pub(crate) fn take(count: &AtomicU64, limit: Limit, most: u64) -> Result<(), Error> {
        let more = |taken: u64| (taken < most).then_some(taken + 1);
        count
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
            .map(|_| ())
            .map_err(|_| Error::limit(limit, most))
    }
}

impl Session {
    /// Addresses whose names are remembered for one call.
    const NAMES_MAX: usize = 1_000;

    /// A deadline for a call that has none: as far away as a timer can be asked for.
    const FAR: Duration = Duration::from_hours(24 * 365);

    /// For one call that ends at `deadline`; absent where that is further away than time goes.
    pub fn new(
        client: Client,
        warrant: Arc<dyn Warrant>,
        credentials: Option<Arc<dyn Credentials>>,
        owner: Owner,
        deadline: Option<std::time::Instant>,
    ) -> Self {
        let deadline = deadline.map_or_else(|| Instant::now() + Self::FAR, Instant::from_std);
        Self {
            client,
            warrant,
            credentials,
            owner,
            deadline,
            counts: Arc::default(),
            seats: Arc::new(Semaphore::new(SEATS)),
            names: Mutex::default(),
            sent_to: Mutex::default(),
            opened: Mutex::default(),
        }
    }

    /// What it used so far.
    pub fn spent(&self) -> Spent {
        let requests = self.counts.requests.load(Ordering::Acquire);
        Spent {
            requests: requests + self.counts.connections.load(Ordering::Acquire),
            sent_bytes: self.counts.sent.load(Ordering::Acquire),
            received_bytes: self.counts.received.load(Ordering::Acquire),
        }
    }

    /// Notes a refusal on its way out.
    pub(crate) fn noted(&self, error: Error) -> Error {
        if let Error::Denied(denial) = &error {
            self.warrant.refuses(denial);
        }
        error
    }

    /// The names whose look-up in this call answered this address.
    pub(crate) fn names_of(&self, address: IpAddr) -> Vec<Name> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(&address).cloned().unwrap_or_default()
    }

    pub(crate) fn remember(&self, name: &Name, addresses: &[IpAddr]) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        for address in addresses {
            if names.len() >= Self::NAMES_MAX {
                return;
            }
            let known = names.entry(*address).or_default();
            if !known.contains(name) {
                known.push(name.clone());
            }
        }
    }

    /// The moment `wanted` runs out, within what the host waits and the call has left.
    pub(crate) fn until(&self, wanted: Option<Duration>, most: Duration) -> Instant {
        let wait = wanted.unwrap_or(most).min(most);
        (Instant::now() + wait).min(self.deadline)
    }
}
