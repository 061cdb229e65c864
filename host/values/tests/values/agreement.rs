//! Schema, decoder and encoder say the same, over generated types, values and JSON.

use std::cell::Cell;

use crate::generate::{Bytes, accepts, any, bend, returns, ty, validator, value};
use proptest::collection::vec;
use proptest::prelude::any as arbitrary;
use proptest::test_runner::{Config, TestRunner};

const TYPES: u32 = 5_000;
/// Values, and JSON near them, of each type.
const EACH: u32 = 4;

#[test]
#[expect(
    clippy::print_stdout,
    reason = "the figures belong into the log of a run"
)]
fn schema_accepts_what_the_decoder_accepts() {
    let accepted = Cell::new(0_u32);
    let refused = Cell::new(0_u32);
    let bytes = (vec(arbitrary::<u8>(), 8..60), vec(arbitrary::<u8>(), 200));
    let config = Config {
        cases: TYPES,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&bytes, |(of_type, of_values)| {
            let ty = ty(&mut Bytes(&of_type), 3);
            let validator = validator(&ty);
            let mut bytes = Bytes(&of_values);
            for _ in 0..EACH {
                let value = value(&ty, &mut bytes);
                returns(&ty, &validator, &value);
                let mut near = ty.encode(value, usize::MAX).expect("encoded before");
                for _ in 0..=bytes.below(2) {
                    bend(&mut near, &mut bytes);
                }
                for json in [near, any(&mut bytes, 2)] {
                    let is_accepted = accepts(&ty, &validator, &json);
                    let count = if is_accepted { &accepted } else { &refused };
                    count.set(count.get() + 1);
                }
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    let (accepted, refused) = (accepted.get(), refused.get());
    let total = accepted + refused;
    println!(
        "values {}, JSON {total}: {accepted} accepted, {refused} refused",
        TYPES * EACH
    );
    assert!(accepted > total / 10, "{accepted} of {total} accepted");
    assert!(refused > total / 10, "{refused} of {total} refused");
}
