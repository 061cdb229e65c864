use cofferdam_types::Code;
use futures::FutureExt;
use proptest::prelude::*;

use super::*;

fn tenant(name: &str) -> Tenant {
    name.parse().expect("a tenant")
}

fn loads(yaml: &[&str]) -> Vec<Load> {
    let read = |yaml: &&str| serde_json::from_str::<Load>(yaml).expect(yaml);
    yaml.iter().map(read).collect()
}

fn arrival<'a>(tool: &'a ToolName, tenant: &'a Tenant, memory_bytes: u64) -> Arrival<'a> {
    Arrival {
        tool,
        tenant,
        agent: None,
        memory_bytes,
        deadline: Duration::from_secs(30),
        is_nested: false,
    }
}

/// The code of an answer that doesn't wait.
fn code(answer: Option<Result<Place, Failure>>) -> Option<Code> {
    answer
        .expect("an answer at once")
        .err()
        .map(|failure| failure.code)
}

#[test]
fn what_is_over_is_refused_by_its_code() {
    let (tool, own) = ("a-b".parse().expect("a tool"), tenant("alpha"));
    let check = |load: &str, memory: u64, first: Option<Code>, second: Option<Code>| {
        let (admission, loads) = (Admission::default(), loads(&[load]));
        let enter = || {
            admission
                .enter(&loads, arrival(&tool, &own, memory))
                .now_or_never()
        };
        let held = enter().expect("an answer at once");
        assert_eq!(
            held.as_ref().err().map(|failure| failure.code),
            first,
            "{load}"
        );
        assert_eq!(code(enter()), second, "{load}");
        drop(held);
        if first.is_none() && !load.contains("rate") {
            assert_eq!(code(enter()), None, "{load} afterwards");
        }
    };
    let limited = Some(Code::RateLimited);
    check(r#"{"per": "tool", "concurrency": 1}"#, 1, None, limited);
    check(r#"{"per": "total", "concurrency": 2}"#, 1, None, None);
    let rate = r#"{"per": "tenant", "rate": {"calls": 1, "within": "1h"}}"#;
    check(rate, 1, None, limited);
    let memory = r#"{"per": "tenant", "memory": 10}"#;
    check(memory, 6, None, Some(Code::Unavailable));
    let exceeded = Some(Code::LimitExceeded);
    check(memory, 11, exceeded, exceeded);
    let ask = r#"{"per": "tool", "concurrency": 1, "over": "ask"}"#;
    check(ask, 1, None, Some(Code::PolicyDenied));
    check(r#"{"per": "agent", "concurrency": 1}"#, 1, None, None);
}

#[test]
fn others_are_counted_on_their_own() {
    let (tool, other) = (
        "a-b".parse().expect("a tool"),
        "a-c".parse().expect("a tool"),
    );
    let (own, theirs) = (tenant("alpha"), tenant("beta"));
    let (admission, loads) = (
        Admission::default(),
        loads(&[r#"{"per": "tool", "concurrency": 1}"#]),
    );
    let enter = |tool, tenant| {
        let place = admission.enter(&loads, arrival(tool, tenant, 1));
        place.now_or_never().expect("an answer at once")
    };
    let held = [
        enter(&tool, &own),
        enter(&other, &own),
        enter(&tool, &theirs),
    ];
    assert!(held.iter().all(Result::is_ok));
    assert!(enter(&tool, &own).is_err());
}

/// As when another policy comes into force while calls run.
#[test]
fn a_limit_goes_on_counting_in_another_place() {
    let (tool, own) = ("a-b".parse().expect("a tool"), tenant("alpha"));
    let admission = Admission::default();
    let enter = |yaml: &[&str]| {
        let loads = loads(yaml);
        let place = admission.enter(&loads, arrival(&tool, &own, 1));
        place.now_or_never()
    };
    let of_tool = r#"{"per": "tool", "concurrency": 1}"#;
    let of_all = r#"{"per": "total", "concurrency": 2}"#;
    let held = enter(&[of_tool, of_all]);
    assert_eq!(code(enter(&[of_all, of_tool])), Some(Code::RateLimited));
    let other = enter(&[of_all, of_all]);
    assert_eq!(admission.desk().book.running().0, 3, "it counts once");
    drop((held, other));
    assert_eq!(code(enter(&[of_all, of_tool])), None);
    assert_eq!(admission.desk().book.running(), (0, 0));
}

#[tokio::test]
async fn who_waits_comes_in_turn_and_nobody_overtakes() {
    let (tool, own) = ("a-b".parse().expect("a tool"), tenant("alpha"));
    let load = r#"{"per": "tool", "concurrency": 1, "over": "throttle", "wait": "30s"}"#;
    let (admission, loads) = (Admission::default(), loads(&[load]));
    let enter = || Box::pin(admission.enter(&loads, arrival(&tool, &own, 1)));
    let first = enter().await.expect("a place");
    let (mut second, mut third) = (enter(), enter());
    assert!(second.as_mut().now_or_never().is_none());
    assert!(third.as_mut().now_or_never().is_none());
    drop(first);
    let mut late = enter();
    assert!(late.as_mut().now_or_never().is_none(), "behind two");
    assert!(third.as_mut().now_or_never().is_none(), "behind the second");
    drop(second.await.expect("its turn"));
    drop(third.await.expect("its turn"));
    drop(late.await.expect("its turn"));
    assert_eq!(admission.desk().book.running(), (0, 0));
}

#[tokio::test]
async fn a_call_of_a_tool_never_waits_and_a_wait_ends() {
    let (tool, own) = ("a-b".parse().expect("a tool"), tenant("alpha"));
    let load = r#"{"per": "tool", "concurrency": 1, "over": "throttle", "wait": "20ms"}"#;
    let (admission, loads) = (Admission::default(), loads(&[load]));
    let enter = |is_nested| {
        let arrival = Arrival {
            is_nested,
            ..arrival(&tool, &own, 1)
        };
        admission.enter(&loads, arrival)
    };
    let held = enter(false).await.expect("a place");
    let nested = enter(true).now_or_never().expect("an answer at once");
    assert_eq!(
        nested.err().map(|failure| failure.code),
        Some(Code::RateLimited)
    );
    let waited = enter(false).await;
    assert_eq!(
        waited.err().map(|failure| failure.code),
        Some(Code::RateLimited)
    );
    drop(held);
    assert!(enter(false).await.is_ok(), "who gave up is not in the way");
}

fn limit(concurrency: u32, rate: u32, memory: u64) -> Limit {
    Limit {
        per: Per::Total,
        concurrency: Some(concurrency),
        rate: Some((rate, Duration::from_millis(100))),
        memory: Some(memory),
        over: Over::Reject,
        wait: Duration::ZERO,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whoever comes and goes and whenever: no limit is passed in any stretch of time, whoever fits
    /// comes in, and when all are gone nothing is left.
    #[test]
    fn limits_hold_and_nothing_leaks(
        (concurrency, rate, memory) in (1_u32..4, 1_u32..5, 10_u64..40),
        steps in prop::collection::vec((0_u64..60, 0_u64..15, any::<bool>(), any::<prop::sample::Index>()), 1..60),
    ) {
        let begin = Instant::now();
        let (mut now, mut book) = (begin, Book::default());
        let limit = limit(concurrency, rate, memory);
        let (mut held, mut begun): (Vec<(u64, Vec<Held>)>, Vec<Instant>) = Default::default();
        for (pause, bytes, comes, at) in steps {
            now += Duration::from_millis(pause);
            if !comes && !held.is_empty() {
                let (_, gone) = held.swap_remove(at.index(held.len()));
                book.leave(&gone);
                continue;
            }
            let want = Want { seat: limit.seat(String::new()), limit, memory: bytes };
            let lately = begun.iter().filter(|then| now - **then < Duration::from_millis(100)).count();
            let used: u64 = held.iter().map(|(bytes, _)| bytes).sum();
            let fits = held.len() < concurrency as usize
                && lately < rate as usize
                && used + bytes <= memory;
            match book.enter(now, &[want]) {
                Ok(place) => {
                    prop_assert!(fits);
                    begun.push(now);
                    held.push((bytes, place));
                }
                Err((_, retry)) => {
                    prop_assert!(!fits);
                    if let Some(retry) = retry {
                        prop_assert!(retry > now && retry <= now + Duration::from_millis(100));
                    }
                }
            }
        }
        for (_, place) in held {
            book.leave(&place);
        }
        prop_assert_eq!(book.running(), (0, 0));
    }
}
