//! The whole router, on the real engine and toolbox over the memory stores. The engine's steps go
//! to a double, since what a guest does is not this crate's business.

mod access;
mod events;
mod mount;
mod policy;
mod requests;
mod runs;
mod serve;
mod tools;
mod world;
