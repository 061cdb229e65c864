//! Sessions of the older revisions: who opened one, what waits in it, and when it is over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cofferdam_types::caller::Caller;
use cofferdam_types::{Ambient, Code, Failure};
use rmcp::model::{ErrorData, ProtocolVersion};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error;
use crate::in_flight::InFlight;

/// Most sessions of one caller. A client opens one per window; beyond it, the one that was idle
/// longest makes room, so that clients that never end theirs lock nobody out.
const CALLER_SESSIONS_MAX: usize = 100;

/// Most sessions of all callers, some 500 bytes each.
const SESSIONS_MAX: usize = 10_000;

/// How long a session lives without a request or a stream. A client that comes back later is told
/// that it is gone and opens another.
const IDLE_TIME: Duration = Duration::from_mins(30);

/// Bytes of randomness of an id: as hard to guess as a key.
const ID_BYTES: usize = 32;

/// All sessions.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

/// One client's session.
pub(crate) struct Session {
    caller: Caller,
    pub(crate) version: ProtocolVersion,
    pub(crate) in_flight: InFlight,
    /// Cancelled when it is over.
    ended: CancellationToken,
    state: Mutex<State>,
}

struct State {
    used: Instant,
    /// The stream that hears news, cancelled when another one takes its place.
    stream: Option<CancellationToken>,
    /// How many streams there were.
    streams: u64,
    /// The tools that the client knows of, as a generation.
    known: Option<u64>,
}

/// The one stream of a session that hears news. The session is idle again when this is dropped.
pub(crate) struct Stream {
    session: Arc<Session>,
    number: u64,
    over: CancellationToken,
}

impl Sessions {
    /// Opens a session.
    ///
    /// **Errors**: there are too many, and none of this caller's that is idle.
    pub(crate) fn open(
        &self,
        ambient: &dyn Ambient,
        caller: &Caller,
        version: ProtocolVersion,
        known: Option<u64>,
    ) -> Result<String, ErrorData> {
        let mut random = [0; ID_BYTES];
        ambient.fill(&mut random);
        let id = hexadecimal(&random);
        let session = Session {
            caller: caller.clone(),
            version,
            in_flight: InFlight::default(),
            ended: CancellationToken::new(),
            state: Mutex::new(State {
                used: Instant::now(),
                stream: None,
                streams: 0,
                known,
            }),
        };
        let mut sessions = self.lock();
        make_room(&mut sessions, caller)?;
        sessions.insert(id.clone(), Arc::new(session));
        Ok(id)
    }

    /// The session of this id, if it is this caller's and not over.
    pub(crate) fn get(&self, id: &str, caller: &Caller) -> Option<Arc<Session>> {
        let mut sessions = self.lock();
        let session = sessions.get(id).filter(|s| s.caller == *caller).cloned()?;
        if session.is_expired(Instant::now()) {
            sessions.remove(id);
            session.end();
            return None;
        }
        session.state().used = Instant::now();
        Some(session)
    }

    /// Ends the session of this id; false when there is none of this caller's.
    pub(crate) fn end(&self, id: &str, caller: &Caller) -> bool {
        let Some(session) = self.get(id, caller) else {
            return false;
        };
        self.lock().remove(id);
        session.end();
        true
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half & 15)]);
    let digits = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)]);
    digits.collect()
}

/// Makes sure that one more session fits.
fn make_room(
    sessions: &mut HashMap<String, Arc<Session>>,
    caller: &Caller,
) -> Result<(), ErrorData> {
    let own = |s: &Session| s.caller.principal == caller.principal;
    let count = sessions.values().filter(|s| own(s)).count();
    if count < CALLER_SESSIONS_MAX && sessions.len() < SESSIONS_MAX {
        return Ok(());
    }
    let now = Instant::now();
    sessions.retain(|_, session| {
        let expired = session.is_expired(now);
        if expired {
            session.end();
        }
        !expired
    });
    let count = sessions.values().filter(|s| own(s)).count();
    if count < CALLER_SESSIONS_MAX && sessions.len() < SESSIONS_MAX {
        return Ok(());
    }
    let idle = sessions.iter().filter(|(_, s)| own(s) && s.is_idle());
    let longest = idle.min_by_key(|(_, s)| s.state().used);
    let Some(id) = longest.map(|(id, _)| id.clone()) else {
        let failure = Failure::new(Code::RateLimited, "too many sessions; end one or try later");
        return Err(error::of(failure));
    };
    if let Some(session) = sessions.remove(&id) {
        session.end();
    }
    Ok(())
}

impl Session {
    /// Opens the stream of this session, in the place of the one that there was.
    pub(crate) fn stream(self: &Arc<Self>) -> Stream {
        let over = self.ended.child_token();
        let mut state = self.state();
        if let Some(other) = state.stream.replace(over.clone()) {
            other.cancel();
        }
        state.streams += 1;
        Stream {
            session: self.clone(),
            number: state.streams,
            over,
        }
    }

    fn end(&self) {
        self.ended.cancel();
        self.in_flight.cancel_all();
    }

    fn is_idle(&self) -> bool {
        self.in_flight.is_empty() && self.state().stream.is_none()
    }

    fn is_expired(&self, now: Instant) -> bool {
        self.is_idle() && now.duration_since(self.state().used) >= IDLE_TIME
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    pub(crate) fn caller(&self) -> &Caller {
        &self.session.caller
    }

    /// The tools that the client knows of, as a generation.
    pub(crate) fn known(&self) -> Option<u64> {
        self.session.state().known
    }

    /// The client was told of this generation.
    pub(crate) fn told(&self, generation: u64) {
        self.session.state().known = Some(generation);
    }

    /// Ends when the session does, or another stream has taken the place of this one.
    pub(crate) async fn over(&self) {
        self.over.cancelled().await;
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut state = self.session.state();
        if state.streams == self.number {
            state.stream = None;
            state.used = Instant::now();
        }
    }
}
