//! The `cofferdam` command: serves, writes and builds tools, and speaks to a server.
//!
//! Owns the command line: what is typed, what is shown, how a command ends. Refuses to know how a
//! tool is run or where anything is kept: a server does it, at the other end of HTTP or, for one
//! call, inside this process. Start with [`cli`] for what can be typed, then read the command's
//! own file below `command/`.

mod arguments;
mod cli;
mod client;
mod command;
mod component;
mod context;
mod error;
mod follow;
mod input;
mod label;
mod log;
mod output;
mod project;
mod relay;
mod signals;
mod sse;
mod trial;
mod view;
mod wit;

use std::process::ExitCode;

use crate::cli::Cli;
use crate::output::Output;

/// What the sandbox passes to this program when it starts it as its compiler.
const COMPILE: &str = "__compile";
/// What it passes to become the launcher of a program of the machine.
const CONFINE: &str = "__confine";

fn main() -> ExitCode {
    // A compiler's child limits its own memory and time: nothing may run in it before.
    if std::env::args_os().nth(1).is_some_and(|arg| arg == COMPILE) {
        return cofferdam_server::compiler_child();
    }
    // A launcher makes namespaces, which a process with threads can't.
    let mut arguments = std::env::args_os().skip(1);
    if let Some(word) = arguments.next().filter(|word| word == CONFINE) {
        return cofferdam_server::launcher_child(&word, arguments.next().as_deref());
    }
    match Cli::read() {
        Ok((cli, command)) => run(cli, command),
        Err(error) => cli::refused(&error),
    }
}

fn run(cli: Cli, command: String) -> ExitCode {
    let output = Output::new(cli.options.json);
    log::start(&cli.command, cli.options.log.as_deref());
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return output.end(Err(error::broken("start its threads", &error))),
    };
    let ended = output.end(runtime.block_on(cli.run(command, output)));
    // A thread that waits for a line on stdin would be waited for.
    runtime.shutdown_background();
    ended
}
