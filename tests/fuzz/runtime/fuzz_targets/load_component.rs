//! Any bytes as a component: the inspection, which sees a file before the compiler does, accepts or
//! refuses them, and what it says about them keeps its bounds.
//!
//! The sources are the host's own, taken without the engine beside them: building that with the
//! fuzzer's instruments takes longer than fuzzing.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../../host/runtime/src"]
#[allow(dead_code, unreachable_pub, unused_imports, reason = "the rest of the crate uses it")]
mod source {
    pub(crate) mod error;
    pub(crate) mod features;
    pub(crate) mod inspect;
}

use source::inspect::{Inspection, inspect};
// Where the sources look for each other.
pub(crate) use source::{error, features};

/// Longest name of an import or export that is passed on.
const NAME_CHARS_MAX: usize = 200;
/// Longest message about a file: it goes into an answer.
const MESSAGE_BYTES_MAX: usize = 4 << 10;

fuzz_target!(|data: &[u8]| {
    let found = inspect(data);
    assert_eq!(found, inspect(data), "the same bytes are the same component");
    match found {
        Ok(found) => check(&found, data.len()),
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() <= MESSAGE_BYTES_MAX, "{message}");
        }
    }
});

fn check(found: &Inspection, length: usize) {
    assert!(!found.exports.is_empty());
    assert!(found.imports.len() + found.exports.len() <= length);
    assert!(found.functions <= length as u64);
    for name in found.imports.iter().chain(&found.exports) {
        assert!(name.chars().count() <= NAME_CHARS_MAX, "{name}");
        // What is asked of the labels for each function.
        found.labels.docs_of(name);
        found.labels.docs_of(&format!("{name}#run"));
    }
}
