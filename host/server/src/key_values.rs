use std::sync::Arc;

use cofferdam_runtime::{KeyValues, Unavailable};
use cofferdam_store_api::StoreError;
use cofferdam_types::key_value::{Key, Quota, Space, Write, Written};
use cofferdam_types::page::{Page, PageRequest};
use futures::FutureExt;
use futures::future::BoxFuture;

/// The state of tools, kept in the store.
pub(crate) struct State(pub(crate) Arc<dyn cofferdam_store_api::KeyValues>);

impl KeyValues for State {
    fn get<'a>(
        &'a self,
        space: &'a Space,
        key: &'a Key,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, Unavailable>> {
        self.0.get(space, key).map(answer).boxed()
    }

    fn write<'a>(
        &'a self,
        space: &'a Space,
        write: &'a Write,
        quota: &'a Quota,
    ) -> BoxFuture<'a, Result<Written, Unavailable>> {
        self.0.write(space, write, quota).map(answer).boxed()
    }

    fn list<'a>(
        &'a self,
        space: &'a Space,
        prefix: &'a str,
        page: &'a PageRequest<Key>,
    ) -> BoxFuture<'a, Result<Page<Key, Key>, Unavailable>> {
        self.0.list(space, prefix, page).map(answer).boxed()
    }
}

fn answer<T>(answer: Result<T, StoreError>) -> Result<T, Unavailable> {
    answer.map_err(|error| {
        tracing::error!(%error, "the state of tools can't be reached");
        Unavailable
    })
}
