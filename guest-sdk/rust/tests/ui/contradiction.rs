/// Removes a file.
#[cofferdam_sdk::tool(read_only, destructive)]
fn remove() {}

fn main() {}
