/// Greets somebody by name.
#[cofferdam_sdk::tool(readonly)]
fn greet(name: String) -> String {
    name
}

/// Greets somebody by name.
#[cofferdam_sdk::tool(read_only, read_only)]
fn greet_again(name: String) -> String {
    name
}

fn main() {}
