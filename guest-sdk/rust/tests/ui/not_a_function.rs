/// Greets.
#[cofferdam_sdk::tool]
struct Greet;

/// Greets.
#[cofferdam_sdk::data]
fn greet() {}

/// Greets.
#[cofferdam_sdk::data(read)]
struct Greeting;

fn main() {}
