//! Clocks and timers. A frozen wall clock shows one time for ever; the monotonic clock counts from the
//! start of the call in either case, so that timers fire and waiting ends.

use cofferdam_policy::capability::clocks::{self as capability, ClockMode};
use cofferdam_types::Timestamp;
use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::clocks::WasiClocksCtxView;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};

use super::{still, undeclared};
use crate::fuel;
use crate::meter::Meter;
use crate::state::State;
use crate::warrant::Warrant;

struct Clocks;

impl HasData for Clocks {
    type Data<'a> = View<'a>;
}

struct View<'a> {
    wasi: WasiClocksCtxView<'a>,
    mode: Option<ClockMode>,
    meter: &'a Meter,
    warrant: &'a Warrant,
}

impl View<'_> {
    fn check(&self, operation: &str) -> wasmtime::Result<()> {
        if self.mode.is_some() {
            still::<capability::Clocks>(self.warrant)
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
        state.meter.charge(fuel::HOST_CALL);
        View {
            wasi,
            mode: state.clocks,
            meter: &state.meter,
            warrant: &state.warrant,
        }
    }
    wall_clock::add_to_linker::<State, Clocks>(linker, view)?;
    monotonic_clock::add_to_linker::<State, Clocks>(linker, view)
}

fn datetime(time: Timestamp) -> wall_clock::Datetime {
    let millis = time.as_millis();
    wall_clock::Datetime {
        seconds: millis / 1_000,
        nanoseconds: u32::try_from(millis % 1_000 * 1_000_000).unwrap_or(0),
    }
}

impl wall_clock::Host for View<'_> {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        self.check("read")?;
        match self.mode {
            Some(ClockMode::Frozen(time)) => Ok(datetime(time)),
            Some(ClockMode::Real) | None => wall_clock::Host::now(&mut self.wasi),
        }
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
