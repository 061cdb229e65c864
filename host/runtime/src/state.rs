//! What one store holds: the guest's WASI context and its meters. Made for a call, dropped with it.

use std::sync::Arc;

use cofferdam_egress::Session;
use cofferdam_policy::Grant;
use cofferdam_types::call::Observer;
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::capability::filesystem::Files;
use crate::capability::http::Requests;
use crate::capability::{random, sockets};
use crate::error::Error;
use crate::limiter::{Budget, Limiter};
use crate::meter::Meter;
use crate::schedule::{FIRST_SLICE_TICKS, NEXT_SLICE_TICKS, Slice};
use crate::warrant::Warrant;

/// The data of a call's store.
pub(crate) struct State {
    pub(crate) wasi: WasiCtx,
    pub(crate) http: WasiHttpCtx,
    pub(crate) requests: Requests,
    pub(crate) table: ResourceTable,
    pub(crate) limiter: Limiter,
    pub(crate) meter: Arc<Meter>,
    /// What capabilities ask at each use.
    pub(crate) warrant: Warrant,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) clocks: bool,
    pub(crate) random: bool,
    /// Last, after the table: whatever is open there is closed before the directories are.
    pub(crate) files: Files,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.requests,
        }
    }
}

/// A store that holds what the grant says and nothing else: no arguments, no environment, no
/// stdin.
pub(crate) fn store(
    engine: &Engine,
    grant: &Arc<Grant>,
    budget: &Budget,
    meter: &Arc<Meter>,
    session: &Arc<Session>,
    slice: &Arc<Slice>,
    observer: Arc<dyn Observer>,
    files: Files,
) -> Result<Store<State>, Error> {
    let limits = grant.limits();
    let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    let mut wasi = WasiCtxBuilder::new();
    wasi.stdout(meter.stdout.clone())
        .stderr(meter.stderr.clone());
    files.set_up(&mut wasi);
    sockets::set_up(&mut wasi, session, meter);
    random::set_up(&mut wasi, grant);
    let mut table = ResourceTable::new();
    table.set_max_capacity(size(limits.handles));
    let state = State {
        wasi: wasi.build(),
        http: WasiHttpCtx::new(),
        requests: Requests {
            session: session.clone(),
        },
        table,
        limiter: Limiter::new(meter.clone(), budget.clone(), limits.memory_bytes),
        warrant: Warrant::new(grant.clone(), meter.clone()),
        meter: meter.clone(),
        observer,
        clocks: grant.clocks(),
        random: grant.random(),
        files,
    };
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.limiter);
    store.set_fuel(limits.fuel).map_err(Error::engine)?;
    store.set_hostcall_fuel(size(limits.host_alloc_bytes));
    store.set_max_component_handles(size(limits.handles));
    store.set_epoch_deadline(FIRST_SLICE_TICKS);
    let slice = slice.clone();
    store.epoch_deadline_callback(move |store| {
        store.data().meter.set_fuel_left(store.get_fuel()?);
        slice.end();
        Ok(UpdateDeadline::YieldCustom(
            NEXT_SLICE_TICKS,
            Box::pin(tokio::task::yield_now()),
        ))
    });
    Ok(store)
}
