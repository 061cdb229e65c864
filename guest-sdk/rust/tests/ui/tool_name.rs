/// Greets somebody by name.
#[cofferdam_sdk::tool(name = "Greet_Somebody")]
fn greet(name: String) -> String {
    name
}

/// Greets somebody by name.
#[cofferdam_sdk::tool]
fn größe(name: String) -> String {
    name
}

/// Greets somebody by name.
#[cofferdam_sdk::tool]
fn ___() {}

fn main() {}
