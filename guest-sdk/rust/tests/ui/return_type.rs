/// Greets.
#[cofferdam_sdk::tool]
fn greet() -> impl std::fmt::Display {
    1
}

struct Opaque;

/// Greets.
#[cofferdam_sdk::tool]
fn greet_with() -> Result<Opaque, cofferdam_sdk::ToolError> {
    Ok(Opaque)
}

/// Greets.
#[cofferdam_sdk::tool]
fn greet_or_not() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
