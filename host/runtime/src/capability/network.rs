//! Raw sockets: no grant opens them yet, so every address is refused, and the refusal noted.

use std::sync::Arc;

use cofferdam_types::call::{Denial, DenialCode};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::sockets::SocketAddrUse;

use crate::meter::Meter;

/// Refuses every address.
pub(crate) fn set_up(wasi: &mut WasiCtxBuilder, meter: &Arc<Meter>) {
    let meter = meter.clone();
    wasi.allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false);
    wasi.socket_addr_check(move |address, usage| {
        let operation = match usage {
            SocketAddrUse::TcpBind | SocketAddrUse::UdpBind => "bind",
            SocketAddrUse::TcpListen => "listen",
            SocketAddrUse::TcpAccept | SocketAddrUse::UdpReceive => "receive",
            SocketAddrUse::TcpConnect => "connect",
            SocketAddrUse::UdpSend => "send",
        };
        meter.deny(Denial {
            capability: "network".to_owned(),
            operation: operation.to_owned(),
            resource: address.to_string(),
            code: DenialCode::NotGranted,
            rule: "built-in/default".to_owned(),
            file: None,
            line: None,
            reason: "no policy grants raw sockets".to_owned(),
            smallest_grant: format!("a policy that grants `network` to {address}"),
        });
        Box::pin(async { false })
    });
}
