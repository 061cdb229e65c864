//! Regular expressions of callers.

use regex::{Regex, RegexBuilder};

use crate::fault::Fault;

/// A longer pattern is a mistake.
const PATTERN_BYTES_MAX: usize = 4 * 1024;

/// Memory that a compiled pattern may take. `\w{100}` needs about 200 KiB.
const COMPILED_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Nested groups of a pattern.
const NESTING_MAX: u32 = 50;

/// Compiles a pattern whose matching takes time in proportion to the text.
///
/// **Errors**: `invalid_step`.
pub(crate) fn compile(pattern: &str) -> Result<Regex, Fault> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(Fault::step(format!(
            "a pattern has at most {PATTERN_BYTES_MAX} bytes"
        )));
    }
    RegexBuilder::new(pattern)
        .size_limit(COMPILED_BYTES_MAX)
        .dfa_size_limit(COMPILED_BYTES_MAX)
        .nest_limit(NESTING_MAX)
        .build()
        .map_err(|error| Fault::step(error.to_string()))
}
