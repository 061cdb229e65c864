//! Cases of [`crate::Tasks`].

use cofferdam_types::failure::{Code, Failure};
use cofferdam_types::page::PageRequest;
use cofferdam_types::plan::{Condition, Retry};
use cofferdam_types::task::{Task, TaskStatus, TaskWorkspace};
use cofferdam_types::workspace::Access;
use serde_json::{Value, json};

use super::sample::{claimed, finish, run_id, started, task, task_id, tenant, time};
use crate::{StoreError, Stores, TaskFilter};

/// What is created comes back.
pub async fn create_and_get(stores: Stores) {
    let own = tenant("alpha");
    let task = task(&own, 1);
    assert_eq!(stores.tasks.get(&own, &task.id).await, Ok(None));
    assert_eq!(stores.tasks.create(&task).await, Ok(()));
    assert_eq!(stores.tasks.get(&own, &task.id).await, Ok(Some(task)));
}

/// An id is taken in whichever tenant; the first record stays.
pub async fn a_taken_id_is_refused(stores: Stores) {
    let (own, other) = (tenant("alpha"), tenant("beta"));
    let first = task(&own, 1);
    assert_eq!(stores.tasks.create(&first).await, Ok(()));
    for owner in [&own, &other] {
        let second = Task {
            title: "another".to_owned(),
            ..task(owner, 1)
        };
        assert_eq!(
            stores.tasks.create(&second).await,
            Err(StoreError::Conflict)
        );
    }
    assert_eq!(stores.tasks.get(&own, &first.id).await, Ok(Some(first)));
    assert_eq!(stores.tasks.get(&other, &task_id(1)).await, Ok(None));
}

/// Pages follow each other without gap or repetition, with a filter as without.
pub async fn list_pages_newest_first(stores: Stores) {
    let own = tenant("alpha");
    for n in [3, 1, 7, 5, 2, 6, 4] {
        let mut task = task(&own, n);
        if n % 2 == 0 {
            task.status = TaskStatus::Failed;
        }
        assert_eq!(stores.tasks.create(&task).await, Ok(()));
    }
    let failed = Some(TaskStatus::Failed);
    for (status, limit, pages) in [
        (None, 3, vec![vec![7, 6, 5], vec![4, 3, 2], vec![1]]),
        (None, 7, vec![vec![7, 6, 5, 4, 3, 2, 1]]),
        (failed, 2, vec![vec![6, 4], vec![2]]),
        (failed, 3, vec![vec![6, 4, 2]]),
        (Some(TaskStatus::Active), 3, vec![vec![]]),
        // A limit out of range is brought into it.
        (failed, 0, vec![vec![6], vec![4], vec![2]]),
        (failed, u32::MAX, vec![vec![6, 4, 2]]),
    ] {
        let filter = TaskFilter { status };
        let mut after = None;
        for (index, expected) in pages.iter().enumerate() {
            let request = PageRequest { after, limit };
            let page = stores.tasks.list(&own, &filter, &request).await;
            let page = page.expect("a page");
            let ids: Vec<_> = page.items.iter().map(|task| task.id).collect();
            let expected: Vec<_> = expected.iter().copied().map(task_id).collect();
            assert_eq!(ids, expected, "{status:?} by {limit}, page {index}");
            let last = index + 1 == pages.len();
            let next = expected.last().copied().filter(|_| !last);
            assert_eq!(page.next, next, "{status:?} by {limit}, page {index}");
            after = page.next;
        }
    }
    // A key that names nothing still says where to go on.
    let request = PageRequest {
        after: Some(task_id(0)),
        limit: 3,
    };
    let filter = TaskFilter::default();
    let page = stores.tasks.list(&own, &filter, &request).await;
    assert_eq!(page.expect("a page").items, Vec::new());
}

/// A writer who did not see the latest change is refused.
pub async fn update_needs_the_expected_time(stores: Stores) {
    let own = tenant("alpha");
    let first = task(&own, 1);
    let cancelled = Task {
        status: TaskStatus::Cancelled,
        updated_at: time(5),
        ..first.clone()
    };
    let tasks = &stores.tasks;
    assert_eq!(
        tasks.update(&cancelled, time(0)).await,
        Err(StoreError::Missing)
    );
    assert_eq!(tasks.create(&first).await, Ok(()));
    assert_eq!(
        tasks.update(&cancelled, time(1)).await,
        Err(StoreError::Conflict)
    );
    assert_eq!(tasks.get(&own, &first.id).await, Ok(Some(first)));
    assert_eq!(tasks.update(&cancelled, time(0)).await, Ok(()));
    assert_eq!(
        tasks.update(&cancelled, time(0)).await,
        Err(StoreError::Conflict)
    );
    let kept = tasks.get(&own, &cancelled.id).await;
    assert_eq!(kept, Ok(Some(cancelled)));
    // The filter sees the state that the update brought.
    let filter = TaskFilter {
        status: Some(TaskStatus::Cancelled),
    };
    let page = tasks.list(&own, &filter, &PageRequest::first()).await;
    assert_eq!(page.expect("a page").items.len(), 1);
}

/// While a run is not over, only the run changes the task.
pub async fn update_waits_for_the_run(stores: Stores) {
    let own = tenant("alpha");
    let (first, run) = started(&stores, &own, 1).await;
    let renamed = Task {
        title: "renamed".to_owned(),
        ..first.clone()
    };
    assert_eq!(
        stores.tasks.update(&renamed, time(0)).await,
        Err(StoreError::Conflict)
    );
    let kept = stores.tasks.get(&own, &first.id).await;
    assert_eq!(kept, Ok(Some(first)));
    let head = claimed(&stores, &run, 1).await;
    finish(&stores, &head).await;
    assert_eq!(stores.tasks.update(&renamed, time(0)).await, Ok(()));
    let kept = stores.tasks.get(&own, &renamed.id).await;
    assert_eq!(kept, Ok(Some(renamed)));
}

/// Every field and every kind of JSON value comes back as it was.
pub async fn rich_json_comes_back(stores: Stores) {
    let own = tenant("alpha");
    // As deep as the doors let JSON in.
    let deep = (0..64).fold(Value::Null, |inner, _| json!([inner]));
    let mut task = task(&own, 1);
    task.description = "Ünïcode \u{0} \u{1f980} \"quoted\"".into();
    task.parameters = json!({
        "numbers": [0.1, 1e-300, 123_456_789.123_456_79, -0.0, u64::MAX, i64::MIN],
        "text": "line\nline\u{2028}\u{0}",
        "": {"~1/": [true, false, null]},
        "deep": deep,
    })
    .into();
    task.plan.steps[0].when = Some(Condition::Not(Box::new(Condition::All(vec![
        Condition::Exists("/parameters/text".to_owned()),
        Condition::Equals(json!(1).into(), json!(1.0).into()),
    ]))));
    task.plan.steps[0].retry = Retry {
        max_attempts: 3,
        backoff_ms: 20,
    };
    task.plan.result = Some(json!({"$from": "/steps/read/result"}).into());
    task.workspace = Some(TaskWorkspace {
        name: "demo_1".parse().expect("a workspace name"),
        access: Access::ReadWrite,
    });
    task.run_id = Some(run_id(9));
    task.result = Some(json!(null).into());
    task.error = Some(Failure::new(Code::Trap, "it trapped").with("limit", json!({"a": [1]})));
    task.status_reason = Some("dead_letter".to_owned());
    assert_eq!(stores.tasks.create(&task).await, Ok(()));
    let kept = stores.tasks.get(&own, &task.id).await;
    assert_eq!(kept, Ok(Some(task)));
}
