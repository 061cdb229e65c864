/// Greets.
#[cofferdam_sdk::tool(name = "greets-somebody-by-name-and-takes-its-time")]
fn greet() {}

/// Greets.
#[cofferdam_sdk::tool(name = "greets-somebody-by-name-and-takes-all-the-time-that-there-is-left")]
fn greet_longer() {}

cofferdam_sdk::tools! { component = "a-component-with-a-long-name"; greet }

fn main() {}
