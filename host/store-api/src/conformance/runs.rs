//! Cases of [`crate::Runs`] that need no second driver.

use cofferdam_types::page::PageRequest;
use cofferdam_types::run::RunStatus;
use cofferdam_types::task::{Task, TaskStatus};

use super::sample::{
    agent_id, claimed, create, created, event, events, finish, later, run, run_id, started, task,
    tenant, time,
};
use crate::{Append, RunFilter, StoreError, Stores};

/// One write makes the run, its first event and the task's next state.
pub async fn create_writes_run_event_and_task(stores: Stores) {
    let own = tenant("alpha");
    let first = task(&own, 1);
    let queued = run(&first, 2);
    let after = Task {
        status: TaskStatus::Queued,
        run_id: Some(queued.id),
        updated_at: time(1),
        ..first.clone()
    };
    assert_eq!(stores.tasks.create(&first).await, Ok(()));
    assert_eq!(stores.runs.get(&own, &queued.id).await, Ok(None));
    let log = [created(&queued)];
    let append = Append {
        run: &queued,
        task: Some(&after),
        events: &log,
    };
    assert_eq!(stores.runs.create(append).await, Ok(()));
    assert_eq!(
        stores.runs.get(&own, &queued.id).await,
        Ok(Some(queued.clone()))
    );
    assert_eq!(stores.tasks.get(&own, &first.id).await, Ok(Some(after)));
    let kept = stores.events.read(&own, &queued.id, 0, 10).await;
    assert_eq!(kept, Ok(log.to_vec()));
}

/// Each reason to refuse, and nothing of the refused run is there afterwards.
pub async fn create_refuses_and_leaves_nothing(stores: Stores) {
    let own = tenant("alpha");
    let (first, taken) = started(&stores, &own, 1).await;
    let head = claimed(&stores, &taken, 1).await;
    let over = finish(&stores, &head).await;

    let free = run(&first, 2);
    let orphan = run(&task(&own, 9), 3);
    let foreign = task(&tenant("beta"), 8);
    assert_eq!(stores.tasks.create(&foreign).await, Ok(()));
    let same = run(&foreign, 1);
    let late = later(&free, 1, RunStatus::Queued);
    let changed = Task {
        title: "changed".to_owned(),
        ..first.clone()
    };
    let cases = [
        (
            "a taken id",
            &taken,
            vec![created(&taken)],
            StoreError::Conflict,
        ),
        (
            "another tenant's id",
            &same,
            vec![created(&same)],
            StoreError::Conflict,
        ),
        ("no events", &free, vec![], StoreError::Conflict),
        ("not number 1", &late, vec![event(2)], StoreError::Conflict),
        (
            "no task",
            &orphan,
            vec![created(&orphan)],
            StoreError::Missing,
        ),
    ];
    for (name, run, log, error) in cases {
        let append = Append {
            run,
            task: (run.task_id == first.id).then_some(&changed),
            events: &log,
        };
        assert_eq!(stores.runs.create(append).await, Err(error), "{name}");
    }
    assert_eq!(stores.runs.get(&own, &taken.id).await, Ok(Some(over)));
    assert_eq!(stores.tasks.get(&own, &first.id).await, Ok(Some(first)));
    for absent in [&free, &orphan] {
        assert_eq!(stores.runs.get(&own, &absent.id).await, Ok(None));
        let kept = stores.events.read(&own, &absent.id, 0, 10).await;
        assert_eq!(kept, Ok(Vec::new()));
    }
}

