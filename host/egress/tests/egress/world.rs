//! A call with a grant of its own, and what came of it.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cofferdam_egress::{
    Body, Client, Error, Options, Owner, Request, Resolve, Seat, Session, Timeouts, Warrant,
};
use cofferdam_policy::capability::network::{self, Name, Network};
use cofferdam_policy::capability::sockets::{self, Sockets};
use cofferdam_policy::{Capability, Layer, Located, Origin, Party, Refused, Slice};
use cofferdam_types::call::{Denial, DenialCode};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::time::Instant;

/// A grant without a policy file.
#[derive(Debug)]
pub(crate) struct Granted {
    network: Slice<Network>,
    sockets: Slice<Sockets>,
    is_revoked: AtomicBool,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    denials: Vec<Denial>,
    sent: Vec<String>,
}

impl Granted {
    pub(crate) fn new(network: Value, sockets: Value) -> Arc<Self> {
        Arc::new(Self {
            network: slice(network),
            sockets: slice(sockets),
            is_revoked: AtomicBool::new(false),
            notes: Mutex::default(),
        })
    }

    /// From now on, nothing is allowed.
    pub(crate) fn revoke(&self) {
        self.is_revoked.store(true, Ordering::Release);
    }

    fn decide<C: Capability>(&self, slice: &Slice<C>, ask: &C::Ask) -> Result<C::Caps, Denial> {
        if self.is_revoked.load(Ordering::Acquire) {
            decide(&Slice::<C>::nothing(), ask)
        } else {
            decide(slice, ask)
        }
    }

    pub(crate) fn denials(&self) -> Vec<Denial> {
        self.notes.lock().expect("no panic").denials.clone()
    }

    pub(crate) fn sent(&self) -> Vec<String> {
        self.notes.lock().expect("no panic").sent.clone()
    }
}

fn slice<C: Capability>(entries: Value) -> Slice<C> {
    let entries: Vec<Value> = serde_json::from_value(entries).expect("a list");
    let allows = entries.into_iter().map(|entry| Located {
        value: C::allow(serde_json::from_value(entry).expect("an entry")).expect("an allow"),
        origin: Origin::builtin("test"),
    });
    let first = Layer {
        party: Party::Policy,
        allows: allows.collect(),
    };
    Slice::new(first, Arc::new([]))
}

fn decide<C: Capability>(slice: &Slice<C>, ask: &C::Ask) -> Result<C::Caps, Denial> {
    slice
        .decide(ask)
        .map(|allowed| allowed.caps)
        .map_err(|refused| Denial {
            capability: C::NAME.to_owned(),
            operation: C::operation(ask),
            resource: C::resource(ask),
            code: match refused {
                Refused::NotGranted(_) => C::ungranted(ask),
                Refused::Denied(_) => DenialCode::Denied,
            },
            rule: "test".to_owned(),
            file: None,
            line: None,
            reason: "no rule allows it".to_owned(),
            smallest_grant: C::smallest(ask),
        })
}

impl Warrant for Granted {
    fn network(&self, ask: &network::Ask) -> Result<network::Caps, Denial> {
        self.decide(&self.network, ask)
    }

    fn sockets(&self, ask: &sockets::Ask) -> Result<sockets::Caps, Denial> {
        self.decide(&self.sockets, ask)
    }

    fn sends(&self, ask: &network::Ask) {
        let sent = format!("{} {}", Network::operation(ask), Network::resource(ask));
        self.notes.lock().expect("no panic").sent.push(sent);
    }

    fn opens(&self, ask: &sockets::Ask) {
        let sent = format!("{} {}", Sockets::operation(ask), Sockets::resource(ask));
        self.notes.lock().expect("no panic").sent.push(sent);
    }

    fn refuses(&self, denial: &Denial) {
        self.notes
            .lock()
            .expect("no panic")
            .denials
            .push(denial.clone());
    }
}

/// Names whose answers change from one look-up to the next; the last answer stays.
#[derive(Debug, Default)]
pub(crate) struct Names {
    answers: Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>,
    asked: AtomicUsize,
}

