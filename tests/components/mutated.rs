use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use cofferdam_testing::{Guest, Host, Leftovers, show};

use crate::{Taken, offer};

/// Mutated components.
const MUTATIONS: usize = 2_000;

/// A generator of numbers that is the same at every run, so that a failure can be repeated
/// (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).expect("31 bits") % end
    }
}

/// Three small components of different makes.
fn seeds() -> Result<Vec<Vec<u8>>> {
    let clock = r#"(import "wasi:clocks/monotonic-clock@0.2.12" "now" (func $now (result i64)))"#;
    let mut large =
        Guest::new("(i32.add (global.get $answer) (i32.const 0))").named("computing", "0.1.0");
    for index in 0..40 {
        large = large.with(&format!(
            "(func (param i32 i32) (result i32)
               (i32.xor (i32.mul (local.get 0) (i32.const {index}0037)) (i32.rotl (local.get 1) (i32.const {index}))))"
        ));
    }
    Ok(vec![
        Guest::well_behaved().component()?,
        Guest::new("(drop (call $now)) (global.get $answer)")
            .with(clock)
            .declaring(&["clocks"])
            .named("ticking", "2.0.0")
            .component()?,
        large.component()?,
    ])
}

/// Changes a few bytes: two times in three only a constant inside code or data, so that many get as
/// far as the compiler.
fn mutate(seed: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut file = seed.to_vec();
    for _ in 0..=numbers.below(2) {
        let at = numbers.below(file.len());
        match numbers.below(12) {
            0 => file[at] ^= 1 << numbers.below(8),
            1 => file[at] = u8::try_from(numbers.below(256)).expect("a byte"),
            2 => drop(file.remove(at)),
            3 => file.insert(at, u8::try_from(numbers.below(256)).expect("a byte")),
            _ => {
                // After an `i32.const` opcode stands a constant: small ones stay one byte.
                let after = file[at..]
                    .iter()
                    .position(|byte| *byte == 0x41)
                    .map(|offset| at + offset + 1);
                if let Some(place) = after.and_then(|place| file.get_mut(place)) {
                    *place = u8::try_from(numbers.below(64)).expect("a byte");
                }
            }
        }
    }
    file
}

#[tokio::test]
async fn mutations_are_accepted_or_refused_and_nothing_else() -> Result<()> {
    let host = Host::start()?;
    let seeds = seeds()?;
    let mut numbers = Numbers(0x00C0_FFEE_D00D);
    let (mut compiled, mut refusals) = (0, Vec::new());
    for seed in &seeds {
        offer(&host, seed.clone()).await?;
    }
    let mut before = Leftovers::of(host.pid())?;
    for index in 0..MUTATIONS {
        if index == MUTATIONS / 4 {
            before = Leftovers::of(host.pid())?;
        }
        let file = mutate(&seeds[index % seeds.len()], &mut numbers);
        let begin = Instant::now();
        let (taken, answer) = offer(&host, file).await?;
        if taken == Taken::Refused {
            refusals.push(begin.elapsed());
        }
        // A component that could not describe itself was compiled first.
        let described = answer.body["error"]["details"].get("cause").is_some()
            || answer.body["error"]["details"].get("faults").is_some();
        if taken == Taken::Accepted || described {
            compiled += 1;
        }
        if index % 200 == 0 {
            ensure!(host.get("/api/v1/health").await?.status == 200);
        }
    }
    refusals.sort();
    let p99 = refusals[refusals.len() * 99 / 100];
    show(&format!(
        "{MUTATIONS} mutations: {compiled} compiled, {} refused, p99 of refusals {p99:?}",
        refusals.len()
    ));
    ensure!(
        compiled * 3 >= MUTATIONS,
        "only {compiled} got as far as the compiler"
    );
    ensure!(p99 < Duration::from_millis(100), "refusing took {p99:?}");
    Leftovers::of(host.pid())?.check(&before)?;
    host.stop()
}

#[tokio::test]
async fn truncations_are_refused_unless_nothing_of_use_is_missing() -> Result<()> {
    let host = Host::start()?;
    let mut accepted = 0;
    for seed in seeds()? {
        for length in 0..seed.len() {
            let (taken, answer) = offer(&host, seed[..length].to_vec()).await?;
            accepted += usize::from(taken == Taken::Accepted);
            // What stands behind the last export are names and producers: without them it is whole.
            let whole = length > seed.len() / 2;
            ensure!(
                taken == Taken::Refused || whole,
                "{length} of {}: {}",
                seed.len(),
                answer.body
            );
        }
    }
    ensure!(
        accepted < 20,
        "{accepted} truncated components were accepted"
    );
    host.stop()
}
