//! The values' suite: one form of JSON for each type, the same in schema, decoder and encoder.

mod agreement;
mod generate;
mod mapping;
