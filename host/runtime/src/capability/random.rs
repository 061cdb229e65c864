//! Secure randomness. The insecure generators stay open to every guest, since hash maps are seeded
//! from them; without the grant they give the same bytes at every call, so that a tool that
//! declares nothing is a pure function of its arguments.

use std::fmt;

use cofferdam_policy::Grant;
use wasmtime::component::{HasData, Linker};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p2::bindings::random::random;
use wasmtime_wasi::random::{Deterministic, WasiRandomCtx};

use super::undeclared;
use crate::meter::Meter;
use crate::state::State;

/// Most random bytes of one host call: a generator is seeded with 32.
pub(crate) const RANDOM_BYTES_MAX: u64 = 1 << 20;

/// A guest asked for more than [`RANDOM_BYTES_MAX`].
#[derive(Debug)]
pub(crate) struct TooMany;

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than {RANDOM_BYTES_MAX} random bytes at once")
    }
}

impl std::error::Error for TooMany {}

struct Random;

impl HasData for Random {
    type Data<'a> = View<'a>;
}

struct View<'a> {
    wasi: &'a mut WasiRandomCtx,
    granted: bool,
    meter: &'a Meter,
}

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    random::add_to_linker::<State, Random>(linker, |state| View {
        wasi: state.wasi.random(),
        granted: state.random,
        meter: &state.meter,
    })
}

/// Sets the generators up for a grant.
pub(crate) fn set_up(wasi: &mut WasiCtxBuilder, grant: &Grant) {
    wasi.max_random_size(RANDOM_BYTES_MAX);
    if !grant.random() {
        let seed = *grant.digest().as_bytes();
        let (low, _) = seed.split_at(16);
        wasi.insecure_random_seed(low.iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte)));
        wasi.insecure_random(Deterministic::new(seed.to_vec()));
    }
}

impl random::Host for View<'_> {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        if !self.granted {
            return undeclared(self.meter, "random", "read");
        }
        if len > RANDOM_BYTES_MAX {
            return Err(wasmtime::Error::new(TooMany));
        }
        self.wasi.get_random_bytes(len)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        if !self.granted {
            return undeclared(self.meter, "random", "read");
        }
        self.wasi.get_random_u64()
    }
}
