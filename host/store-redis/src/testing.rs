//! A real server for tests, in a directory of its own.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{Prefix, Settings};

/// How long a server may take to answer, on a busy machine and with a file to read.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);
/// Attempts to get a port that nobody takes in between.
const ATTEMPTS: usize = 5;
/// What to do where no server is.
const MISSING: &str = "these tests need redis-server: `cargo xtask redis` unpacks Debian's below the \
                       target directory, or install it, as with `apt-get install redis-server`";

/// A server that runs until this is dropped. It keeps its files over [`kill`](Self::kill) and
/// [`start`](Self::start).
pub struct Server {
    child: Option<Child>,
    directory: TempDir,
    port: u16,
    options: Vec<String>,
    /// What stands in its file, for a sentinel, which needs one to write to.
    file: Option<String>,
}

impl Server {
    /// Starts one that keeps nothing on the disk.
    ///
    /// # Panics
    ///
    /// When there is no `redis-server`, with the command that brings it.
    pub fn new() -> Self {
        Self::with(&["--appendonly", "no"])
    }

    /// Starts one with these options on top: `["--appendonly", "yes", "--appendfsync", "always"]`.
    ///
    /// # Panics
    ///
    /// As [`Server::new`].
    pub fn with(options: &[&str]) -> Self {
        let options = options.iter().map(|&option| option.to_owned()).collect();
        Self::begin(options, None)
    }

    /// Starts a sentinel that watches `master` under the name `main`, and calls it dead soon.
    ///
    /// # Panics
    ///
    /// As [`Server::new`].
    pub fn sentinel(master: &Self) -> Self {
        let file = format!(
            "sentinel monitor main 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds main 300\n\
             sentinel failover-timeout main 2000\n",
            master.port
        );
        Self::begin(Vec::new(), Some(file))
    }

    fn begin(options: Vec<String>, file: Option<String>) -> Self {
        let mut server = Self {
            child: None,
            directory: TempDir::new().expect("a temporary directory"),
            port: 0,
            options,
            file,
        };
        for _ in 0..ATTEMPTS {
            server.port = free_port();
            if server.try_start() {
                return server;
            }
        }
        panic!("redis-server does not start; its log: {}", server.log());
    }

    /// Starts it again after [`kill`](Self::kill), at the same address.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    pub fn start(&mut self) {
        assert!(
            self.try_start(),
            "redis-server does not start again: {}",
            self.log()
        );
    }

    /// Kills it as a loss of the process does: without a chance to write anything.
    ///
    /// # Panics
    ///
    /// When it can't be killed.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a server to kill");
            child.wait().expect("a server that ends");
        }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// How to open stores on it.
    ///
    /// # Panics
    ///
    /// Never: the address is one.
    pub fn settings(&self) -> Settings {
        Settings {
            address: self.url().parse().expect("an address"),
            password: None,
            prefix: Prefix::default(),
            allow_eviction: false,
        }
    }

    /// What a command of one line answers, as Redis sends it.
    ///
    /// # Panics
    ///
    /// When there is no answer.
    pub fn ask(&self, line: &str) -> String {
        self.try_ask(line).expect("an answer of the server")
    }

    fn try_ask(&self, line: &str) -> io::Result<String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(format!("{line}\r\n").as_bytes())?;
        let mut answer = vec![0; 64 << 10];
        let count = stream.read(&mut answer)?;
        answer.truncate(count);
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    fn try_start(&mut self) -> bool {
        let program = program();
        let mut command = Command::new(&program);
        if let Some(root) = unpacked(&program) {
            let libraries = root.join(format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH));
            command.env("LD_LIBRARY_PATH", libraries);
        }
        let log = std::fs::File::create(self.log_file()).expect("a log file");
        let port = self.port.to_string();
        if let Some(text) = &self.file {
            let file = self.directory.path().join("sentinel.conf");
            std::fs::write(&file, text).expect("a file for the sentinel");
            command.arg(file).arg("--sentinel");
        } else {
            command.args(["--save", ""]);
        }
        command
            .args(["--port", &port, "--bind", "127.0.0.1", "--dir"])
            .arg(self.directory.path())
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(Stdio::null());
        self.child = Some(command.spawn().expect(MISSING));
        let patience = Instant::now() + PATIENCE;
        while Instant::now() < patience {
            if self
                .try_ask("PING")
                .is_ok_and(|answer| !answer.starts_with("-LOADING") && !answer.is_empty())
            {
                return true;
            }
            let child = self.child.as_mut();
            if child.is_some_and(|child| matches!(child.try_wait(), Ok(Some(_)))) {
                break;
            }
            std::thread::sleep(LOOK);
        }
        self.kill();
        false
    }

    fn log_file(&self) -> PathBuf {
        self.directory.path().join("redis.log")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The server's program: of the machine, else the one below the target directory.
fn program() -> PathBuf {
    const NAME: &str = "redis-server";
    let known = Command::new(NAME)
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if known.is_ok_and(|status| status.success()) {
        return NAME.into();
    }
    let test = std::env::current_exe().expect("the test's own program");
    let found = test
        .ancestors()
        .map(|folder| folder.join("redis/usr/bin").join(NAME));
    let found = found.into_iter().find(|program| program.is_file());
    found.expect(MISSING)
}

/// The folder that Debian's packages were unpacked to, when the program is from there.
fn unpacked(program: &Path) -> Option<&Path> {
    program
        .is_absolute()
        .then(|| program.ancestors().nth(3))
        .flatten()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}
