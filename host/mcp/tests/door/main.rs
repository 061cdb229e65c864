//! The MCP door over the real toolbox and sandbox: what clients of both eras see, on both
//! transports, and what hostile ones get.

mod http;
mod methods;
mod sessions;
mod stdio;
mod streams;
mod world;
