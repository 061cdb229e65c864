cofferdam_sdk::tools![];

mod more {
    cofferdam_sdk::tools! { name = "ui"; greet }
}

fn main() {}
