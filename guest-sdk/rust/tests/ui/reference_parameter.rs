/// Greets somebody by name.
#[cofferdam_sdk::tool]
fn greet(name: &str) -> String {
    name.to_owned()
}

/// Greets many.
#[cofferdam_sdk::tool]
fn greet_all(names: Vec<&'static str>) -> String {
    names.join(", ")
}

fn main() {}
