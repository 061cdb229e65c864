use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use cofferdam_policy::{Narrowing, NarrowingError};
use cofferdam_store_redis::{self as redis, Address, Prefix};
use zeroize::Zeroizing;

use crate::error::Error;

/// How the names of variables begin that are about policy.
const PREFIXES: [&str; 6] = [
    "COFFERDAM_ALLOW",
    "COFFERDAM_COMMAND_",
    "COMMAND_TIMEOUT",
    "COFFERDAM_POLICY",
    "COFFERDAM_TOOL_",
    "TTA_",
];

/// What a host is made of.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where its files are.
    pub data_dir: PathBuf,
    /// Where it remembers.
    pub store: Store,
    /// What decides what tools may do.
    pub rules: Rules,
    /// Guests at once; absent: the sandbox's default.
    pub live_calls: Option<u32>,
    /// Names under which MCP clients may address this host, beside those of this machine and the
    /// address it listens on: `tools.example.org`, or with a port.
    pub allowed_hosts: Vec<String>,
    /// Origins of web pages that may speak MCP to this host: `https://app.example.org`.
    pub allowed_origins: Vec<String>,
    /// How the audit is kept.
    pub audit: Audit,
}

/// How the audit is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audit {
    /// How long; absent: for ever.
    pub keep: Option<Duration>,
    /// Whether a call is answered only when its record is kept, which costs it a write of the store.
    /// Else the record follows within milliseconds, and a host that is killed loses it.
    pub is_strict: bool,
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            // What auditors commonly ask for.
            keep: Some(Duration::from_hours(365 * 24)),
            is_strict: false,
        }
    }
}

/// What decides what the tools of a host may do.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// The policy file; absent: the one that the environment names, else the built-in policy.
    pub file: Option<PathBuf>,
    /// What the environment takes away.
    pub narrowing: Narrowing,
    /// A file of certificate authorities that requests of tools trust beside the public ones, in
    /// PEM.
    pub authorities: Option<PathBuf>,
}

impl Rules {
    /// The policy of `file`, short of what the environment takes away.
    ///
    /// **Errors**: every variable that can't be read.
    pub fn new(file: Option<PathBuf>) -> Result<Self, Vec<NarrowingError>> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads what narrows the policy"
        )]
        let variables = texts(std::env::vars_os())?;
        let narrowing = Narrowing::from_environment(variables)?;
        Ok(Self {
            file,
            narrowing,
            authorities: None,
        })
    }

    /// The certificates that requests trust beside the public ones; whether they are any is found
    /// out by whoever trusts them.
    pub(crate) fn read_authorities(&self) -> Result<Vec<u8>, Error> {
        let Some(path) = &self.authorities else {
            return Ok(Vec::new());
        };
        std::fs::read(path).map_err(|source| Error::Authorities {
            path: path.clone(),
            source,
        })
    }
}

/// The variables that are texts.
///
/// **Errors**: each whose name is one of those about policy and whose value is no text: what can't
/// be read can't be left out, since it may take something away.
fn texts(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Vec<(String, String)>, Vec<NarrowingError>> {
    let (mut texts, mut errors) = (Vec::new(), Vec::new());
    for (name, value) in variables {
        // Ours are of ASCII.
        let Ok(name) = name.into_string() else {
            continue;
        };
        match value.into_string() {
            Ok(value) => texts.push((name, value)),
            Err(_) if PREFIXES.iter().any(|prefix| name.starts_with(prefix)) => {
                errors.push(NarrowingError {
                    variable: name,
                    reason: "its value is not UTF-8".to_owned(),
                });
            }
            Err(_) => {}
        }
    }
    if errors.is_empty() {
        Ok(texts)
    } else {
        Err(errors)
    }
}

/// Where a host remembers.
#[derive(Debug, Clone)]
pub enum Store {
    /// Nowhere: everything is gone when it stops.
    Memory,
    /// One file in the data directory.
    Embedded(Durability),
    /// A Redis that other hosts may share.
    Redis(Redis),
}

/// Where a Redis is, and which of its keys are ours.
#[derive(Debug, Clone)]
pub struct Redis {
    /// The server, or those that know it.
    pub address: Address,
    /// A file with the password, in place of the one in the address.
    pub password_file: Option<PathBuf>,
    /// What all keys begin with.
    pub prefix: Prefix,
}

impl Redis {
    /// As the store takes it. The password file is read each time.
    pub(crate) fn settings(&self) -> Result<redis::Settings, Error> {
        let password = self.password_file.as_ref().map(|path| {
            let text = std::fs::read_to_string(path).map_err(|source| Error::Password {
                path: path.clone(),
                source,
            })?;
            Ok::<_, Error>(Zeroizing::new(
                text.trim_end_matches(['\r', '\n']).to_owned(),
            ))
        });
        Ok(redis::Settings {
            address: self.address.clone(),
            password: password.transpose()?,
            prefix: self.prefix.clone(),
            allow_eviction: false,
        })
    }
}

/// What an acknowledged write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A crash of the host and loss of power: written to the disk before it is acknowledged.
    Safe,
    /// A crash of the host.
    Fast,
}

/// Whether the runs that are not over go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// They do.
    Driven,
    /// They rest until the next start; cancelling one works all the same.
    Left,
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn a_variable_that_cannot_be_read_is_not_left_out() {
        let no_text = || OsString::from_vec(vec![0xff]);
        for name in [
            "TTA_ALLOW_NETWORK_TOOLS",
            "COFFERDAM_ALLOWED_CALLABLES",
            "COFFERDAM_POLICY",
        ] {
            let errors = texts([(name.into(), no_text())]).expect_err("refused");
            assert_eq!(errors[0].variable, name);
        }
        let others = [
            ("TTA_TOOL_TIMEOUT_MS".into(), "5".into()),
            ("COFFERDAM_DATA_DIR".into(), no_text()),
            (no_text(), "1".into()),
        ];
        let read = texts(others).expect("read");
        assert_eq!(read, [("TTA_TOOL_TIMEOUT_MS".to_owned(), "5".to_owned())]);
    }
}
