use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cofferdam_egress::{self as egress, Client, Owner, Session};
use cofferdam_files::Scratch;
use cofferdam_policy::{Describe, Grant, Journaled};
use cofferdam_process::Launcher;
use cofferdam_types::call::{CallLog, Deaf, Denial, Observer, Usage, Wall};
use cofferdam_types::{CallId, Digest};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::artifacts::Artifacts;
use crate::budget::{Budget, Reservation};
use crate::call::{Question, ask};
use crate::capability::environment::HostVariable;
use crate::capability::filesystem::{Changes, Files};
use crate::capability::key_value::Spaces;
use crate::capability::secrets::{self, Secrets};
use crate::capability::tool_call::{Depth, Tools};
use crate::compile::Compiler;
use crate::component::{Components, Program, Ready};
use crate::engine;
use crate::error::Error;
use crate::ledger::Ledger;
use crate::limiter::Limiter;
use crate::meter::Meter;
use crate::plain::Interface;
use crate::schedule::{Scheduler, Slice, Spent};
use crate::state::{self, Inside, Links};
use crate::warrant::Warrant;

const NO_MEMORY: Error = Error::Busy("the memory set aside for tools is used up; try again");

/// The word by which this program is the launcher of another.
const CONFINE: &str = "__confine";

/// How large the sandbox is.
#[derive(Debug, Clone)]
pub struct Options {
    /// How to start the compiler's child process.
    pub compiler: Compiler,
    /// How to start the launcher of programs. Default: the compiler's program, by `__confine`.
    pub launcher: Launcher,
    /// Guests at once, computing or waiting; each takes a place in the engine's pool. Above it,
    /// calls wait. Default 1,000: about 70 KiB each when they wait, far from the kernel's limit of
    /// memory maps.
    pub live_calls: u32,
    /// Calls that wait for a place, at most; above it they are refused. Default 10,000.
    pub queued_calls: usize,
    /// Memory of all guests together in bytes. Default: half of the machine's.
    pub guest_memory_bytes: u64,
    /// Compiled components kept, in bytes. Default 1 GiB.
    pub compiled_bytes: u64,
    /// Where compiled components are kept between starts. Default: nowhere.
    pub artifacts: Option<Artifacts>,
    /// Where what is private to a call is kept: its scratch directory, the contents of an overlay.
    /// Swept when the sandbox is set up. Default: nowhere, and a call that needs it fails.
    pub scratch: Option<Arc<Scratch>>,
    /// How guests' requests go out.
    pub egress: egress::Options,
    /// How to look up a variable of the host that a grant gives to a tool. Default: there is none.
    pub host_variable: HostVariable,
}

impl Options {
    /// The defaults, compiling with `compiler`.
    pub fn new(compiler: Compiler) -> Self {
        Self {
            launcher: Launcher {
                program: compiler.program.clone(),
                argument: CONFINE.to_owned(),
            },
            compiler,
            live_calls: 1_000,
            queued_calls: 10_000,
            guest_memory_bytes: rustix::system::sysinfo().totalram as u64 / 2,
            compiled_bytes: 1 << 30,
            artifacts: None,
            scratch: None,
            egress: egress::Options::default(),
            host_variable: |_| None,
        }
    }
}

/// Where the bytes of a component come from when they are needed.
pub trait Source: Send + Sync {
    /// The bytes of the component of this digest, fetched when the future is awaited: as a rule the
    /// component is in memory or compiled on disk, and it never is. The future stands on its own,
    /// since the compilation that needs it outlives whoever asked first.
    fn bytes(&self, digest: &Digest) -> BoxFuture<'static, Result<Vec<u8>, Error>>;
}

