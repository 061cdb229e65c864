//! The engine through its public door, on the memory store, with a scripted tool and a held clock.

mod cancel;
mod commands;
mod crash;
mod docs;
mod double;
mod events;
mod property;
mod steps;
mod trouble;
mod world;
