//! Who may begin a call: limits over the calls of a tool, an agent, a tenant and all together.
//!
//! A call takes its place under every limit that holds for it, at once or not at all, before anything
//! is made for it, and gives all back when it ends, however it ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cofferdam_policy::{Load, Over, Per};
use cofferdam_types::{Code, Failure, Tenant, ToolName};
use serde_json::json;
use tokio::sync::oneshot;

use crate::admission::book::{Book, Held, Limit, Seat, Want};

mod book;

/// Calls that wait at once, at most: each is looked at whenever a place is free.
const WAITING_MAX: usize = 1_000;
/// How soon a call that waits for time to pass looks again, when nothing tells it better.
const LOOK: Duration = Duration::from_millis(50);

/// What is known of a call when it is to begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) tool: &'a ToolName,
    pub(crate) tenant: &'a Tenant,
    pub(crate) agent: Option<&'a str>,
    /// The most memory it may hold.
    pub(crate) memory_bytes: u64,
    /// How long it may take in all.
    pub(crate) deadline: Duration,
    /// True when a tool makes it: then it never waits, since its caller holds what others wait for.
    pub(crate) is_nested: bool,
}

/// The places of all calls. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Admission(Arc<Mutex<Desk>>);

#[derive(Default)]
struct Desk {
    book: Book,
    waiting: Vec<Waiter>,
}

struct Waiter {
    wants: Vec<Want>,
    turn: oneshot::Sender<Place>,
}

/// What a call has taken, until it is dropped.
pub(crate) struct Place {
    admission: Admission,
    held: Vec<Held>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.held.is_empty() {
            self.admission.leave(&self.held);
        }
    }
}

impl Admission {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place under each of `loads` that holds for the call. Cancel-safe.
    ///
    /// **Errors**: `rate_limited` for calls at once or in a time, `unavailable` for memory, after
    /// waiting where a limit says so; `limit_exceeded` for a call that could never have a place;
    /// `policy_denied` where a person has to agree.
    pub(crate) async fn enter(
        &self,
        loads: &[Load],
        arrival: Arrival<'_>,
    ) -> Result<Place, Failure> {
        let wants = wants(loads, arrival)?;
        let begin = Instant::now();
        let (limit, retry) = match self.try_enter(begin, &wants) {
            Ok(place) => return Ok(place),
            Err(blocked) => blocked,
        };
        let over = |limit: &Limit| refusal(limit, retry.map(|at| at - begin));
        if arrival.is_nested || limit.over != Over::Throttle {
            return Err(over(&limit));
        }
        let wait = limit.wait.min(arrival.deadline / 2);
        let turn = self.queue(wants.clone()).ok_or_else(|| over(&limit))?;
        match tokio::time::timeout(wait, self.turn(turn)).await {
            Ok(Some(place)) => Ok(place),
            Ok(None) | Err(_) => Err(over(&limit)),
        }
    }

    fn try_enter(&self, now: Instant, wants: &[Want]) -> Result<Place, (Limit, Option<Instant>)> {
        let mut desk = self.desk();
        let behind = desk.waiting.iter().any(|waiter| {
            waiter
                .wants
                .iter()
                .any(|theirs| wants.iter().any(|own| own.seat == theirs.seat))
        });
        let held = if behind {
            Err(Book::first_limit(wants))
        } else {
            desk.book.enter(now, wants)
        };
        drop(desk);
        held.map(|held| self.place(held))
    }

    fn place(&self, held: Vec<Held>) -> Place {
        Place {
            admission: self.clone(),
            held,
        }
    }

    fn queue(&self, wants: Vec<Want>) -> Option<oneshot::Receiver<Place>> {
        let mut desk = self.desk();
        desk.waiting.retain(|waiter| !waiter.turn.is_closed());
        if desk.waiting.len() >= WAITING_MAX {
            return None;
        }
        let (turn, receiver) = oneshot::channel();
        desk.waiting.push(Waiter { wants, turn });
        Some(receiver)
    }

    /// Waits for the turn, looking from time to time whether time has made it.
    async fn turn(&self, mut turn: oneshot::Receiver<Place>) -> Option<Place> {
        loop {
            self.serve(Instant::now());
            if let Ok(place) = tokio::time::timeout(LOOK, &mut turn).await {
                return place.ok();
            }
        }
    }

    fn leave(&self, held: &[Held]) {
        self.desk().book.leave(held);
        self.serve(Instant::now());
    }

    /// Lets in whoever can come in, in the order of coming; nobody overtakes another who wants the
    /// same place.
    fn serve(&self, now: Instant) {
        let mut ready = Vec::new();
        {
            let mut desk = self.desk();
            let Desk { book, waiting } = &mut *desk;
            let mut wanted: Vec<Seat> = Vec::new();
            let queue = std::mem::take(waiting);
            for waiter in queue {
                if waiter.turn.is_closed() {
                    continue;
                }
                let is_free = |want: &Want| !wanted.contains(&want.seat);
                let held = if waiter.wants.iter().all(is_free) {
                    book.enter(now, &waiter.wants).ok()
                } else {
                    None
                };
                if let Some(held) = held {
                    ready.push((waiter.turn, held));
                } else {
                    wanted.extend(waiter.wants.iter().map(|want| want.seat.clone()));
                    waiting.push(waiter);
                }
            }
        }
        for (turn, held) in ready {
            // Whoever went away meanwhile gives it back by dropping it.
            drop(turn.send(self.place(held)));
        }
    }
}

/// The limits that hold for a call.
fn wants(loads: &[Load], arrival: Arrival<'_>) -> Result<Vec<Want>, Failure> {
    let mut wants: Vec<Want> = Vec::new();
    for load in loads {
        let tenant = arrival.tenant.as_str();
        let of = match load.per {
            Per::Tool => format!("{tenant} {}", arrival.tool),
            Per::Agent => match arrival.agent {
                Some(agent) => format!("{tenant} {agent}"),
                None => continue,
            },
            Per::Tenant => tenant.to_owned(),
            Per::Total => String::new(),
        };
        let limit = Limit::of(load);
        if limit.memory.is_some_and(|most| arrival.memory_bytes > most) {
            let most = limit.memory.unwrap_or(0);
            let message =
                "this call may hold more memory than all such calls together; ask for less";
            return Err(Failure::limit("memory_bytes", most, message));
        }
        let seat = limit.seat(of);
        // One that stands there twice counts once.
        if wants.iter().all(|want| want.seat != seat) {
            wants.push(Want {
                seat,
                limit,
                memory: arrival.memory_bytes,
            });
        }
    }
    Ok(wants)
}

fn refusal(limit: &Limit, retry: Option<Duration>) -> Failure {
    let whose = limit.whose();
    let failure = match limit.over {
        Over::Ask => {
            return Failure::new(
                Code::PolicyDenied,
                format!("more calls {whose} than the policy allows; a person has to agree"),
            )
            .with("needs", "approval");
        }
        Over::Reject | Over::Throttle if limit.is_memory_alone() => Failure::new(
            Code::Unavailable,
            format!("the memory set aside for calls {whose} is used up; try again"),
        ),
        Over::Reject | Over::Throttle => Failure::new(
            Code::RateLimited,
            format!("too many calls {whose}; try again later"),
        ),
    };
    let retry = retry.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX) + 1);
    match retry {
        Some(millis) => failure.with("retry_after_ms", json!(millis)),
        None => failure,
    }
}

#[cfg(test)]
mod tests;
