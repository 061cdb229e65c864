//! The bindings of the world `cofferdam:tool/http`.

#![allow(
    unsafe_code,
    missing_docs,
    clippy::pedantic,
    reason = "generated from wit/, which documents it"
)]

wit_bindgen::generate!({
    path: "../../wit",
    world: "http",
    generate_all,
});
