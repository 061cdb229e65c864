//! What goes in and what comes out.

use std::time::Duration;

use cofferdam_process::Ended;
use cofferdam_testing::scale;
use serde_json::json;

use crate::stand::Stand;

/// PR-12: both sides at once.
#[tokio::test]
async fn a_megabyte_each_way() {
    let stand = Stand::probe(json!({}));
    let text: Vec<u8> = (0..1 << 20)
        .map(|byte: u32| byte.to_le_bytes()[0])
        .collect();
    let finished = stand.run_with(&["echo"], &text).await.expect("an end");
    assert!(finished.stdout.bytes == text && finished.stderr.bytes == text);
    assert!(!finished.stdout.is_truncated());
}

/// PR-12: the input is left lying.
#[tokio::test]
async fn what_is_given_need_not_be_read() {
    let stand = Stand::probe(json!({}));
    let finished = stand
        .run_with(&["code", "3"], &vec![0; 1 << 20])
        .await
        .expect("an end");
    assert_eq!(finished.ended, Ended::Exited(3));
}

/// PR-11: a part of it, counted to the last byte.
#[tokio::test]
async fn too_much_output_is_cut_and_counted() {
    let stand = Stand::probe(json!({"limits": {"output": "64KiB"}}));
    // Ten gigabytes in full, of which each of the two streams takes half.
    let mebibytes = scale::of(5_000, 50);
    let finished = stand
        .run(&["flood", &mebibytes.to_string()])
        .await
        .expect("an end");
    for output in [&finished.stdout, &finished.stderr] {
        assert_eq!(output.bytes.len(), 64 << 10);
        assert_eq!(output.total_bytes, (mebibytes << 20) as u64);
        assert!(output.is_truncated());
    }
    assert_eq!(finished.ended, Ended::Exited(0));
}

#[tokio::test]
async fn how_it_ended_is_told() {
    let stand = Stand::probe(json!({}));
    let finished = stand.run(&["code", "42"]).await.expect("an end");
    assert_eq!(finished.ended, Ended::Exited(42));
    let finished = stand.run(&["abort"]).await.expect("an end");
    assert_eq!(finished.ended, Ended::Signalled(6));
    assert!(finished.wall > Duration::ZERO);
}
