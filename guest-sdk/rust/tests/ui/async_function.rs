/// Waits.
#[cofferdam_sdk::tool]
async fn wait() {}

cofferdam_sdk::tools! { component = "ui"; wait }

fn main() {}
