//! A component for limits to stop. `spin-forever` never ends by itself; `spin-count` does what it
//! is asked and shows that the same component is well otherwise.

use std::hint::black_box;

use cofferdam_sdk::{ToolError, tool};

/// Counts and never comes to an end.
#[tool(read_only, idempotent)]
fn forever() -> Result<u64, ToolError> {
    let mut count = 0_u64;
    loop {
        count = black_box(count.wrapping_add(1));
    }
}

/// Counts up to a number and returns it.
#[tool(read_only, idempotent)]
fn count(
    /// Where to stop.
    until: u32,
) -> Result<u32, ToolError> {
    let mut count = 0;
    while count < until {
        count = black_box(count + 1);
    }
    Ok(count)
}

cofferdam_sdk::tools![forever, count];

#[cfg(test)]
mod tests {
    #[test]
    fn counting_ends_where_it_should() {
        for until in [0, 1, 1_000] {
            assert_eq!(super::count(until).ok(), Some(until));
        }
    }
}
