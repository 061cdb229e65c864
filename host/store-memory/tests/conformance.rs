//! The memory backend against the promises of the store traits.

use cofferdam_store_api::Stores;
use cofferdam_store_api::conformance::Harness;

struct Memory(Stores);

impl Harness for Memory {
    fn stores(&self) -> Stores {
        self.0.clone()
    }
}

cofferdam_store_api::conformance!(Memory(cofferdam_store_memory::open()));