/// What to run.
pub struct Invocation {
    /// The call, which names what is private to it.
    pub call: CallId,
    /// The tool's function in the component.
    pub function: String,
    /// Its arguments, a JSON object as text.
    pub arguments: String,
    /// Who hears of progress and logs.
    pub observer: Arc<dyn Observer>,
    /// On whose account its requests go.
    pub owner: Owner,
    /// The secrets of the tenant it is made for; absent when it may use none.
    pub secrets: Option<Arc<dyn Secrets>>,
    /// Where its small state is. None when nobody keeps any.
    pub spaces: Option<Spaces>,
    /// Who runs the tools that it calls. None when it can't call any.
    pub tools: Option<Arc<dyn Tools>>,
    /// Where it stands in the tree of calls.
    pub depth: Depth,
    /// Where what it does with its grant is noted. The report takes it out; of a call that is
    /// dropped it stays there.
    pub ledger: Ledger,
    /// When it was taken: its deadline counts from here.
    pub begun: Instant,
}

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    /// The answer's text, or why there is none.
    pub answer: Result<String, Error>,
    /// What it cost.
    pub usage: Usage,
    /// What it printed.
    pub log: CallLog,
    /// What it was allowed and used, and what it was refused, for the audit.
    pub journal: Journaled,
    /// What it was refused.
    pub denials: Vec<Denial>,
    /// What it changed on overlays, to be applied or dropped; only of a call that answered.
    pub changes: Option<Changes>,
    /// The memory that the answer counts for, until it is dropped.
    pub held: Held,
}

/// Memory of the host that a call's answer holds, counted with that of the guests.
#[derive(Default)]
pub struct Held(Option<Reservation>);

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.as_ref().map_or(0, Reservation::bytes);
        f.debug_tuple("Held").field(&bytes).finish()
    }
}

/// The sandbox. One per process.
pub struct Runtime {
    engine: wasmtime::Engine,
    components: Components,
    scheduler: Scheduler,
    budget: Budget,
    scratch: Option<Arc<Scratch>>,
    egress: Client,
    launcher: Arc<Launcher>,
    host_variable: HostVariable,
}

impl Runtime {
    /// Sets the sandbox up.
    ///
    /// **Errors**: [`Error::Internal`] when the machine can't give what the options ask for.
    pub fn new(options: Options) -> Result<Self, Error> {
        if let Some(scratch) = &options.scratch {
            scratch.sweep().map_err(|errno| {
                Error::Internal(format!("what calls left can't be removed: {errno}"))
            })?;
        }
        let engine = engine::host(options.live_calls)?;
        let scheduler = Scheduler::new(&engine, options.live_calls, options.queued_calls)?;
        let components = Components::new(
            engine.clone(),
            options.compiler,
            options.artifacts.as_ref(),
            options.compiled_bytes,
        )?;
        Ok(Self {
            engine,
            components,
            scheduler,
            budget: Budget::new(options.guest_memory_bytes),
            scratch: options.scratch,
            egress: Client::new(options.egress)
                .map_err(|error| Error::Internal(format!("outgoing requests: {error}")))?,
            launcher: Arc::new(options.launcher),
            host_variable: options.host_variable,
        })
    }

    /// Runs a tool with what `grant` says. One deadline covers waiting, compiling, starting, the
    /// guest, its host functions and its answer.
    ///
    /// Dropping the future stops the guest.
    pub async fn call(
        &self,
        grant: &Arc<Grant>,
        invocation: Invocation,
        source: &dyn Source,
    ) -> Report {
        let Invocation {
            call,
            function,
            arguments,
            observer,
            owner,
            secrets,
            spaces,
            tools,
            depth,
            ledger,
            begun,
        } = invocation;
        let links = Links {
            call: call.to_string(),
            observer,
            launcher: self.launcher.clone(),
            owner,
            secrets,
            spaces,
            tools,
            depth,
            ledger,
            ends: begun + grant.limits().deadline(),
        };
        let question = Question::Call {
            function,
            arguments,
        };
        self.run(grant, question, links, source).await
    }

