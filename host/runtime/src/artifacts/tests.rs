//! What is taken from a disk and what is not, on real directories with real artifacts.

mod files;
mod starts;

use std::fs;
use std::path::{Path, PathBuf};

use cofferdam_types::Digest;
use tempfile::TempDir;
use wasmtime::Engine;

use super::{Artifact, Artifacts, Shelf};
use crate::engine;

const KEY: [u8; 32] = [7; 32];

/// A directory for artifacts, and what to fill it with.
struct World {
    root: TempDir,
    engine: Engine,
}

impl World {
    fn new() -> Self {
        Self {
            root: TempDir::new().expect("a directory"),
            engine: engine::host(2).expect("an engine"),
        }
    }

    fn directory(&self) -> PathBuf {
        self.root.path().join("compiled")
    }

    fn artifacts(&self, key: [u8; 32]) -> Artifacts {
        Artifacts {
            directory: self.directory(),
            key,
            bytes_max: 1 << 30,
        }
    }

    fn shelf(&self) -> Shelf {
        self.shelf_with(KEY)
    }

    fn shelf_with(&self, key: [u8; 32]) -> Shelf {
        Shelf::open(&self.artifacts(key), &self.engine).expect("a directory of our own")
    }

    /// What the compiler makes of a component that has this many functions.
    fn compiled(&self, functions: usize) -> Artifact {
        let body = "(func (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))";
        let text = format!("(component (core module {}))", body.repeat(functions));
        let component = wat::parse_str(text).expect("a component");
        let code = self.engine.precompile_component(&component);
        Artifact::of_child(code.expect("compiled"))
    }

    /// The only artifact in the directory.
    fn only_file(&self) -> PathBuf {
        let files = self.files();
        assert_eq!(files.len(), 1, "{files:?}");
        files.into_iter().next().expect("one")
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.directory()).expect("a directory");
        entries
            .map(|entry| entry.expect("an entry").path())
            .collect()
    }
}

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn flip(path: &Path, position: usize) {
    let mut bytes = fs::read(path).expect("a file");
    bytes[position] ^= 1;
    fs::write(path, bytes).expect("written");
}
