//! A program that tries what a confined one must not be able to, for the tests.
#![allow(
    unsafe_code,
    clippy::disallowed_methods,
    reason = "it looks at what it was given: its environment, and descriptors that nobody owns"
)]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, ExitCode};
use std::time::Duration;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut out = std::io::stdout();
    match words.as_slice() {
        ["arguments", rest @ ..] => drop(write!(out, "{rest:?}")),
        ["environment"] => {
            let all: Vec<_> = std::env::vars_os().collect();
            drop(write!(out, "{all:?}"));
        }
        ["directory"] => drop(write!(out, "{:?}", std::env::current_dir().is_ok())),
        ["descriptors"] => drop(write!(out, "{:?}", descriptors())),
        ["read", path] => drop(write!(out, "{:?}", fs::read_to_string(path))),
        ["write", path] => drop(write!(out, "{:?}", fs::write(path, "written").is_ok())),
        ["truncate", path] => {
            let opened = fs::OpenOptions::new().write(true).truncate(true).open(path);
            drop(write!(out, "{:?}", opened.is_ok()));
        }
        ["metadata", path] => drop(write!(out, "{}", metadata(path))),
        ["second-table"] => drop(write!(out, "{}", second_table())),
        ["sockets", port, path] => drop(write!(out, "{}", sockets(port, path))),
        ["signal", pid] => {
            let status = Command::new("/bin/sh")
                .args(["-c", &format!("kill -0 {pid}")])
                .status();
            drop(write!(
                out,
                "{}",
                status.is_ok_and(|status| status.success())
            ));
        }
        ["memory", mib] => memory(mib.parse().unwrap_or(0)),
        ["threads", count] => threads(count.parse().unwrap_or(0)),
        ["spin"] => spin(),
        ["flood", count] => flood(count.parse().unwrap_or(0)),
        ["echo"] => {
            let mut all = Vec::new();
            drop(std::io::stdin().read_to_end(&mut all));
            drop(out.write_all(&all));
            drop(std::io::stderr().write_all(&all));
        }
        ["abort"] => std::process::abort(),
        ["code", code] => return ExitCode::from(code.parse().unwrap_or(0)),
        other => drop(write!(out, "unknown: {other:?}")),
    }
    ExitCode::SUCCESS
}

/// Which of the first descriptors are open, found without `/proc`.
fn descriptors() -> Vec<i32> {
    (0..1_024)
        .filter(|fd| {
            // SAFETY: the call reads the flags of a descriptor, or says that there is none.
            let flags = unsafe { libc::fcntl(*fd, libc::F_GETFD) };
            flags != -1
        })
        .collect()
}

/// Which of the calls that change what is kept about a file, by its path or by a descriptor, are
/// refused. Owners and attributes stay what they are where these do nothing.
fn metadata(path: &str) -> String {
    let Ok(path) = std::ffi::CString::new(path) else {
        return String::new();
    };
    let path = path.as_ptr();
    // SAFETY: the path ends with a NUL and lives, and the kernel answers for any descriptor.
    let tried = unsafe {
        let fd = libc::open(path, libc::O_RDONLY);
        let (name, value) = (c"user.probe".as_ptr(), c"x".as_ptr().cast());
        let flags = 0_i64;
        [
            ("chmod", libc::chmod(path, 0o777)),
            ("fchmodat", libc::fchmodat(libc::AT_FDCWD, path, 0o777, 0)),
            ("fchmod", libc::fchmod(fd, 0o777)),
            ("utimes", libc::utimes(path, std::ptr::null())),
            (
                "utimensat",
                libc::utimensat(libc::AT_FDCWD, path, std::ptr::null(), 0),
            ),
            ("futimens", libc::futimens(fd, std::ptr::null())),
            ("chown", libc::chown(path, libc::getuid(), libc::getgid())),
            ("lchown", libc::lchown(path, libc::getuid(), libc::getgid())),
            ("fchown", libc::fchown(fd, libc::getuid(), libc::getgid())),
            ("setxattr", libc::setxattr(path, name, value, 1, 0)),
            ("fsetxattr", libc::fsetxattr(fd, name, value, 1, 0)),
            ("removexattr", libc::removexattr(path, name)),
            ("ioctl", libc::ioctl(fd, FS_IOC_SETFLAGS, &raw const flags)),
        ]
    };
    let refused: Vec<&str> = tried
        .iter()
        .filter(|(_, answer)| *answer != 0)
        .map(|(name, _)| *name)
        .collect();
    refused.join(" ")
}

/// From the kernel's `fs.h`.
const FS_IOC_SETFLAGS: libc::Ioctl = 0x4008_6602;

/// How the second table of calls answers: for one that needs no rights, and one that has a number
/// of its own there.
fn second_table() -> String {
    [libc::SYS_getpid, libc::SYS_clone3, 545, 600]
        .map(|call| {
            // SAFETY: no call of that table has a pointer to follow here.
            let answer = unsafe { libc::syscall(call | 0x4000_0000, 0, 0, 0, 0, 0, 0) };
            let refused = std::io::Error::last_os_error().raw_os_error() == Some(libc::EPERM);
            (answer == -1 && refused).to_string()
        })
        .join(" ")
}

fn sockets(port: &str, path: &str) -> String {
    let address = format!("127.0.0.1:{port}");
    let tried = [
        ("connect", TcpStream::connect(&address).is_ok()),
        ("listen", TcpListener::bind("127.0.0.1:0").is_ok()),
        ("datagram", UdpSocket::bind("127.0.0.1:0").is_ok()),
        ("local", UnixStream::connect(path).is_ok()),
        ("serve", UnixListener::bind("probe.sock").is_ok()),
        ("pair", UnixStream::pair().is_ok()),
    ];
    let worked: Vec<&str> = tried
        .iter()
        .filter(|(_, worked)| *worked)
        .map(|(name, _)| *name)
        .collect();
    worked.join(" ")
}

fn memory(mib: usize) {
    let mut held = Vec::new();
    for _ in 0..mib {
        held.push(vec![1_u8; 1 << 20]);
    }
    drop(write!(std::io::stdout(), "held {}", held.len()));
}

fn threads(count: usize) {
    for _ in 0..count {
        let started = std::thread::Builder::new()
            .stack_size(64 << 10)
            .spawn(|| std::thread::sleep(Duration::from_mins(1)));
        if started.is_err() {
            break;
        }
    }
    std::thread::sleep(Duration::from_mins(1));
}

fn spin() {
    let mut number = 0_u64;
    loop {
        number = std::hint::black_box(number.wrapping_add(1));
    }
}

fn flood(mib: usize) {
    let chunk = vec![0x1b_u8; 1 << 20];
    for _ in 0..mib {
        drop(std::io::stdout().write_all(&chunk));
        drop(std::io::stderr().write_all(&chunk));
    }
}
