/// Greets.
#[cofferdam_sdk::tool]
fn greet() {}

/// Greets.
#[cofferdam_sdk::tool(name = "greet")]
fn greet_again() {}

cofferdam_sdk::tools! { component = "ui"; greet, greet_again }

fn main() {}
