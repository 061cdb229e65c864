/// Greets somebody by name.
#[cofferdam_sdk::tool]
fn greet(#[optional] name: String) -> String {
    name
}

/// Greets somebody by name.
#[cofferdam_sdk::tool]
fn greet_again(#[default] name: String) -> String {
    name
}

fn main() {}
