//! The C bindings are written by `build.rs`, into the folder that cargo reports for it.