/// A cancel that was answered holds against a start that was under way.
pub async fn a_cancelled_task_takes_no_run(stores: Stores) {
    let own = tenant("alpha");
    let seen = task(&own, 1);
    assert_eq!(stores.tasks.create(&seen).await, Ok(()));
    let cancelled = Task {
        status: TaskStatus::Cancelled,
        updated_at: time(1),
        ..seen.clone()
    };
    assert_eq!(stores.tasks.update(&cancelled, time(0)).await, Ok(()));

    let run = run(&seen, 1);
    let queued = Task {
        status: TaskStatus::Queued,
        run_id: Some(run.id),
        ..seen
    };
    let append = Append {
        run: &run,
        task: Some(&queued),
        events: &[created(&run)],
    };
    assert_eq!(stores.runs.create(append).await, Err(StoreError::Conflict));
    assert_eq!(stores.runs.get(&own, &run.id).await, Ok(None));
    let kept = stores.tasks.get(&own, &cancelled.id).await;
    assert_eq!(kept, Ok(Some(cancelled)));
}

/// A second run waits until the first is over, however that ends.
pub async fn one_live_run_per_task(stores: Stores) {
    let own = tenant("alpha");
    let (task, mut live) = started(&stores, &own, 1).await;
    let ends = [
        RunStatus::Completed,
        RunStatus::Failed,
        RunStatus::Cancelled,
    ];
    for (n, end) in (2..).zip(ends) {
        let next = run(&task, n);
        let log = [created(&next)];
        let append = || Append {
            run: &next,
            task: None,
            events: &log,
        };
        assert_eq!(
            stores.runs.create(append()).await,
            Err(StoreError::Conflict)
        );
        let over = later(&live, 1, end);
        let last = Append {
            run: &over,
            task: None,
            events: &[event(over.seq)],
        };
        assert_eq!(stores.runs.append(last).await, Ok(()));
        assert_eq!(stores.runs.create(append()).await, Ok(()));
        live = next;
    }
    let filter = RunFilter {
        task_id: Some(task.id),
    };
    let page = stores.runs.list(&own, &filter, &PageRequest::first()).await;
    assert_eq!(page.expect("a page").items.len(), 4);
}

/// An append sets the head and the task and adds its events; without a task, the task stays.
pub async fn append_moves_all_on(stores: Stores) {
    let own = tenant("alpha");
    let (first, queued) = started(&stores, &own, 1).await;
    let head = claimed(&stores, &queued, 1).await;
    let running = later(&head, 2, RunStatus::Running);
    let active = Task {
        status: TaskStatus::Active,
        updated_at: time(9),
        ..first
    };
    let append = Append {
        run: &running,
        task: Some(&active),
        events: &events(2, 3),
    };
    assert_eq!(stores.runs.append(append).await, Ok(()));
    let full = Append::EVENTS_MAX as u64;
    let further = later(&running, full, RunStatus::Running);
    let append = Append {
        run: &further,
        task: None,
        events: &events(4, 3 + full),
    };
    assert_eq!(stores.runs.append(append).await, Ok(()));

    let kept = stores.runs.get(&own, &queued.id).await;
    assert_eq!(kept, Ok(Some(further)));
    let kept = stores.tasks.get(&own, &active.id).await;
    assert_eq!(kept, Ok(Some(active)));
    let kept = stores.events.read(&own, &queued.id, 1, 100).await;
    assert_eq!(kept, Ok(events(2, 3 + full)));
}

/// The first request counts; a finished run takes none.
pub async fn cancel_is_noted_once(stores: Stores) {
    let own = tenant("alpha");
    let (_, queued) = started(&stores, &own, 1).await;
    let cancel = |at| stores.runs.request_cancel(&own, &queued.id, time(at));
    let noted = cancel(5).await.expect("a run");
    assert!(noted.cancel_requested);
    assert_eq!(noted.updated_at, time(5));
    assert_eq!(cancel(6).await, Ok(noted.clone()));
    assert_eq!(stores.runs.get(&own, &queued.id).await, Ok(Some(noted)));

    let (_, other) = started(&stores, &own, 2).await;
    let head = claimed(&stores, &other, 1).await;
    let over = finish(&stores, &head).await;
    let answer = stores.runs.request_cancel(&own, &over.id, time(99)).await;
    assert_eq!(answer, Ok(over));

    let absent = stores.runs.request_cancel(&own, &run_id(3), time(1)).await;
    assert_eq!(absent, Err(StoreError::Missing));
}

