/// Greets.
#[cofferdam_sdk::tool]
fn greet() {}

fn helper() {}

mod more {
    pub fn helper() {}
}

cofferdam_sdk::tools! { component = "ui"; greet, helper, more::helper }

fn main() {}
