//! Asks for programs in every way that a tool can.

use cofferdam_sdk::process::{Command, Ended, Error};
use cofferdam_sdk::{ToolError, data, secret, tool, tools};

/// What came of a program.
#[data(output)]
struct Said {
    /// Its code, or its signal as a negative number.
    code: i32,
    /// The beginning of stdout.
    stdout: String,
    /// The beginning of stderr.
    stderr: String,
    /// How much of both is missing.
    dropped: u64,
    /// What kept it in.
    confined_by: Vec<String>,
}

/// Starts a program.
#[tool(
    capabilities(subprocess, workspace(read_write, optional)),
    limits(deadline_ms = 300_000)
)]
fn start(
    /// The registered name.
    program: String,
    /// What follows it.
    #[default(Vec::new())]
    arguments: Vec<String>,
    /// A further argument: a path as this tool sees it.
    path: Option<String>,
    /// What stands before that path.
    #[default(String::new())]
    flag: String,
    /// What it is given to read, repeated `times` times.
    #[default(String::new())]
    stdin: String,
    /// How often.
    #[default(1)]
    times: usize,
    /// Where it starts.
    #[default(String::new())]
    directory: String,
) -> Result<Said, ToolError> {
    let mut command = Command::new(program)
        .arguments(arguments)
        .stdin(stdin.repeat(times))
        .directory(directory);
    if let Some(path) = path {
        command = command.path_of(flag, path);
    }
    let output = command.run().map_err(|error| {
        let code = match error {
            Error::Denied => "denied",
            Error::Malformed => "malformed",
            Error::NoDirectory => "no_directory",
            Error::Failed => "program_unavailable",
            Error::Timeout => "program_timeout",
        };
        ToolError::new(code, error.to_string())
    })?;
    Ok(Said {
        code: match output.ended {
            Ended::Exited(code) => code,
            Ended::Signalled(signal) => -signal,
        },
        stdout: output.stdout_text(),
        stderr: output.stderr_text(),
        dropped: output.stdout_dropped + output.stderr_dropped,
        confined_by: output.confined_by,
    })
}

/// Starts a program with a secret, or what stands for it, in its input or in its last argument.
#[tool(capabilities(subprocess, secret, workspace(read_write, optional)))]
fn feed(
    /// The registered name.
    program: String,
    /// What follows it.
    #[default(Vec::new())]
    arguments: Vec<String>,
    /// The secret.
    secret: String,
    /// True to give it as an argument.
    #[default(false)]
    as_argument: bool,
) -> Result<String, ToolError> {
    let held = secret::get(&secret)?;
    let mut arguments = arguments;
    let command = if as_argument {
        arguments.push(held);
        Command::new(program).arguments(arguments)
    } else {
        Command::new(program).arguments(arguments).stdin(held)
    };
    let output = command
        .run()
        .map_err(|error| ToolError::new("refused", error.to_string()))?;
    Ok(output.stdout_text())
}

/// Starts a program without having said that it would.
#[tool]
fn undeclared(
    /// The registered name.
    program: String,
) -> Result<i32, ToolError> {
    match Command::new(program).run()?.ended {
        Ended::Exited(code) => Ok(code),
        Ended::Signalled(signal) => Ok(-signal),
    }
}

tools![start, feed, undeclared];
