//! The host's side: the imports inside the sandbox; in a native test stderr for logging and progress,
//! the environment for secrets, what lives in the test's own thread for state and other tools, and
//! the machine's own programs.

#[cfg(not(target_family = "wasm"))]
mod native_process;
#[cfg(not(target_family = "wasm"))]
mod native_state;

#[cfg(not(target_family = "wasm"))]
pub(crate) use native::{log, report, secret};
#[cfg(not(target_family = "wasm"))]
pub(crate) use native_process::run;
#[cfg(not(target_family = "wasm"))]
pub use native_state::stand_in;
#[cfg(not(target_family = "wasm"))]
pub(crate) use native_state::{call, delete, get, keys, set, swap};
#[cfg(target_family = "wasm")]
pub(crate) use sandbox::{call, delete, get, keys, log, report, secret, set, swap};
#[cfg(target_family = "wasm")]
pub(crate) use sandbox_process::run;

#[cfg(target_family = "wasm")]
mod sandbox_process {
    use std::time::Duration;

    use crate::bindings::cofferdam::tool::process as wit;
    use crate::process::{Argument, Command, Ended, Error, Output};

    pub(crate) fn run(command: &Command) -> Result<Output, Error> {
        let arguments = command.arguments.iter().map(|argument| match argument {
            Argument::Text(text) => wit::Argument::Text(text.clone()),
            Argument::Path { prefix, path } => wit::Argument::Path(wit::Place {
                prefix: prefix.clone(),
                path: path.clone(),
            }),
        });
        let output = wit::run(&wit::Command {
            program: command.program.clone(),
            arguments: arguments.collect(),
            stdin: command.stdin.clone(),
            directory: command.directory.clone(),
        });
        let output = output.map_err(|error| match error {
            wit::Error::Denied => Error::Denied,
            wit::Error::Malformed => Error::Malformed,
            wit::Error::NoDirectory => Error::NoDirectory,
            wit::Error::Failed => Error::Failed,
            wit::Error::Timeout => Error::Timeout,
        })?;
        Ok(Output {
            ended: match output.ended {
                wit::Ended::Exited(code) => Ended::Exited(code),
                wit::Ended::Signalled(signal) => Ended::Signalled(signal),
            },
            stdout: output.stdout,
            stdout_dropped: output.stdout_dropped,
            stderr: output.stderr,
            stderr_dropped: output.stderr_dropped,
            wall: Duration::from_millis(output.wall_ms),
            cpu: Duration::from_millis(output.cpu_ms),
            confined_by: output.confined_by,
        })
    }
}

#[cfg(target_family = "wasm")]
mod sandbox {
    use crate::bindings::cofferdam::tool;
    use crate::bindings::cofferdam::tool::key_value as wit;
    use crate::key_value::{Error, Scope};
    use crate::log::Level;
    use crate::secret::Refusal;
    use crate::tool_call;

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

    pub(crate) fn secret(name: &str) -> Result<String, Refusal> {
        tool::secrets::get(name).map_err(|error| match error {
            tool::secrets::Error::Denied => Refusal::Denied,
            tool::secrets::Error::Unavailable => Refusal::Unavailable,
        })
    }

    fn scope(scope: Scope) -> wit::Scope {
        match scope {
            Scope::Tool => wit::Scope::Tool,
            Scope::Agent => wit::Scope::Agent,
        }
    }

    fn error(error: wit::Error) -> Error {
        match error {
            wit::Error::Denied => Error::Denied,
            wit::Error::InvalidKey => Error::InvalidKey,
            wit::Error::Full => Error::Full,
            wit::Error::Unavailable => Error::Unavailable,
        }
    }

    pub(crate) fn get(whose: Scope, key: &str) -> Result<Option<Vec<u8>>, Error> {
        wit::get(scope(whose), key).map_err(error)
    }

    pub(crate) fn set(whose: Scope, key: &str, value: &[u8]) -> Result<(), Error> {
        wit::set(scope(whose), key, value).map_err(error)
    }

    pub(crate) fn delete(whose: Scope, key: &str) -> Result<bool, Error> {
        wit::delete(scope(whose), key).map_err(error)
    }

    pub(crate) fn swap(
        whose: Scope,
        key: &str,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool, Error> {
        wit::swap(scope(whose), key, expected, new).map_err(error)
    }

    pub(crate) fn keys(
        whose: Scope,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<String>, Option<String>), Error> {
        let page = wit::keys(scope(whose), prefix, after, limit).map_err(error)?;
        Ok((page.keys, page.next))
    }

    pub(crate) fn call(tool: &str, arguments: &str) -> Result<String, tool_call::Error> {
        tool::tool_call::call(tool, arguments).map_err(|error| tool_call::Error {
            code: error.code,
            message: error.message,
            details: serde_json::from_str(&error.details).unwrap_or_default(),
        })
    }
}

#[cfg(not(target_family = "wasm"))]
mod native {
    #![allow(
        clippy::print_stderr,
        reason = "the test harness captures this and shows it when a test fails"
    )]

    use crate::log::Level;
    use crate::secret::Refusal;

    pub(crate) fn log(level: Level, message: &str, fields: &str) {
        eprintln!("{level:?}: {message} {fields}");
    }

    pub(crate) fn report(done: f64, total: Option<f64>, message: &str) {
        match total {
            Some(total) => eprintln!("Progress: {done} of {total} {message}"),
            None => eprintln!("Progress: {done} {message}"),
        }
    }

    pub(crate) fn secret(name: &str) -> Result<String, Refusal> {
        let variable = name.replace('/', "__").replace('-', "_");
        let variable = format!("COFFERDAM_SECRET_{}", variable.to_ascii_uppercase());
        #[allow(
            clippy::disallowed_methods,
            reason = "in a native test there is no host to ask"
        )]
        std::env::var(variable).map_err(|_| Refusal::Denied)
    }
}
