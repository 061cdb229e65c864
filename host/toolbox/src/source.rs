use std::sync::Arc;

use cofferdam_runtime::{Error, Source};
use cofferdam_types::{Digest, Tenant};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::toolbox::Toolbox;

/// The components of one tenant, for the runtime to fetch what it has to compile.
pub(crate) struct Stored<'a> {
    pub(crate) toolbox: &'a Toolbox,
    pub(crate) tenant: &'a Tenant,
}

impl Source for Stored<'_> {
    fn bytes(&self, digest: &Digest) -> BoxFuture<'static, Result<Vec<u8>, Error>> {
        let (toolbox, tenant, digest) = (self.toolbox.clone(), self.tenant.clone(), *digest);
        async move {
            let registry = &toolbox.parts.registry;
            registry.component(&tenant, &digest).await.map_err(|error| {
                if error.is_unavailable() {
                    Error::Busy("the store can't answer now; try again")
                } else {
                    Error::Internal(format!("the component {digest}: {error:?}"))
                }
            })
        }
        .boxed()
    }
}

/// A component that is being added.
pub(crate) struct Offered(pub(crate) Arc<Vec<u8>>);

impl Source for Offered {
    fn bytes(&self, _: &Digest) -> BoxFuture<'static, Result<Vec<u8>, Error>> {
        let bytes = self.0.clone();
        async move { Ok(bytes.to_vec()) }.boxed()
    }
}
