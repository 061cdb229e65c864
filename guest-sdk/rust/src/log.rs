//! Structured logging: a message for people and facts for programs.
//!
//! Records go to the call's log, never to the caller's result, and what is over the call's limits
//! is dropped and counted. In a native test they go to stderr.
//!
//! ```
//! use cofferdam_sdk::log;
//!
//! let path = "a.csv";
//! log::info!("reading {path}");
//! log::warn!(rows = 17, path = path, "{} rows have no name", 3);
//! ```

use serde::Serialize;
use serde_json::{Map, Value};

use crate::host;

/// How loud a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Every step, for the author.
    Trace,
    /// Facts that explain a result.
    Debug,
    /// Worth knowing.
    Info,
    /// Worth looking at.
    Warn,
    /// Something failed.
    Error,
}

/// Writes one record with `fields` as its facts. The macros of this module read better.
pub fn write(level: Level, message: &str, fields: &[(&str, Value)]) {
    let text = if fields.is_empty() {
        String::new()
    } else {
        let object: Map<String, Value> = fields
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect();
        Value::Object(object).to_string()
    };
    host::log(level, message, &text);
}

/// A field's value; what can't be written as JSON is `null`, because a log record must not fail.
#[doc(hidden)]
pub fn field(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

#[doc(hidden)]
#[macro_export]
macro_rules! __log {
    ($level:ident, $($key:ident = $value:expr,)* $format:literal $($rest:tt)*) => {
        $crate::log::write(
            $crate::log::Level::$level,
            &::std::format!($format $($rest)*),
            &[$((::core::stringify!($key), $crate::log::field(&$value))),*],
        )
    };
}

macro_rules! levels {
    ($($(#[$doc:meta])* $name:ident $hidden:ident $level:ident),* $(,)?) => {$(
        levels!(@one $(#[$doc])* $name $hidden $level ($));
    )*};
    (@one $(#[$doc:meta])* $name:ident $hidden:ident $level:ident ($d:tt)) => {
        #[doc(hidden)]
        #[macro_export]
        macro_rules! $hidden {
            ($d($d input:tt)+) => { $crate::__log!($level, $d($d input)+) };
        }
        $(#[$doc])*
        pub use $hidden as $name;
    };
}

levels! {
    /// Logs at [`Level::Trace`]: `trace!(key = value, "message {}", argument)`.
    trace __log_trace Trace,
    /// Logs at [`Level::Debug`]: `debug!(key = value, "message {}", argument)`.
    debug __log_debug Debug,
    /// Logs at [`Level::Info`]: `info!(key = value, "message {}", argument)`.
    info __log_info Info,
    /// Logs at [`Level::Warn`]: `warn!(key = value, "message {}", argument)`.
    warn __log_warn Warn,
    /// Logs at [`Level::Error`]: `error!(key = value, "message {}", argument)`.
    error __log_error Error,
}
