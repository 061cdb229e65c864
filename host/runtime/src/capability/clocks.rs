//! Clocks and timers.

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::clocks::WasiClocksCtxView;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};

use super::undeclared;
use crate::meter::Meter;
use crate::state::State;

struct Clocks;

impl HasData for Clocks {
    type Data<'a> = View<'a>;
}

struct View<'a> {
    wasi: WasiClocksCtxView<'a>,
    granted: bool,
    meter: &'a Meter,
}

impl View<'_> {
    fn check(&self, operation: &str) -> wasmtime::Result<()> {
        if self.granted {
            Ok(())
        } else {
            undeclared(self.meter, "clocks", operation)
        }
    }
}

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    fn view(state: &mut State) -> View<'_> {
        let wasi = WasiClocksCtxView {
            ctx: state.wasi.clocks(),
            table: &mut state.table,
        };
        View {
            wasi,
            granted: state.clocks,
            meter: &state.meter,
        }
    }
    wall_clock::add_to_linker::<State, Clocks>(linker, view)?;
    monotonic_clock::add_to_linker::<State, Clocks>(linker, view)
}

impl wall_clock::Host for View<'_> {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        self.check("read")?;
        wall_clock::Host::now(&mut self.wasi)
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        wall_clock::Host::resolution(&mut self.wasi)
    }
}

impl monotonic_clock::Host for View<'_> {
    fn now(&mut self) -> wasmtime::Result<monotonic_clock::Instant> {
        self.check("read")?;
        monotonic_clock::Host::now(&mut self.wasi)
    }

    fn resolution(&mut self) -> wasmtime::Result<monotonic_clock::Duration> {
        monotonic_clock::Host::resolution(&mut self.wasi)
    }

    fn subscribe_instant(
        &mut self,
        when: monotonic_clock::Instant,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.check("wait")?;
        self.wasi.subscribe_instant(when)
    }

    fn subscribe_duration(
        &mut self,
        wait: monotonic_clock::Duration,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.check("wait")?;
        self.wasi.subscribe_duration(wait)
    }
}
