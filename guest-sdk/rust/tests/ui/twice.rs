/// Greets.
#[cofferdam_sdk::tool]
fn greet() {}

cofferdam_sdk::tools! { component = "ui"; greet }
cofferdam_sdk::tools! { component = "ui"; greet }

fn main() {}
