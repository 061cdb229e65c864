//! The command as people and scripts use it: what it prints, and how it ends.

mod alone;
mod audit;
mod author;
mod command;
mod errors;
mod files;
mod help;
mod mcp;
mod plain;
mod policy;
mod project;
mod server;
mod streams;
