use async_trait::async_trait;
use cofferdam_store_api::{Blobs, StoreError};
use cofferdam_types::{Digest, Tenant};
use redis::{Cmd, cmd};

use crate::script::BLOB_COMMIT;
use crate::store::Tables;

/// Bytes of one chunk: a server serves others between two of them.
const CHUNK_BYTES: usize = 1 << 20;
/// How long chunks stay of which no blob comes, in seconds: its writer was killed.
const ORPHANED_S: u64 = 3_600;

/// A blob is its head, the number of its bytes, beside its chunks, `HEAD:0`, `HEAD:1` …: it is there
/// when its head is.
#[async_trait]
impl Blobs for Tables {
    async fn put(&self, tenant: &Tenant, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
        let head = self.names.blob(tenant, digest);
        if self.link.command(&Cmd::exists(&head)).await? {
            return Ok(());
        }
        let mut keys = vec![head.clone()];
        let mut sizes = vec![bytes.len().to_string()];
        for (index, chunk) in bytes.chunks(CHUNK_BYTES).enumerate() {
            let key = chunk_key(&head, index);
            let mut set = cmd("SET");
            set.arg(&key).arg(chunk).arg("EX").arg(ORPHANED_S);
            self.link.command::<()>(&set).await?;
            keys.push(key);
            sizes.push(chunk.len().to_string());
        }
        let sizes: Vec<&[u8]> = sizes.iter().map(String::as_bytes).collect();
        match self.write(&BLOB_COMMIT, &keys, &sizes).await {
            Ok(_) => Ok(()),
            // A chunk went between its writing and now: the server lost it, or took an hour.
            Err(StoreError::Missing) => Err(StoreError::Unavailable(
                "a chunk was lost while writing".to_owned(),
            )),
            Err(error) => Err(error),
        }
    }

    async fn get(&self, tenant: &Tenant, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let head = self.names.blob(tenant, digest);
        let Some(length) = self.link.command::<Option<usize>>(&Cmd::get(&head)).await? else {
            return Ok(None);
        };
        let mut bytes = Vec::with_capacity(length);
        for index in 0..length.div_ceil(CHUNK_BYTES) {
            let chunk = self
                .link
                .command::<Vec<u8>>(&Cmd::get(chunk_key(&head, index)))
                .await?;
            bytes.extend_from_slice(&chunk);
        }
        Ok(Some(bytes))
    }
}

fn chunk_key(head: &str, index: usize) -> String {
    format!("{head}:{index}")
}
