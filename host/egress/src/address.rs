//! From a host to the addresses that may be connected to.

use std::io;
use std::net::{IpAddr, SocketAddr};

use cofferdam_policy::Caps as _;
use cofferdam_policy::capability::network::address::canonical;
use cofferdam_policy::capability::network::{self, Host, Name};
use cofferdam_types::call::Denial;

use crate::error::{Error, Upstream};
use crate::resolve::{ANSWERS_MAX, Seat};
use crate::session::Session;

/// Where a request may go, and how much of it: as much as each of the places gives.
pub(crate) struct Allowed {
    pub(crate) places: Vec<SocketAddr>,
    pub(crate) caps: network::Caps,
}

impl Session {
    /// Looks the host up once and keeps what may be connected to; that, and no second answer, is
    /// what is connected to.
    pub(crate) async fn locate(
        &self,
        ask: &mut network::Ask,
        caps: network::Caps,
    ) -> Result<Allowed, Error> {
        let origin = ask.target.origin.clone();
        let (answers, port) = match (caps.at, &origin.host) {
            (Some(at), _) if at.port() != 0 => (vec![at.ip()], at.port()),
            (Some(at), _) => (vec![at.ip()], origin.port),
            (None, Host::Address(address)) => (vec![*address], origin.port),
            (None, Host::Name(name)) => (self.resolved(name).await?, origin.port),
        };
        let mut allowed = Allowed {
            places: Vec::new(),
            caps,
        };
        let mut denied: Option<Denial> = None;
        for address in answers {
            let place = SocketAddr::new(canonical(address), port);
            ask.address = Some(address);
            match self.warrant.network(ask) {
                Ok(caps) if !allowed.places.contains(&place) => {
                    allowed.caps = allowed.caps.narrowest(caps);
                    allowed.places.push(place);
                }
                Ok(_) => {}
                Err(denial) => denied = denied.or(Some(denial)),
            }
        }
        match denied {
            Some(denial) if allowed.places.is_empty() => Err(denial.into()),
            _ if allowed.places.is_empty() => Err(no_address()),
            _ => {
                ask.address = allowed.places.first().map(SocketAddr::ip);
                Ok(allowed)
            }
        }
    }

    /// The addresses of a name, bounded in number and time. Waits while too many of this call's
    /// look-ups have not ended.
    pub(crate) async fn resolved(&self, name: &Name) -> Result<Vec<IpAddr>, Error> {
        let until = self.until(None, self.client.options().connect_timeout);
        let look_up = async {
            let seat = self.seats.clone().acquire_owned().await;
            let seat = Seat(seat.map_err(io::Error::other)?);
            self.client.resolver().resolve(name, seat).await
        };
        let answers = tokio::time::timeout_at(until, look_up)
            .await
            .map_err(|_| Error::Timeout)?
            .map_err(|error| Error::upstream(Upstream::Dns, error.kind()))?;
        if answers.is_empty() {
            return Err(no_address());
        }
        Ok(answers.into_iter().take(ANSWERS_MAX).collect())
    }
}

fn no_address() -> Error {
    Error::upstream(Upstream::Dns, "the name has no address")
}
