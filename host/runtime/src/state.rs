//! What one store holds: the guest's WASI context and its meters. Made for a call, dropped with it.

use std::sync::Arc;
use std::time::Instant;

use cofferdam_egress::{Owner, Session};
use cofferdam_policy::Grant;
use cofferdam_policy::capability::clocks::ClockMode;
use cofferdam_process::Launcher;
use cofferdam_types::call::Observer;
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store, Trap, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::capability::environment::{self, HostVariable};
use crate::capability::filesystem::Files;
use crate::capability::http::Requests;
use crate::capability::key_value::Spaces;
use crate::capability::secrets::{Held, Secrets};
use crate::capability::tool_call::{Depth, Tools};
use crate::capability::{random, sockets};
use crate::error::Error;
use crate::fuel;
use crate::ledger::Ledger;
use crate::limiter::Limiter;
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
    /// What starts programs.
    pub(crate) launcher: Arc<Launcher>,
    /// The secrets it may use.
    pub(crate) secrets: Arc<Held>,
    /// Which clock it reads; none when it may read none.
    pub(crate) clocks: Option<ClockMode>,
    pub(crate) random: bool,
    /// Where its small state is; none when it may keep none.
    pub(crate) spaces: Option<Spaces>,
    /// Who runs the tools that it calls; none when it may call none.
    pub(crate) tools: Option<Arc<dyn Tools>>,
    /// Calls of tools so far.
    pub(crate) tool_calls: u32,
    pub(crate) depth: Depth,
    /// When its deadline passes.
    pub(crate) ends: Instant,
    /// Last, after the table: whatever is open there is closed before the directories are.
    pub(crate) files: Files,
}

/// What a call has beside its grant.
pub(crate) struct Links {
    /// Its id; empty where nobody calls.
    pub(crate) call: String,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) launcher: Arc<Launcher>,
    /// On whose account its requests go.
    pub(crate) owner: Owner,
    /// The secrets of the tenant it is made for.
    pub(crate) secrets: Option<Arc<dyn Secrets>>,
    pub(crate) spaces: Option<Spaces>,
    pub(crate) tools: Option<Arc<dyn Tools>>,
    pub(crate) depth: Depth,
    pub(crate) ledger: Ledger,
    pub(crate) ends: Instant,
}

/// What a store is made with.
pub(crate) struct Inside<'a> {
    pub(crate) meter: &'a Arc<Meter>,
    pub(crate) session: &'a Arc<Session>,
    pub(crate) secrets: &'a Arc<Held>,
    pub(crate) host_variable: HostVariable,
    pub(crate) files: Files,
    pub(crate) links: Links,
}

/// Every function of WASI fetches its view once, so this is where it is charged.
impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.meter.charge(fuel::HOST_CALL);
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.meter.charge(fuel::HOST_CALL);
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.requests,
        }
    }
}

/// A store that holds what the grant says and nothing else: no arguments, no stdin, and of the
/// environment what is named.
pub(crate) fn store(
    engine: &Engine,
    grant: &Arc<Grant>,
    limiter: Limiter,
    slice: &Arc<Slice>,
    inside: Inside<'_>,
) -> Result<Store<State>, Error> {
    let Inside {
        meter,
        session,
        secrets,
        host_variable,
        files,
        links,
    } = inside;
    let limits = grant.limits();
    let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    let mut wasi = WasiCtxBuilder::new();
    wasi.stdout(meter.stdout.clone())
        .stderr(meter.stderr.clone());
    files.set_up(&mut wasi);
    sockets::set_up(&mut wasi, grant, session, meter);
    random::set_up(&mut wasi, grant);
    environment::set_up(&mut wasi, grant, host_variable);
    let mut table = ResourceTable::new();
    table.set_max_capacity(size(limits.handles));
    let state = State {
        wasi: wasi.build(),
        http: WasiHttpCtx::new(),
        requests: Requests {
            session: session.clone(),
        },
        table,
        limiter,
        warrant: Warrant::new(grant.clone(), meter.clone()),
        meter: meter.clone(),
        observer: links.observer,
        launcher: links.launcher,
        secrets: secrets.clone(),
        clocks: grant.clock_mode(),
        random: grant.random(),
        spaces: links.spaces,
        tools: links.tools,
        tool_calls: 0,
        depth: links.depth,
        ends: links.ends,
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
        if !store.data().meter.can_settle(store.get_fuel()?) {
            return Err(Trap::OutOfFuel.into());
        }
        slice.end();
        Ok(UpdateDeadline::YieldCustom(
            NEXT_SLICE_TICKS,
            Box::pin(tokio::task::yield_now()),
        ))
    });
    Ok(store)
}
