//! The outgoing client against real servers on loopback.

mod addresses;
mod certificates;
mod credentials;
mod framing;
mod limits;
mod redirects;
mod requests;
mod servers;
mod sockets;
mod world;