/// A driver that does not know of the request yet can't undo it, nor invent one.
pub async fn append_keeps_the_cancel(stores: Stores) {
    let own = tenant("alpha");
    let (_, queued) = started(&stores, &own, 1).await;
    let head = claimed(&stores, &queued, 1).await;
    for (asked, told, kept) in [(false, true, false), (true, false, true)] {
        if asked {
            let answer = stores.runs.request_cancel(&own, &queued.id, time(1)).await;
            assert!(answer.is_ok_and(|run| run.cancel_requested));
        }
        let seen = stores.runs.get(&own, &queued.id).await;
        let seen = seen.expect("a read").expect("the run");
        let mut next = later(&seen, 1, RunStatus::Running);
        next.cancel_requested = told;
        let append = Append {
            run: &next,
            task: None,
            events: &[event(next.seq)],
        };
        assert_eq!(stores.runs.append(append).await, Ok(()));
        next.cancel_requested = kept;
        let seen = stores.runs.get(&own, &queued.id).await;
        assert_eq!(seen, Ok(Some(next)));
    }
    let claim = claimed(&stores, &queued, 2).await;
    assert!(claim.cancel_requested);
    assert_eq!(claim.epoch, head.epoch + 1);
}

/// Newest first, all of a tenant's or one task's.
pub async fn list_pages_newest_first(stores: Stores) {
    let own = tenant("alpha");
    let (task, mut head) = started(&stores, &own, 1).await;
    for n in [3, 5] {
        let driven = claimed(&stores, &head, 1).await;
        finish(&stores, &driven).await;
        head = run(&task, n);
        create(&stores, &head).await;
    }
    for n in [2, 4] {
        started(&stores, &own, n).await;
    }
    let one = Some(task.id);
    for (task_id, after, numbers, next) in [
        (None, None, [5, 4].as_slice(), Some(4)),
        (None, Some(4), &[3, 2], Some(2)),
        (None, Some(2), &[1], None),
        (one, None, &[5, 3], Some(3)),
        (one, Some(3), &[1], None),
        (one, Some(1), &[], None),
    ] {
        let filter = RunFilter { task_id };
        let request = PageRequest {
            after: after.map(run_id),
            limit: 2,
        };
        let page = stores.runs.list(&own, &filter, &request).await;
        let page = page.expect("a page");
        let kept: Vec<_> = page.items.iter().map(|run| run.id).collect();
        let expected: Vec<_> = numbers.iter().copied().map(run_id).collect();
        assert_eq!((kept, page.next), (expected, next.map(run_id)));
    }
}

/// What a host that starts takes over: every tenant's runs that are not over, oldest first.
pub async fn unfinished_pages_over_tenants(stores: Stores) {
    let owners = [tenant("alpha"), tenant("beta"), tenant("gamma")];
    let owner = |n: u32| &owners[n as usize % owners.len()];
    for n in [6, 2, 5, 1, 4, 3] {
        let (_, queued) = started(&stores, owner(n), n).await;
        // 3 is over, 4 is driven by somebody, the others wait.
        if n == 3 || n == 4 {
            let head = stores.runs.claim(owner(n), &queued.id, &agent_id(1)).await;
            if n == 3 {
                finish(&stores, &head.expect("a live run").run).await;
            }
        }
    }
    for (after, numbers, next) in [
        (None, [1, 2].as_slice(), Some(2)),
        (Some(2), &[4, 5], Some(5)),
        (Some(3), &[4, 5], Some(5)),
        (Some(5), &[6], None),
        (Some(6), &[], None),
    ] {
        let request = PageRequest {
            after: after.map(run_id),
            limit: 2,
        };
        let page = stores.runs.unfinished(&request).await;
        let page = page.expect("a page");
        let expected: Vec<_> = numbers
            .iter()
            .map(|n| (owner(*n).clone(), run_id(*n)))
            .collect();
        assert_eq!((page.items, page.next), (expected, next.map(run_id)));
    }
}
