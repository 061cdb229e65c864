//! Any type and any JSON: schema and decoder agree, and what is accepted comes back the same.
//!
//! The input is up to 255 bytes for the type, led by their count; then a byte that chooses between
//! JSON text and JSON near a value of the type; then the text, or the bytes that it is made from.

#![no_main]

#[path = "../../../../host/values/tests/values/generate.rs"]
mod generate;

use generate::{Bytes, accepts, any, bend, returns, ty, validator, value};
use libfuzzer_sys::fuzz_target;

/// Deeper than the property test goes, and still quick.
const DEPTH_MAX: usize = 5;

fuzz_target!(|data: &[u8]| {
    let Some((count, rest)) = data.split_first() else {
        return;
    };
    let Some((of_type, rest)) = rest.split_at_checked(usize::from(*count)) else {
        return;
    };
    let Some((choice, rest)) = rest.split_first() else {
        return;
    };
    let ty = ty(&mut Bytes(of_type), DEPTH_MAX);
    // Wide types take long to compile and find nothing more.
    if ty.nodes() > 100 {
        return;
    }
    let validator = validator(&ty);
    if choice % 2 == 0 {
        if let Ok(json) = serde_json::from_slice(rest) {
            accepts(&ty, &validator, &json);
        }
        return;
    }
    let mut bytes = Bytes(rest);
    let value = value(&ty, &mut bytes);
    returns(&ty, &validator, &value);
    let mut json = ty.encode(value, usize::MAX).expect("encoded before");
    for _ in 0..bytes.below(4) {
        bend(&mut json, &mut bytes);
    }
    accepts(&ty, &validator, &json);
    accepts(&ty, &validator, &any(&mut bytes, DEPTH_MAX));
});
