//! Cases of [`crate::Runs::claim`] and [`crate::Runs::append`]: one driver at a time, and a log
//! that no lost answer can double.

use cofferdam_types::run::{Event, Run, RunStatus};
use cofferdam_types::task::{Task, TaskStatus};

use super::sample::{
    agent_id, claimed, event, events, finish, later, run_id, started, task, tenant, time,
};
use crate::{Append, StoreError, Stores};

async fn append(stores: &Stores, run: &Run, events: &[Event]) -> Result<(), StoreError> {
    let next = Append {
        run,
        task: None,
        events,
    };
    stores.runs.append(next).await
}

/// Each claim counts the epoch up and names the driver; the log and the rest of the head stay.
pub async fn claims_count_up(stores: Stores) {
    let own = tenant("alpha");
    let (task, queued) = started(&stores, &own, 1).await;
    for n in 1..=3 {
        let claim = stores.runs.claim(&own, &queued.id, &agent_id(n)).await;
        let claim = claim.expect("a live run");
        let expected = Run {
            epoch: u64::from(n),
            agent_id: Some(agent_id(n)),
            ..queued.clone()
        };
        assert_eq!(claim.run, expected);
        assert_eq!(claim.task, task);
        let kept = stores.runs.get(&own, &queued.id).await;
        assert_eq!(kept, Ok(Some(expected)));
    }
    let kept = stores.events.read(&own, &queued.id, 0, 10).await;
    assert_eq!(kept.expect("a log").len(), 1);
    let absent = stores.runs.claim(&own, &run_id(2), &agent_id(1)).await;
    assert_eq!(absent, Err(StoreError::Missing));
}

/// Who was taken for dead can't write into the successor's run, nor can an epoch nobody was given.
pub async fn an_old_driver_is_refused(stores: Stores) {
    let own = tenant("alpha");
    let (_, queued) = started(&stores, &own, 1).await;
    let old = claimed(&stores, &queued, 1).await;
    let new = claimed(&stores, &queued, 2).await;
    let never = Run {
        epoch: new.epoch + 1,
        ..new.clone()
    };
    for other in [&old, &queued, &never] {
        let next = later(other, 1, RunStatus::Running);
        let answer = append(&stores, &next, &events(2, 2)).await;
        assert_eq!(answer, Err(StoreError::Stale), "epoch {}", other.epoch);
    }
    let next = later(&new, 1, RunStatus::Running);
    assert_eq!(append(&stores, &next, &events(2, 2)).await, Ok(()));
}

