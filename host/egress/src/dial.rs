//! Connecting to decided addresses, and to nothing else.

use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::error::{Error, Upstream};

/// The first of these places that answers, with an equal share of the time for each.
pub(crate) async fn connect(places: &[SocketAddr], until: Instant) -> Result<TcpStream, Error> {
    let mut last = Error::Timeout;
    for (at, place) in places.iter().enumerate() {
        let left = until.saturating_duration_since(Instant::now());
        let tries = u32::try_from(places.len() - at).unwrap_or(u32::MAX);
        match tokio::time::timeout(left / tries, TcpStream::connect(place)).await {
            Ok(Ok(stream)) => {
                // A refusal costs latency alone, and is not worth the connection.
                drop(stream.set_nodelay(true));
                return Ok(stream);
            }
            Ok(Err(error)) => last = Error::upstream(Upstream::Connect, error.kind()),
            Err(_) => last = Error::Timeout,
        }
    }
    Err(last)
}
