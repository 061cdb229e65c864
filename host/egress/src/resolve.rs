use std::fmt::Debug;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::Arc;

use async_trait::async_trait;
use cofferdam_policy::capability::network::Name;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Looks names up. Asked once for each connection; what it answers is decided about and then
/// connected to, without a second look-up.
///
/// Safe to repeat and to drop. An answer may hold any number of addresses in any order; the first
/// `ANSWERS_MAX` count.
#[async_trait]
pub trait Resolve: Debug + Send + Sync {
    /// The addresses of a name; none when it has none. `seat` is kept for as long as the look-up
    /// takes anything of the host, also when nobody waits for it any more.
    async fn resolve(&self, name: &Name, seat: Seat) -> io::Result<Vec<IpAddr>>;
}

/// A place among the look-ups of a call; given back when dropped.
#[derive(Debug)]
pub struct Seat(#[expect(dead_code, reason = "held, not read")] pub(crate) OwnedSemaphorePermit);

/// Addresses of one name that are considered: no server needs more tries.
pub(crate) const ANSWERS_MAX: usize = 16;
/// Look-ups of one call that have not ended, those that it gave up included: enough for a tool that
/// asks several servers at once, and few beside what the host has in all.
pub(crate) const SEATS: usize = 4;

/// The system's own look-up, with its hosts file and name servers.
#[derive(Debug)]
pub struct System {
    places: Arc<Semaphore>,
}

impl System {
    /// Look-ups at once. Each holds a thread of the pool for blocking work until the system's own
    /// timeout, whoever still waits for it.
    const PLACES: usize = 32;
}

impl Default for System {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(Self::PLACES)),
        }
    }
}

#[async_trait]
impl Resolve for System {
    async fn resolve(&self, name: &Name, seat: Seat) -> io::Result<Vec<IpAddr>> {
        let place = self.places.clone().acquire_owned().await;
        let place = place.map_err(io::Error::other)?;
        let name = name.as_str().to_owned();
        let look_up = move || {
            // With the thread, and not with whoever waits.
            let _held = (place, seat);
            let answers = (name.as_str(), 0).to_socket_addrs()?;
            let addresses = answers.map(|answer| answer.ip()).take(ANSWERS_MAX);
            Ok(addresses.collect())
        };
        let answered = tokio::task::spawn_blocking(look_up).await;
        answered.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A look-up that nobody waits for any more still has its thread, so it still has its places.
    #[test]
    fn what_was_given_up_counts_until_it_ends() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(1)
            .build()
            .expect("a runtime");
        let (system, seats) = (System::default(), Arc::new(Semaphore::new(SEATS)));
        runtime.block_on(async {
            let (release, released) = mpsc::channel::<()>();
            let busy = tokio::task::spawn_blocking(move || released.recv());
            let seat = Seat(seats.clone().acquire_owned().await.expect("a seat"));
            let name = "localhost".parse().expect("a name");
            let mut given_up = system.resolve(&name, seat);
            assert!(futures::poll!(&mut given_up).is_pending());
            drop(given_up);
            let free = (seats.available_permits(), system.places.available_permits());
            assert_eq!(free, (SEATS - 1, System::PLACES - 1));
            release.send(()).expect("somebody listens");
            busy.await.expect("no panic").expect("released");
            for (all, of) in [(SEATS, &seats), (System::PLACES, &system.places)] {
                let all = u32::try_from(all).expect("few");
                drop(of.acquire_many(all).await.expect("given back"));
            }
        });
    }
}
