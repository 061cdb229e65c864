//! Names for raw sockets. The engine's own look-up asks nobody; this one asks the grant first and
//! remembers what each name answered, since only that may be connected to.

use std::net::IpAddr;
use std::sync::Arc;
use std::vec;

use cofferdam_egress::{Error, Session, Upstream};
use cofferdam_policy::capability::network::Name;
use futures::FutureExt;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddress, Network};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn};

use crate::fuel;
use crate::meter::Meter;
use crate::state::State;

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        interfaces: "import wasi:sockets/ip-name-lookup@0.2.12;",
        with: {
            "wasi:io": wasmtime_wasi::p2::bindings::io,
            "wasi:sockets/network": wasmtime_wasi::p2::bindings::sockets::network,
            "wasi:sockets/ip-name-lookup.resolve-address-stream": super::Answers,
        },
        imports: { default: trappable },
    });
}

use bindings::wasi::sockets::ip_name_lookup;

struct Names;

impl HasData for Names {
    type Data<'a> = View<'a>;
}

struct View<'a> {
    session: &'a Arc<Session>,
    table: &'a mut ResourceTable,
    meter: &'a Meter,
}

/// What a name answers, now or soon.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Answers {
    pending: Option<AbortOnDropJoinHandle<Found>>,
    found: Result<vec::IntoIter<IpAddr>, ErrorCode>,
}

type Found = Result<Vec<IpAddr>, ErrorCode>;

impl Answers {
    fn arrived(&mut self, found: Found) {
        self.pending = None;
        self.found = found.map(Vec::into_iter);
    }
}

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    ip_name_lookup::add_to_linker::<State, Names>(linker, |state| {
        state.meter.charge(fuel::HOST_CALL);
        View {
            session: &state.requests.session,
            table: &mut state.table,
            meter: &state.meter,
        }
    })
}

impl ip_name_lookup::Host for View<'_> {
    fn resolve_addresses(
        &mut self,
        _: Resource<Network>,
        name: String,
    ) -> wasmtime::Result<Result<Resource<Answers>, ErrorCode>> {
        let mut answers = Answers {
            pending: None,
            found: Ok(Vec::new().into_iter()),
        };
        if let Ok(address) = name.parse::<IpAddr>() {
            // Nothing to look up; whether it may be connected to is decided when it is.
            answers.arrived(Ok(vec![address]));
        } else {
            let Ok(name) = name.parse::<Name>() else {
                return Ok(Err(ErrorCode::InvalidArgument));
            };
            self.meter.charge(fuel::CONNECT);
            let session = self.session.clone();
            answers.pending = Some(spawn(async move {
                session.look_up(&name).await.map_err(|error| told(&error))
            }));
        }
        Ok(Ok(self.table.push(answers)?))
    }
}

fn told(error: &Error) -> ErrorCode {
    match error {
        Error::Denied(_) => ErrorCode::AccessDenied,
        Error::Upstream {
            kind: Upstream::Dns,
            ..
        } => ErrorCode::NameUnresolvable,
        Error::Timeout => ErrorCode::TemporaryResolverFailure,
        Error::Upstream { .. } | Error::Limit { .. } | Error::RequestBody => {
            ErrorCode::PermanentResolverFailure
        }
    }
}

impl ip_name_lookup::HostResolveAddressStream for View<'_> {
    fn resolve_next_address(
        &mut self,
        answers: Resource<Answers>,
    ) -> wasmtime::Result<Result<Option<IpAddress>, ErrorCode>> {
        let answers = self.table.get_mut(&answers)?;
        if let Some(pending) = &mut answers.pending {
            match pending.now_or_never() {
                None => return Ok(Err(ErrorCode::WouldBlock)),
                Some(found) => answers.arrived(found),
            }
        }
        Ok(match &mut answers.found {
            Ok(found) => Ok(found.next().map(IpAddress::from)),
            Err(code) => Err(*code),
        })
    }

    fn subscribe(&mut self, answers: Resource<Answers>) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(self.table, answers)
    }

    fn drop(&mut self, answers: Resource<Answers>) -> wasmtime::Result<()> {
        self.table.delete(answers)?;
        Ok(())
    }
}

#[async_trait::async_trait]
impl Pollable for Answers {
    async fn ready(&mut self) {
        if let Some(pending) = &mut self.pending {
            let found = pending.await;
            self.arrived(found);
        }
    }
}
