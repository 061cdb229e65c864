//! The MCP door: the tools of the toolbox for any MCP client, on stdio and over streamable HTTP.
//!
//! Owns the protocol: its messages, revisions, sessions and streams, and how a tool, a result and a
//! failure look in it. Refuses to know sockets, keys and files: `http` brings requests whose caller
//! is known already, the command line brings two streams of bytes. Start with [`Door`], then
//! [`stdio()`] and [`Http`].

mod answer;
mod call;
mod changes;
mod door;
mod error;
mod http;
mod in_flight;
mod line;
mod listing;
mod message;
mod progress;
mod schema;
mod stdio;
mod version;

pub use door::Door;
pub use http::{Content, Http};
pub use stdio::{Stdio, stdio};
