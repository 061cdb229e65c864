//! Compiles the command again when a file is added to what it carries for new projects: the
//! embedding alone notices only changes of files that it has seen.

fn main() {
    for folder in [
        "guest-sdk/template",
        "guest-sdk/rust",
        "guest-sdk/macros",
        "guest-sdk/test",
        "wit",
    ] {
        println!("cargo::rerun-if-changed=../../{folder}");
    }
}
