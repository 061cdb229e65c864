//! The embedded backend against the promises of the store traits.

use cofferdam_store_api::Stores;
use cofferdam_store_api::conformance::{Durable, Harness};
use cofferdam_store_embedded::{Durability, Embedded, open};
use tempfile::TempDir;

struct File {
    /// Absent only while the file is closed.
    open: Option<Embedded>,
    directory: TempDir,
}

impl File {
    fn new() -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let mut file = Self {
            open: None,
            directory,
        };
        file.open();
        file
    }

    fn open(&mut self) {
        let path = self.directory.path().join("store.db");
        self.open = Some(open(&path, Durability::Safe).expect("a readable file"));
    }
}

impl Harness for File {
    fn stores(&self) -> Stores {
        self.open.as_ref().expect("an open file").stores()
    }
}

impl Durable for File {
    async fn restart(&mut self) {
        self.open = None;
        self.open();
    }
}

cofferdam_store_api::conformance!(File::new());
cofferdam_store_api::restart_conformance!(File::new());
