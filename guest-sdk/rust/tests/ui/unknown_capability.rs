/// Reads.
#[cofferdam_sdk::tool(capabilities(filesystem))]
fn read() {}

/// Reads.
#[cofferdam_sdk::tool(capabilities(workspace))]
fn read_more() {}

/// Reads.
#[cofferdam_sdk::tool(capabilities(clocks, clocks))]
fn read_clocks() {}

fn main() {}
