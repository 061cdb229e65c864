/// Greets.
#[cofferdam_sdk::tool]
fn greet() {}

cofferdam_sdk::tools! { component = "my_tools"; greet }

fn main() {}
