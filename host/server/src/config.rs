use std::net::SocketAddr;
use std::path::PathBuf;

/// What a host is made of.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where its files are.
    pub data_dir: PathBuf,
    /// Where it remembers.
    pub store: Store,
    /// Guests at once; absent: the sandbox's default.
    pub live_calls: Option<u32>,
    /// Names under which MCP clients may address this host, beside those of this machine and the
    /// address it listens on: `tools.example.org`, or with a port.
    pub allowed_hosts: Vec<String>,
    /// Origins of web pages that may speak MCP to this host: `https://app.example.org`.
    pub allowed_origins: Vec<String>,
}

/// Where a host remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// Nowhere: everything is gone when it stops.
    Memory,
    /// One file in the data directory.
    Embedded(Durability),
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
