//! The host's side of logging and progress: the imports inside the sandbox, stderr in a native test.

#[cfg(not(target_family = "wasm"))]
pub(crate) use native::{log, report};
#[cfg(target_family = "wasm")]
pub(crate) use sandbox::{log, report};

#[cfg(target_family = "wasm")]
mod sandbox {
    use crate::bindings::cofferdam::tool;
    use crate::log::Level;

    pub(crate) fn log(level: Level, message: &str, fields: &str) {
        let level = match level {
            Level::Trace => tool::log::Level::Trace,
            Level::Debug => tool::log::Level::Debug,
            Level::Info => tool::log::Level::Info,
            Level::Warn => tool::log::Level::Warn,
            Level::Error => tool::log::Level::Error,
        };
        tool::log::write(level, message, fields);
    }

    pub(crate) fn report(done: f64, total: Option<f64>, message: &str) {
        tool::progress::report(done, total, message);
    }
}

#[cfg(not(target_family = "wasm"))]
mod native {
    #![allow(
        clippy::print_stderr,
        reason = "the test harness captures this and shows it when a test fails"
    )]

    use crate::log::Level;

    pub(crate) fn log(level: Level, message: &str, fields: &str) {
        eprintln!("{level:?}: {message} {fields}");
    }

    pub(crate) fn report(done: f64, total: Option<f64>, message: &str) {
        match total {
            Some(total) => eprintln!("Progress: {done} of {total} {message}"),
            None => eprintln!("Progress: {done} {message}"),
        }
    }
}