    /// Asks a component what it is. Compiles it if need be, which is not bounded by the grant's
    /// deadline but by the compiler's own limits.
    pub async fn describe(&self, grant: &Describe, source: &dyn Source) -> Report {
        let grant = grant.grant();
        if let Err(error) = self.ready(grant.digest(), source).await {
            return Report {
                answer: Err(error),
                usage: Usage::default(),
                log: CallLog::default(),
                journal: Journaled::default(),
                denials: Vec::new(),
                changes: None,
                held: Held::default(),
            };
        }
        let links = Links {
            call: String::new(),
            observer: Arc::new(Deaf),
            launcher: self.launcher.clone(),
            owner: Owner::default(),
            secrets: None,
            spaces: None,
            tools: None,
            depth: Depth::ROOT,
            ledger: Ledger::default(),
            ends: Instant::now() + grant.limits().deadline(),
        };
        self.run(grant, Question::Describe, links, source).await
    }

    /// What a plain component offers. Compiles it if need be and runs nothing.
    ///
    /// **Errors**: those of the compiler; [`Error::Component`] for a component that describes
    /// itself.
    pub async fn interface(
        &self,
        grant: &Describe,
        source: &dyn Source,
    ) -> Result<Interface, Error> {
        match &self.ready(grant.grant().digest(), source).await?.program {
            Program::Plain(plain) => Ok(plain.interface.clone()),
            Program::Sdk(_) => Err(Error::Component("it describes its tools itself".to_owned())),
        }
    }

    /// Runs `work` on the threads of guests, which stand back behind those that take requests: for
    /// what a guest waits for. Dropping the answer stops it.
    ///
    /// **Errors**: [`Error::Internal`] when it panics.
    pub fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, Error>> {
        self.scheduler.spawn(work).boxed()
    }

    /// Drops what is compiled of a component that was not added after all.
    pub async fn forget(&self, digest: &Digest) {
        self.components.forget(*digest).await;
    }

    /// Compiles nothing more, so that a host that stops waits for one compilation at most. What is
    /// compiled runs on.
    pub fn stop_compiling(&self) {
        self.components.stop();
    }

    async fn ready(&self, digest: &Digest, source: &dyn Source) -> Result<Arc<Ready>, Error> {
        match self.components.get(digest) {
            Some(ready) => Ok(ready),
            None => self.components.prepare(*digest, source).await,
        }
    }

