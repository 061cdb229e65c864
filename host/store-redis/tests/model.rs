//! The Redis backend against the memory one, over random operations.

use cofferdam_store_api::conformance::model::{compare, ops};
use cofferdam_store_redis::open;
use cofferdam_store_redis::testing::Server;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Sequences of each run.
const CASES: u32 = 1_000;

#[test]
fn answers_as_the_model_does() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let server = Server::new();
    let stores = runtime
        .block_on(open(&server.settings()))
        .expect("a fit server");
    let config = ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let answer = TestRunner::new(config).run(&ops(1..40), |ops| {
        server.ask("FLUSHALL");
        let model = cofferdam_store_memory::open();
        runtime.block_on(compare(&model, &stores.stores(), &ops));
        Ok(())
    });
    answer.expect("the answers of the model");
}
