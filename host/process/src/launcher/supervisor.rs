//! The first process: hands on what to start, watches how much all of it uses, and kills it.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    DumpableBehavior, Pid, PidfdFlags, WaitOptions, getpid, getuid, pidfd_open,
    set_child_subreaper, set_dumpable_behavior, setsid, wait,
};

use super::room::Room;
use super::tree::{self, End};
use super::{INIT, STARTER, files, in_role, namespaces, stdio};
use crate::channel::{receive, say, send};
use crate::error::Limit;
use crate::message::{Ended, FIXED_FDS, Report, Spec, Step, Wall};

/// How often it is looked at what the tree uses: often enough that a tree that doubles itself
/// doesn't get far, rarely enough to cost a busy machine nothing.
const WATCH: Duration = Duration::from_millis(20);
/// How long what the program leaves behind may go on, so that the last words of a child that ends
/// with it are heard.
const GRACE: Duration = Duration::from_millis(200);
/// SIGXCPU and SIGXFSZ, by which the kernel enforces two of the limits.
const CPU_SIGNAL: i32 = 24;
const FILE_SIGNAL: i32 = 25;

pub(super) fn run(word: &OsStr) -> io::Result<()> {
    let control = super::socket()?;
    // No terminal's signals, no tree that outlives us, nobody who looks into us.
    setsid()?;
    set_child_subreaper(Some(getpid()))?;
    let Some((mut spec, fds)) = receive::<Spec>(&control)? else {
        return Ok(());
    };
    let mounts = fds.get(FIXED_FDS..).unwrap_or_default();
    let room = Room::new(mounts, &spec.writable);
    let started = namespaces::enter(spec.network).and_then(|namespaced| {
        // Only now: a process that nobody may look into can't write its own map of users.
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        spec.namespaced = namespaced;
        start(word, &spec, &fds)
    });
    let report = match started {
        Ok(started) => started.watch(&control, &spec, &room)?,
        Err(error) => Some(Report::Broken(format!("starting the program: {error}"))),
    };
    match report {
        Some(report) => say(&control, &report),
        None => Ok(()),
    }
}

/// A tree that runs.
struct Started {
    /// The starter, or the init of its namespace.
    child: Pid,
    pidfd: Option<OwnedFd>,
    end: End,
    steps: BufReader<UnixStream>,
    walls: Vec<Wall>,
    ended: Option<(Ended, Instant)>,
    verdict: Option<Report>,
}

fn start(word: &OsStr, spec: &Spec, fds: &[OwnedFd]) -> io::Result<Started> {
    let (ours, theirs) = UnixStream::pair()?;
    // Before anything of it runs: what it starts inherits the bound, and this process needs no more.
    let swept = files::confine_signals() && tree::can_signal_only_its_own();
    let end = match (spec.namespaced, swept) {
        (true, _) => End::Init,
        (false, true) => End::Sweep,
        (false, false) => End::Hunt,
    };
    let spec = &Spec {
        // The kernel counts no processes of root, so nothing bounds what has to be hunted.
        ends_whole: end != End::Hunt || !getuid().is_root(),
        ..spec.clone()
    };
    let role = if spec.namespaced { INIT } else { STARTER };
    let child = in_role(word, role, stdio(&theirs)?).spawn()?;
    drop(theirs);
    let child = Pid::from_child(&child);
    // Without one, the watch's own rhythm notices the end.
    let pidfd = pidfd_open(child, PidfdFlags::empty()).ok();
    let borrowed: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
    let sent = send(&ours, spec, &borrowed);
    ours.set_nonblocking(true)?;
    let started = Started {
        child,
        pidfd,
        end,
        steps: BufReader::new(ours),
        walls: Vec::new(),
        ended: None,
        verdict: None,
    };
    if let Err(error) = sent {
        end.all(child);
        return Err(error);
    }
    Ok(started)
}

impl Started {
    /// Watches until everything has ended. `None` when the host went away and hears no report.
    fn watch(
        mut self,
        control: &UnixStream,
        spec: &Spec,
        room: &Room<'_>,
    ) -> io::Result<Option<Report>> {
        loop {
            if self.wait(control)? {
                self.end.all(self.child);
                return Ok(None);
            }
            self.hear()?;
            let alone = self.reap(spec)?;
            if let Some(verdict) = self.verdict.take() {
                self.end.all(self.child);
                return Ok(Some(verdict));
            }
            if let Some((ended, since)) = self.ended {
                if alone || since.elapsed() >= GRACE {
                    self.end.all(self.child);
                    return Ok(Some(self.report(ended)));
                }
            } else if alone {
                return Ok(Some(Report::Broken("the starter broke off".to_owned())));
            }
            let used = tree::Usage::of_descendants(spec.limits.processes);
            let exceeded = used.exceeded(&spec.limits, spec.namespaced);
            if let Some(limit) = exceeded.or(room.is_short().then_some(Limit::Disk)) {
                self.end.all(self.child);
                return Ok(Some(Report::Limit(limit)));
            }
        }
    }

    /// Waits for news or until it is time to look. True when the host wants no more.
    fn wait(&self, control: &UnixStream) -> io::Result<bool> {
        let mut polled = vec![
            PollFd::new(control, PollFlags::IN),
            PollFd::new(self.steps.get_ref(), PollFlags::IN),
        ];
        // What has ended, and a socket whose other side is closed, are always ready.
        if self.ended.is_some() || !self.walls.is_empty() && self.pidfd.is_none() {
            polled.truncate(1);
        } else if let Some(pidfd) = &self.pidfd {
            if !self.walls.is_empty() {
                polled.truncate(1);
            }
            polled.push(PollFd::new(pidfd, PollFlags::IN));
        }
        let timeout = Timespec::try_from(WATCH).map_err(io::Error::other)?;
        match poll(&mut polled, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(!polled[0].revents().is_empty())
    }

    /// Hears what the starter and the init say.
    fn hear(&mut self) -> io::Result<()> {
        let mut line = String::new();
        loop {
            line.clear();
            match self.steps.read_line(&mut line) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                // A process that is killed with unread messages resets the connection.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
                Err(error) => return Err(error),
            }
            match serde_json::from_str(&line)? {
                Step::Confined(walls) => self.walls = walls,
                Step::Unconfinable(missing) => self.verdict = Some(Report::Unconfinable(missing)),
                Step::Failed(reason) => self.verdict = Some(Report::Failed(reason)),
                Step::Ended(ended) => self.ended = Some((ended, Instant::now())),
            }
        }
    }

    /// Reaps what has ended. True when nothing is left.
    fn reap(&mut self, spec: &Spec) -> io::Result<bool> {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == self.child && !spec.namespaced => {
                    self.ended = Some((tree::ended(status), Instant::now()));
                }
                Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
                Ok(None) => return Ok(false),
                Err(rustix::io::Errno::CHILD) => {
                    self.hear()?;
                    return Ok(true);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn report(&mut self, ended: Ended) -> Report {
        match ended {
            Ended::Signalled(CPU_SIGNAL) => Report::Limit(Limit::Cpu),
            Ended::Signalled(FILE_SIGNAL) => Report::Limit(Limit::FileSize),
            _ => Report::Finished {
                ended,
                cpu_ms: tree::reaped_cpu_ms(),
                walls: std::mem::take(&mut self.walls),
            },
        }
    }
}
