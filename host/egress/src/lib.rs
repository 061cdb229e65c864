//! The host's outgoing connections: every address decided after resolution, every hop anew.
//!
//! Owns the only client that sends what guests ask for: [`Client`] for the process, [`Session`] for
//! one call. Refuses to know what is allowed (that is [`Warrant`]), what a secret is (that is
//! [`Credentials`]) and the environment: there is no proxy, no cookie and no connection that two
//! requests share, so nothing of one tenant can reach another. TLS is always verified and nothing
//! switches that off. Start with [`Session::send`].

mod address;
mod body;
mod client;
mod dial;
mod error;
mod exchange;
mod hop;
mod rate;
mod resolve;
mod session;
mod starttls;
mod stream;
mod tls;
mod watch;

pub use body::{Body, RequestBody};
pub use client::{Client, Options, OptionsError};
pub use error::{Error, Limit, Upstream};
pub use hop::{Outgoing, Request};
pub use resolve::{Resolve, Seat, System};
pub use session::{Credentials, Owner, Session, Spent, Timeouts, Warrant};
pub use stream::{Peer, Stream};
