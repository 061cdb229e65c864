struct Counter(u32);

impl Counter {
    /// Counts.
    #[cofferdam_sdk::tool]
    fn count(&self) -> u32 {
        self.0
    }
}

fn main() {}
