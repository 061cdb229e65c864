//! A program that is nothing but the launcher, for the tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let word = arguments.next().unwrap_or_default();
    cofferdam_process::launcher_main(&word, arguments.next().as_deref())
}