    async fn run(
        &self,
        grant: &Arc<Grant>,
        question: Question,
        links: Links,
        source: &dyn Source,
    ) -> Report {
        let begin = Instant::now();
        let meter = Arc::new(Meter::new(grant.limits(), links.ledger.clone()));
        let mut wall = Wall::default();
        let ends = links.ends;
        let warrant = Warrant::new(grant.clone(), meter.clone());
        let secrets = Arc::new(secrets::Held::new(links.secrets.clone(), warrant.clone()));
        let credentials = links.secrets.is_some().then(|| secrets.clone() as _);
        let session = Arc::new(Session::new(
            self.egress.clone(),
            Arc::new(warrant),
            credentials,
            links.owner.clone(),
            Some(ends),
        ));
        // Beside the store, so that what is private to the call is removed after it in any case.
        let mut files = None;
        let run = async {
            let opened = Files::open(grant, &meter, self.scratch.as_ref(), &links.call).await?;
            let inside = Inside {
                meter: &meter,
                session: &session,
                secrets: &secrets,
                host_variable: self.host_variable,
                files: files.insert(opened).clone(),
                links,
            };
            self.stages(grant, question, inside, source, &mut wall)
                .await
        };
        let answer = match tokio::time::timeout_at(ends.into(), run).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::Timeout(grant.limits().deadline_ms)),
        };
        let changes = match files {
            Some(files) => files.close(answer.is_ok()).await,
            None => None,
        };
        let (answer, held) = self.counted(answer);
        wall.total = micros(begin.elapsed());
        let spent = session.spent();
        let usage = Usage {
            fuel: meter.fuel_used(),
            wall_us: wall,
            memory_peak_bytes: meter.tree_memory_peak(),
            result_bytes: answer.as_ref().map_or(0, |text| text.len() as u64),
            stdout_bytes: meter.printed_bytes(),
            requests: spent.requests,
            sent_bytes: spent.sent_bytes,
            received_bytes: spent.received_bytes,
        };
        let (log, journal) = meter.take_notes();
        let denials = journal.denials.iter().map(|known| known.denial.clone());
        Report {
            answer,
            usage,
            log,
            denials: denials.collect(),
            journal,
            changes,
            held,
        }
    }

    /// The answer's text counts with the guests' memory for as long as somebody works on it.
    fn counted(&self, answer: Result<String, Error>) -> (Result<String, Error>, Held) {
        match answer {
            Ok(text) => match self.budget.reserve_first(text.len() as u64) {
                Some(reservation) => (Ok(text), Held(Some(reservation))),
                None => (Err(NO_MEMORY), Held::default()),
            },
            Err(error) => (Err(error), Held::default()),
        }
    }

    /// The stages of a run, each timed as it ends.
    async fn stages(
        &self,
        grant: &Arc<Grant>,
        question: Question,
        inside: Inside<'_>,
        source: &dyn Source,
        wall: &mut Wall,
    ) -> Result<String, Error> {
        let (meter, session) = (inside.meter, inside.session);
        let has_sockets = !grant.sockets().is_nothing();
        let begin = Instant::now();
        let ready = self.ready(grant.digest(), source).await?;
        let compiled = Instant::now();
        let history = ready.history.clone();
        let limiter = self
            .limiter(grant, &question, &inside.links, &ready, meter)
            .await?;
        let place = self.scheduler.place(inside.links.depth.level).await?;
        let placed = Instant::now();
        wall.queue = micros(placed - compiled);
        let slice = Arc::new(Slice::new(&history));
        let store = state::store(&self.engine, grant, limiter, &slice, inside)?;
        wall.start = micros((compiled - begin) + placed.elapsed());
        let guest = ask(place, ready, store, question, grant.clone(), meter.clone());
        let (answer, spent) = tokio::select! {
            ran = self.scheduler.run(&slice, guest) => ran?,
            denial = session.taken_back(), if has_sockets => {
                return Err(Error::Denied(Box::new(denial)));
            }
        };
        let Spent {
            running,
            queued,
            waiting,
        } = spent;
        wall.queue += micros(queued);
        wall.guest = micros(running);
        wall.host = micros(waiting);
        history.note_memory(if meter.host_memory_refused() {
            grant.limits().memory_bytes
        } else {
            meter.memory_peak()
        });
        answer
    }

    /// Sets the memory aside that the call is expected to need, before anything is made for it.
    ///
    /// **Errors**: [`Error::Busy`] when there is none for half of its time: what starts later would
    /// hardly end, and the caller can still try elsewhere. A call that a tool makes doesn't wait: its
    /// caller holds memory that others wait for.
    async fn limiter(
        &self,
        grant: &Grant,
        question: &Question,
        links: &Links,
        ready: &Ready,
        meter: &Arc<Meter>,
    ) -> Result<Limiter, Error> {
        let max = grant.limits().memory_bytes;
        let host_bytes = question.host_bytes(&ready.program);
        let expected = host_bytes.saturating_add(ready.history.memory().min(max));
        let at_once = if links.depth.level == 0 {
            self.budget.try_reserve(expected)
        } else {
            Some(self.budget.reserve_first(expected).ok_or(NO_MEMORY)?)
        };
        let reservation = if let Some(reservation) = at_once {
            reservation
        } else {
            let _turn = self.scheduler.turn()?;
            let time = links.ends.saturating_duration_since(Instant::now()) / 2;
            tokio::time::timeout(time, self.budget.reserve(expected))
                .await
                .map_err(|_| NO_MEMORY)?
        };
        Ok(Limiter::new(meter.clone(), reservation, host_bytes, max))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
