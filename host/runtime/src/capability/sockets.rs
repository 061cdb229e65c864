//! Raw sockets: each address is decided about when it is used. Nothing lets a tool listen.

use std::net::SocketAddr;
use std::sync::Arc;

use cofferdam_egress::Session;
use cofferdam_policy::Grant;
use cofferdam_policy::capability::sockets::Protocol;
use cofferdam_types::call::{Denial, DenialCode};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::sockets::SocketAddrUse;

use crate::meter::Meter;

/// Puts a decision before every use of an address. Without a grant there is no socket to use one with.
pub(crate) fn set_up(
    wasi: &mut WasiCtxBuilder,
    grant: &Grant,
    session: &Arc<Session>,
    meter: &Arc<Meter>,
) {
    let (session, meter) = (session.clone(), meter.clone());
    let is_granted = !grant.sockets().is_nothing();
    // Names are looked up by `lookup.rs` alone.
    wasi.allow_tcp(is_granted)
        .allow_udp(is_granted)
        .allow_ip_name_lookup(false);
    wasi.socket_addr_check(move |address, usage| {
        let is_allowed = match usage {
            SocketAddrUse::TcpConnect => session.may_open(Protocol::Tcp, address).is_ok(),
            SocketAddrUse::UdpSend => session.may_open(Protocol::Udp, address).is_ok(),
            SocketAddrUse::UdpReceive => session.was_sent_to(address),
            // What comes before a connection; a port of one's own is for those who listen.
            SocketAddrUse::TcpBind | SocketAddrUse::UdpBind => {
                let is_any = address.port() == 0 && address.ip().is_unspecified();
                is_any || refuse(&meter, "bind", address)
            }
            SocketAddrUse::TcpListen | SocketAddrUse::TcpAccept => {
                refuse(&meter, "listen", address)
            }
        };
        Box::pin(async move { is_allowed })
    });
}

fn refuse(meter: &Meter, operation: &str, address: SocketAddr) -> bool {
    meter.deny(Denial {
        capability: "sockets".to_owned(),
        operation: operation.to_owned(),
        resource: address.to_string(),
        code: DenialCode::NotGranted,
        rule: "the form of `sockets`".to_owned(),
        file: None,
        line: None,
        reason: "a tool connects; nothing lets it listen".to_owned(),
        smallest_grant: "no policy lifts this".to_owned(),
    });
    false
}
