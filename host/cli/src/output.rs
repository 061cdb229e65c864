//! What the command prints: answers on stdout, everything around them on stderr.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use cofferdam_server::types::{Failure, Payload};
use cofferdam_wire::error::ErrorBody;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::error::{Error, Exit, Result, broken};
use crate::view;

/// Between two pictures of a spinner.
const TICK: Duration = Duration::from_millis(100);

/// Where and how to print.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    is_json: bool,
    is_terminal: bool,
    /// For what goes to stdout.
    pub(crate) out: Style,
    /// For what goes to stderr.
    pub(crate) err: Style,
}

/// Emphasis where it can be shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    is_on: bool,
}

impl Output {
    #[expect(
        clippy::disallowed_methods,
        reason = "the convention of https://no-color.org asks for this variable"
    )]
    pub(crate) fn new(is_json: bool) -> Self {
        let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_terminal = io::stdout().is_terminal();
        Self {
            is_json,
            is_terminal,
            out: Style {
                is_on: is_terminal && !is_plain,
            },
            err: Style {
                is_on: io::stderr().is_terminal() && !is_plain,
            },
        }
    }

    /// True when programs read the output.
    pub(crate) fn is_json(self) -> bool {
        self.is_json
    }

    /// Prints a value as one line of JSON.
    pub(crate) fn json(self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(value).map_err(|error| broken("write JSON", &error))?;
        self.text(text)
    }

    /// Prints a line of the answer.
    #[expect(clippy::unused_self, reason = "whoever prints has been told how")]
    pub(crate) fn text(self, text: impl Display) -> Result<()> {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{text}")
            .and_then(|()| stdout.flush())
            .map_err(|error| match error.kind() {
                ErrorKind::BrokenPipe => Error::Closed,
                _ => broken("write to stdout", &error),
            })
    }

    /// Prints a line as it is, but to a terminal without what could steer it.
    pub(crate) fn line(self, line: &str) -> Result<()> {
        if self.is_terminal {
            self.text(view::clean(line))
        } else {
            self.text(line)
        }
    }

    /// Prints a result: text as it is, everything else as JSON. What goes to a terminal can't
    /// steer it.
    pub(crate) fn result(self, result: &Payload) -> Result<()> {
        // A text that ends its last line itself needs no second end.
        let line = |text: &str| text.strip_suffix('\n').unwrap_or(text).to_owned();
        match result.as_value().as_str() {
            Some(text) if self.is_terminal => self.text(view::clean(&line(text))),
            Some(text) => self.text(line(text)),
            None => self.text(view::pretty(result.as_value())),
        }
    }

    /// Prints a line about the answer; programs don't need it.
    pub(crate) fn note(self, text: impl Display) {
        if !self.is_json {
            complain(text);
        }
    }

    /// Says how to see the rest of a list, when there is one.
    pub(crate) fn more(self, next: Option<&str>) {
        if let Some(next) = next {
            self.note(format!("there are more: --after {}", view::clean(next)));
        }
    }

    /// Something that turns until it is dropped; nothing where stderr is no terminal.
    pub(crate) fn busy(self, what: String) -> Busy {
        if self.is_json {
            return Busy(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner().with_message(what);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        Busy(bar)
    }

    /// Says how the command ended, and makes it its status.
    pub(crate) fn end(self, result: Result<Exit>) -> ExitCode {
        match result {
            Ok(exit) => exit,
            // Like `head`: whoever stopped reading has what they wanted.
            Err(Error::Closed) => Exit::Done,
            Err(Error::Failure(failure)) => {
                let exit = Exit::from(failure.code);
                self.failure(failure);
                exit
            }
        }
        .into()
    }

    /// Prints an error.
    pub(crate) fn failure(self, failure: Failure) {
        if self.is_json {
            // The status says it as well to whoever stopped reading.
            drop(self.json(&ErrorBody::from(failure)));
        } else {
            complain(view::failure(&failure, self.err));
        }
    }
}

/// Turns until it is dropped.
pub(crate) struct Busy(ProgressBar);

impl Busy {
    /// Whether there is somebody to see it.
    pub(crate) fn is_seen(&self) -> bool {
        !self.0.is_hidden()
    }

    /// Says something else from now on.
    pub(crate) fn say(&self, what: String) {
        self.0.set_message(what);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Style {
    /// No emphasis.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { is_on: false };

    pub(crate) fn bold(self, text: impl Display) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(self, text: impl Display) -> String {
        self.paint("2", text)
    }

    pub(crate) fn red(self, text: impl Display) -> String {
        self.paint("1;31", text)
    }

    pub(crate) fn green(self, text: impl Display) -> String {
        self.paint("32", text)
    }

    fn paint(self, code: &str, text: impl Display) -> String {
        if self.is_on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_string()
        }
    }
}

fn complain(text: impl Display) {
    // There is no further place to say that stderr is gone.
    drop(writeln!(io::stderr().lock(), "{text}"));
}
