//! Connections whose TLS the host speaks, for tools that must not be trusted to verify.

use std::sync::Arc;

use cofferdam_egress::{Error, Peer, Session, Upstream};
use cofferdam_policy::capability::network::Host as Whom;
use cofferdam_policy::capability::sockets::Tls;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::pipe::{AsyncReadStream, AsyncWriteStream};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};

use crate::fuel;
use crate::state::State;

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        interfaces: "import cofferdam:tool/tls@0.1.0;",
        with: { "wasi:io": wasmtime_wasi::p2::bindings::io },
        imports: { default: async | trappable },
    });
}

use bindings::cofferdam::tool::tls::{self, ErrorCode, Start};

/// Bytes of a guest's that wait to be encrypted: a few records.
const WRITE_BUFFER: usize = 64 << 10;

struct Connections;

impl HasData for Connections {
    type Data<'a> = View<'a>;
}

struct View<'a> {
    session: &'a Arc<Session>,
    table: &'a mut ResourceTable,
}

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    tls::add_to_linker::<State, Connections>(linker, |state| {
        state.meter.charge(fuel::CONNECT);
        View {
            session: &state.requests.session,
            table: &mut state.table,
        }
    })
}

type Streams = (Resource<DynInputStream>, Resource<DynOutputStream>);

impl tls::Host for View<'_> {
    async fn connect(
        &mut self,
        host: String,
        port: u16,
        start: Start,
    ) -> wasmtime::Result<Result<Streams, ErrorCode>> {
        let Ok(host) = host.parse::<Whom>() else {
            return Ok(Err(ErrorCode::Denied));
        };
        let how = match start {
            Start::Immediately => Tls::Required,
            Start::Smtp => Tls::StarttlsSmtp,
            Start::Imap => Tls::StarttlsImap,
        };
        let stream = match self.session.connect(&Peer { host, port }, how).await {
            Ok(stream) => stream,
            Err(error) => return Ok(Err(told(&error))),
        };
        let (read, write) = tokio::io::split(stream);
        let input: DynInputStream = Box::new(AsyncReadStream::new(read));
        let output: DynOutputStream = Box::new(AsyncWriteStream::new(WRITE_BUFFER, write));
        Ok(Ok((self.table.push(input)?, self.table.push(output)?)))
    }
}

fn told(error: &Error) -> ErrorCode {
    match error {
        Error::Denied(_) => ErrorCode::Denied,
        Error::Timeout => ErrorCode::Timeout,
        Error::Limit { .. } | Error::RequestBody => ErrorCode::Limit,
        Error::Upstream { kind, .. } => match kind {
            Upstream::Dns => ErrorCode::Dns,
            Upstream::Connect => ErrorCode::Connect,
            Upstream::Tls => ErrorCode::Tls,
            Upstream::Protocol => ErrorCode::Protocol,
            Upstream::Reset => ErrorCode::Reset,
        },
    }
}