/// The same append again, after its answer was lost, is refused and not doubled.
pub async fn a_repeated_append_is_refused(stores: Stores) {
    let own = tenant("alpha");
    let (_, queued) = started(&stores, &own, 1).await;
    let head = claimed(&stores, &queued, 1).await;
    let next = later(&head, 2, RunStatus::Running);
    assert_eq!(append(&stores, &next, &events(2, 3)).await, Ok(()));
    for _ in 0..2 {
        let answer = append(&stores, &next, &events(2, 3)).await;
        assert_eq!(answer, Err(StoreError::Stale));
    }
    let kept = stores.events.read(&own, &queued.id, 0, 10).await;
    let numbers: Vec<_> = kept.expect("a log").iter().map(|e| e.seq).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

/// Events must begin right after the log's end.
pub async fn a_gap_is_refused(stores: Stores) {
    let own = tenant("alpha");
    let (_, queued) = started(&stores, &own, 1).await;
    let head = claimed(&stores, &queued, 1).await;
    for (from, to) in [(3, 3), (1, 2), (1, 1)] {
        let next = later(&head, to - head.seq, RunStatus::Running);
        let answer = append(&stores, &next, &events(from, to)).await;
        assert_eq!(answer, Err(StoreError::Stale), "{from} to {to}");
    }
    assert_eq!(stores.runs.get(&own, &queued.id).await, Ok(Some(head)));
}

/// A run that is over never changes again.
pub async fn a_finished_run_is_closed(stores: Stores) {
    let own = tenant("alpha");
    let (_, queued) = started(&stores, &own, 1).await;
    let head = claimed(&stores, &queued, 1).await;
    let over = finish(&stores, &head).await;
    let next = later(&over, 1, RunStatus::Running);
    assert_eq!(
        append(&stores, &next, &[event(next.seq)]).await,
        Err(StoreError::Stale)
    );
    let claim = stores.runs.claim(&own, &queued.id, &agent_id(2)).await;
    assert_eq!(claim, Err(StoreError::Conflict));
    assert_eq!(stores.runs.get(&own, &queued.id).await, Ok(Some(over)));
    let kept = stores.events.read(&own, &queued.id, 0, 10).await;
    assert_eq!(kept.expect("a log").len(), 2);
}

/// Neither head nor task nor event of a refused append is there.
pub async fn a_refused_append_leaves_nothing(stores: Stores) {
    let own = tenant("alpha");
    let (first, queued) = started(&stores, &own, 1).await;
    let old = claimed(&stores, &queued, 1).await;
    let new = claimed(&stores, &queued, 2).await;
    let changed = Task {
        status: TaskStatus::Completed,
        updated_at: time(7),
        ..first.clone()
    };
    let next = later(&old, 2, RunStatus::Completed);
    let refused = Append {
        run: &next,
        task: Some(&changed),
        events: &events(2, 3),
    };
    assert_eq!(stores.runs.append(refused).await, Err(StoreError::Stale));
    assert_eq!(stores.tasks.get(&own, &first.id).await, Ok(Some(first)));
    assert_eq!(stores.runs.get(&own, &queued.id).await, Ok(Some(new)));
    let kept = stores.events.read(&own, &queued.id, 1, 10).await;
    assert_eq!(kept, Ok(Vec::new()));
}

/// An append whose parts don't agree is refused whatever the store holds.
pub async fn contradictions_are_refused(stores: Stores) {
    let own = tenant("alpha");
    let (first, queued) = started(&stores, &own, 1).await;
    let foreign = task(&own, 2);
    assert_eq!(stores.tasks.create(&foreign).await, Ok(()));
    let head = claimed(&stores, &queued, 1).await;
    let too_many = Append::EVENTS_MAX as u64 + 1;
    let one = later(&head, 1, RunStatus::Running);
    let two = later(&head, 2, RunStatus::Running);
    let many = later(&head, too_many, RunStatus::Running);
    let moved = Run {
        task_id: foreign.id,
        ..one.clone()
    };
    let cases = [
        ("no events", &head, None, vec![]),
        ("too many", &many, None, events(2, 1 + too_many)),
        ("head behind", &one, None, events(2, 3)),
        ("head ahead", &two, None, events(2, 2)),
        ("a hole", &two, None, vec![event(1), event(3)]),
        ("twice", &two, None, vec![event(3), event(3)]),
        ("not its task", &one, Some(&foreign), events(2, 2)),
        ("another task", &moved, None, events(2, 2)),
    ];
    for (name, run, task, events) in cases {
        let next = Append {
            run,
            task,
            events: &events,
        };
        let answer = stores.runs.append(next).await;
        assert_eq!(answer, Err(StoreError::Conflict), "{name}");
    }
    let absent = Run {
        id: run_id(9),
        ..one
    };
    assert_eq!(
        append(&stores, &absent, &events(2, 2)).await,
        Err(StoreError::Missing)
    );
    assert_eq!(stores.runs.get(&own, &queued.id).await, Ok(Some(head)));
    for kept in [first, foreign] {
        assert_eq!(stores.tasks.get(&own, &kept.id).await, Ok(Some(kept)));
    }
}

/// Claims at the same time get different epochs; only the last of them writes.
pub async fn one_of_many_drivers_wins(stores: Stores) {
    const DRIVERS: u32 = 8;
    let own = tenant("alpha");
    let (_, queued) = started(&stores, &own, 1).await;
    let claims: Vec<_> = (1..=DRIVERS)
        .map(|n| {
            let (stores, queued) = (stores.clone(), queued.clone());
            async move { claimed(&stores, &queued, n).await }
        })
        .collect();
    let mut heads = together(claims).await;
    heads.sort_by_key(|head| head.epoch);
    let epochs: Vec<_> = heads.iter().map(|head| head.epoch).collect();
    assert_eq!(epochs, (1..=u64::from(DRIVERS)).collect::<Vec<_>>());

    let writes: Vec<_> = heads
        .into_iter()
        .map(|head| {
            let stores = stores.clone();
            async move {
                let next = later(&head, 1, RunStatus::Running);
                let answer = append(&stores, &next, &events(2, 2)).await;
                (head.epoch, answer)
            }
        })
        .collect();
    for (epoch, answer) in together(writes).await {
        let last = epoch == u64::from(DRIVERS);
        let expected = if last { Ok(()) } else { Err(StoreError::Stale) };
        assert_eq!(answer, expected, "epoch {epoch}");
    }
}

/// Polls all of them in turn until all are done.
pub(super) async fn together<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut answers: Vec<_> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (future, answer) in futures.iter_mut().zip(&mut answers) {
            if answer.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(cx)
            {
                *answer = Some(output);
            }
        }
        if answers.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    answers.into_iter().flatten().collect()
}
