//! The embedded backend against the memory one, over random operations and restarts.

use cofferdam_store_api::conformance::model::{compare, ops};
use cofferdam_store_embedded::{Durability, open};
use proptest::prelude::*;
use tempfile::TempDir;

/// Sequences of each run, about 10 ms each.
const CASES: u32 = 400;

/// In memory where the system has such a place: opening and closing wait for the disk otherwise,
/// and what a disk keeps is not the question here.
fn scratch() -> TempDir {
    let directory = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new());
    directory.expect("a temporary directory")
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn answers_as_the_model_does(lives in prop::collection::vec(ops(1..40), 1..4)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let directory = scratch();
        let path = directory.path().join("store.db");
        let model = cofferdam_store_memory::open();
        for ops in lives {
            let subject = open(&path, Durability::Fast).expect("a readable file").stores();
            runtime.block_on(compare(&model, &subject, &ops));
        }
    }
}
