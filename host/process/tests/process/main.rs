//! Real programs behind real walls.
#![cfg(target_os = "linux")]

mod arguments;
mod bare;
mod disk;
mod limits;
mod reach;
mod stand;
mod streams;
mod swap;
mod tree;
