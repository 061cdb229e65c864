use std::sync::Arc;

use wasmtime::component::Resource;

use super::bindings::wasi::filesystem::preopens;
use super::{Descriptor, Host};

impl preopens::Host for Host<'_> {
    async fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        let mut found = Vec::new();
        for (root, path) in self.view.iter().flat_map(|view| view.roots()) {
            let root = Descriptor::Directory(Arc::new(root));
            found.push((self.table.push(root)?, path));
        }
        Ok(found)
    }
}
