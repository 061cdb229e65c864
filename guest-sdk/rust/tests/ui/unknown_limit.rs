/// Reads.
#[cofferdam_sdk::tool(limits(time = 5))]
fn read() {}

/// Reads.
#[cofferdam_sdk::tool(limits(fuel = 0))]
fn read_more() {}

/// Reads.
#[cofferdam_sdk::tool(limits(fuel = "much"))]
fn read_much() {}

fn main() {}
