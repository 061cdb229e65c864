//! The audit over real stores: what is written, what is lost and said to be lost, and what shows
//! when somebody lays hands on it.

mod chain;
mod double;
mod retention;
mod sample;
mod shared;
mod writing;
