/// Prints anything.
#[cofferdam_sdk::tool]
fn print<T: std::fmt::Debug>(value: T) -> String {
    format!("{value:?}")
}

/// Prints anything too.
#[cofferdam_sdk::tool]
fn show(value: impl std::fmt::Debug) -> String {
    format!("{value:?}")
}

fn main() {}
