//! WIT value types: their JSON Schema, and JSON to value and back.
//!
//! Owns the one JSON form of each type, in three views that say the same: the schema that a caller
//! reads ([`Type::schema`]), the decoder for arguments ([`Type::decode`]) and the encoder for
//! results ([`Type::encode`]). A JSON value is accepted by the decoder exactly if it satisfies the
//! schema, and what is encoded satisfies it too and decodes to the same value.
//!
//! | WIT | JSON |
//! |---|---|
//! | `bool` | `true`, `false` |
//! | `s8` … `u32` | whole number in range; `1.0` and `1e3` are whole numbers |
//! | `s64`, `u64` | whole number within ±(2⁵³-1), or a decimal string for any value |
//! | `f32`, `f64` | number, or `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | `char` | string of one code point |
//! | `string` | string |
//! | `list<T>` | array |
//! | `tuple<…>` | array of fixed length |
//! | `record` | object by field name; an option may be missing |
//! | `variant` | `"case"`, or `{"case": payload}` |
//! | `enum` | `"case"` |
//! | `flags` | array of distinct names |
//! | `option<T>` | `null` or T; `null` or `{"some": T}` when T is itself an option |
//! | `result<T, E>` | `{"ok": T}` or `{"err": E}`, with `null` for no payload |
//!
//! An option that is none is written as `null` and never left out: a result then has the same
//! members each time, and its reader sees that there is such a field.
//!
//! Refuses to know: how a component is run, where a type comes from, what text the JSON came as.
//!
//! Types come from strangers' components. Recursion here is as deep as the type, and a schema as
//! large as the type with every part written out, so check [`Signature::check`] before anything
//! else is asked of a signature.
//!
//! Start at [`Signature`], then `decode.rs`.

mod bounds;
mod decode;
mod encode;
mod number;
mod schema;
mod signature;
mod types;

pub use bounds::{DEPTH_MAX, NODES_MAX, TooLarge};
pub use decode::{ABSENT_MAX, FAULTS_MAX};
pub use encode::Mismatch;
pub use signature::{Answer, Signature};
pub use types::{Case, Field, Type, Value};