impl Names {
    pub(crate) fn new(answers: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let parse = |address: &&str| address.parse().expect("an address");
        let read = |(name, answers): &(&str, &[&[&str]])| {
            let answers = answers.iter().map(|all| all.iter().map(parse).collect());
            ((*name).to_owned(), answers.collect())
        };
        Arc::new(Self {
            answers: Mutex::new(answers.iter().map(read).collect()),
            asked: AtomicUsize::new(0),
        })
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, name: &Name, _: Seat) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut answers = self.answers.lock().expect("no panic");
        let Some(answers) = answers.get_mut(name.as_str()) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let next = answers.front().cloned().unwrap_or_default();
        if answers.len() > 1 {
            answers.pop_front();
        }
        Ok(next)
    }
}

/// What a test's host and call are; the fields that matter are set by name.
pub(crate) struct World {
    pub(crate) network: Value,
    pub(crate) sockets: Value,
    pub(crate) names: Arc<Names>,
    pub(crate) options: Options,
    pub(crate) deadline: Duration,
}

impl Default for World {
    fn default() -> Self {
        Self {
            network: json!([]),
            sockets: json!([]),
            names: Names::new(&[]),
            options: Options::default(),
            deadline: Duration::from_secs(20),
        }
    }
}

pub(crate) struct Call {
    pub(crate) session: Arc<Session>,
    pub(crate) granted: Arc<Granted>,
    pub(crate) names: Arc<Names>,
    pub(crate) client: Client,
}

impl World {
    /// A grant of requests, and nothing else out of the ordinary.
    pub(crate) fn call(network: Value) -> Call {
        Self {
            network,
            ..Self::default()
        }
        .start()
    }

    pub(crate) fn start(self) -> Call {
        let client = Client::with_resolver(self.options, self.names.clone()).expect("a client");
        let granted = Granted::new(self.network, self.sockets);
        let session = session(&client, &granted, "default", self.deadline);
        Call {
            session,
            granted,
            names: self.names,
            client,
        }
    }
}

pub(crate) fn session(
    client: &Client,
    granted: &Arc<Granted>,
    tenant: &str,
    deadline: Duration,
) -> Arc<Session> {
    let owner = Owner {
        tenant: tenant.to_owned(),
        tool: "prober".to_owned(),
    };
    let deadline = Instant::now().checked_add(deadline);
    let session = Session::new(client.clone(), granted.clone(), None, owner, deadline);
    Arc::new(session)
}

/// A request without a body, as `GET https://api.good.test/v1` says it.
pub(crate) fn request(method: &str, url: &str) -> Request {
    let (scheme, rest) = url.split_once("://").expect("an absolute URL");
    let end = rest.find('/').unwrap_or(rest.len());
    Request {
        method: method.to_owned(),
        scheme: scheme.to_owned(),
        authority: rest[..end].to_owned(),
        path_and_query: rest[end..].to_owned(),
        headers: HeaderMap::new(),
        body: None,
    }
}

pub(crate) fn with_headers(mut request: Request, headers: &[(&str, &str)]) -> Request {
    for (name, value) in headers {
        let name = HeaderName::try_from(*name).expect("a name");
        let value = HeaderValue::try_from(*value).expect("a value");
        request.headers.append(name, value);
    }
    request
}

impl Call {
    pub(crate) async fn send(&self, request: Request) -> Result<Response<Body>, Error> {
        self.session.send(request, Timeouts::default()).await
    }

    pub(crate) async fn get(&self, url: &str) -> Result<Response<Body>, Error> {
        self.send(request("GET", url)).await
    }

    /// The body of the answer, or why there is none.
    pub(crate) async fn text(&self, url: &str) -> Result<String, Error> {
        text(self.get(url).await?).await
    }

    /// The code of the one denial that `url` ends in.
    pub(crate) async fn denied(&self, url: &str) -> Option<DenialCode> {
        match self.get(url).await {
            Err(Error::Denied(denial)) => {
                assert_eq!(self.granted.denials().last(), Some(&*denial), "it is noted");
                Some(denial.code)
            }
            _ => None,
        }
    }
}

pub(crate) async fn text(response: Response<Body>) -> Result<String, Error> {
    let bytes: Bytes = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
