#[cofferdam_sdk::tool]
fn greet(name: String) -> String {
    name
}

fn main() {}
