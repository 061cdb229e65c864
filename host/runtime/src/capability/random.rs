//! Randomness. The insecure generators stay open to every guest, since hash maps are seeded from them;
//! without the grant they give the same bytes at every call, so that a tool that declares nothing is a
//! pure function of its arguments. A seeded grant makes all generators repeat themselves.

use std::convert::Infallible;
use std::fmt;

use cofferdam_policy::Grant;
use cofferdam_policy::capability::random::{self as capability, RandomMode};
use rand::TryRng;
use sha2::{Digest as _, Sha256};
use wasmtime::component::{HasData, Linker};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p2::bindings::random::{insecure, random};
use wasmtime_wasi::random::{Deterministic, WasiRandomCtx};

use super::{still, undeclared};
use crate::fuel;
use crate::meter::Meter;
use crate::state::State;
use crate::warrant::Warrant;

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
    warrant: &'a Warrant,
}

impl View<'_> {
    fn check(&self) -> wasmtime::Result<()> {
        if self.granted {
            still::<capability::Random>(self.warrant)
        } else {
            undeclared(self.meter, "random", "read")
        }
    }
}

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    fn view(state: &mut State) -> View<'_> {
        View {
            wasi: state.wasi.random(),
            granted: state.random,
            meter: &state.meter,
            warrant: &state.warrant,
        }
    }
    random::add_to_linker::<State, Random>(linker, view)?;
    insecure::add_to_linker::<State, Random>(linker, view)
}

/// Charges for so many bytes.
///
/// **Errors**: more than anybody needs at once.
fn charge(meter: &Meter, len: u64) -> wasmtime::Result<()> {
    meter.charge(fuel::HOST_CALL.saturating_add(len));
    if len > RANDOM_BYTES_MAX {
        return Err(wasmtime::Error::new(TooMany));
    }
    Ok(())
}

/// Sets the generators up for a grant.
pub(crate) fn set_up(wasi: &mut WasiCtxBuilder, grant: &Grant) {
    wasi.max_random_size(RANDOM_BYTES_MAX);
    match grant.random_mode() {
        Some(RandomMode::Real) => {}
        Some(RandomMode::Seeded(seed)) => {
            wasi.secure_random(Seeded::new(seed, b"secure"));
            wasi.insecure_random(Seeded::new(seed, b"insecure"));
            wasi.insecure_random_seed(number(&Seeded::new(seed, b"seed").block));
        }
        None => {
            let digest = grant.digest().as_bytes();
            wasi.insecure_random_seed(number(digest));
            wasi.insecure_random(Deterministic::new(digest.to_vec()));
        }
    }
}

fn number(bytes: &[u8; 32]) -> u128 {
    let (low, _) = bytes.split_at(16);
    low.iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

/// A generator that gives the same bytes for the same seed in every version of the host and on every
/// machine, which those of libraries don't promise: block after block, the SHA-256 of what it is for,
/// the seed and the block's number.
struct Seeded {
    purpose: &'static [u8],
    seed: u64,
    number: u64,
    block: [u8; 32],
    given: usize,
}

impl Seeded {
    fn new(seed: u64, purpose: &'static [u8]) -> Self {
        Self {
            purpose,
            seed,
            number: 0,
            block: Self::block(purpose, seed, 0),
            given: 0,
        }
    }

    fn block(purpose: &[u8], seed: u64, number: u64) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(purpose);
        hash.update(seed.to_be_bytes());
        hash.update(number.to_be_bytes());
        hash.finalize().into()
    }

    fn give(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            if self.given == self.block.len() {
                self.number += 1;
                self.block = Self::block(self.purpose, self.seed, self.number);
                self.given = 0;
            }
            let count = bytes.len().min(self.block.len() - self.given);
            let (now, later) = bytes.split_at_mut(count);
            now.copy_from_slice(&self.block[self.given..self.given + count]);
            self.given += count;
            bytes = later;
        }
    }
}

impl TryRng for Seeded {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.give(&mut bytes);
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.give(&mut bytes);
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.give(bytes);
        Ok(())
    }
}

impl random::Host for View<'_> {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.check()?;
        charge(self.meter, len)?;
        self.wasi.get_random_bytes(len)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.check()?;
        self.meter.charge(fuel::HOST_CALL);
        self.wasi.get_random_u64()
    }
}

impl insecure::Host for View<'_> {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        charge(self.meter, len)?;
        self.wasi.get_insecure_random_bytes(len)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.meter.charge(fuel::HOST_CALL);
        self.wasi.get_insecure_random_u64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(seed: u64, purpose: &'static [u8], counts: &[usize]) -> Vec<u8> {
        let mut generator = Seeded::new(seed, purpose);
        let mut all = Vec::new();
        for count in counts {
            let mut bytes = vec![0; *count];
            generator.give(&mut bytes);
            all.extend(bytes);
        }
        all
    }

    #[test]
    fn a_seed_gives_its_bytes_however_they_are_asked_for() {
        let all = bytes(7, b"secure", &[100]);
        assert_eq!(bytes(7, b"secure", &[1, 31, 0, 33, 35]), all);
        assert_ne!(bytes(8, b"secure", &[100]), all);
        assert_ne!(bytes(7, b"insecure", &[100]), all);
        assert_ne!(all[..32], all[32..64], "blocks differ");
        // As it was when it was written: a change would break what was recorded.
        assert_eq!(all[..4], SEVENTH);
    }

    /// SHA-256 of `secure`, 7 and 0, as `sha256sum` computes it.
    const SEVENTH: [u8; 4] = [0xa2, 0x85, 0xc0, 0xbd];
}
