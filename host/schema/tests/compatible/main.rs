//! Which schemas are part of which: pairs made by hand, and ten thousand made by chance.

mod edits;
mod generate;
mod pairs;
mod sampled;
mod samples;
