use async_trait::async_trait;
use cofferdam_registry::Registry;
use cofferdam_runtime::{Error, Source};
use cofferdam_types::{Digest, Tenant};

/// The components of one tenant, for the runtime to fetch what it has to compile.
pub(crate) struct Stored<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) tenant: &'a Tenant,
}

#[async_trait]
impl Source for Stored<'_> {
    async fn bytes(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        self.registry
            .component(self.tenant, digest)
            .await
            .map_err(|error| {
                if error.is_unavailable() {
                    Error::Busy("the store can't answer now; try again")
                } else {
                    Error::Internal(format!("the component {digest}: {error:?}"))
                }
            })
    }
}

/// A component that is being added.
pub(crate) struct Offered<'a>(pub(crate) &'a [u8]);

#[async_trait]
impl Source for Offered<'_> {
    async fn bytes(&self, _: &Digest) -> Result<Vec<u8>, Error> {
        Ok(self.0.to_vec())
    }
}
