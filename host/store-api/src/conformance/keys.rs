//! Cases of [`crate::Keys`].

use super::sample::{key, key_id, tenant};
use crate::{StoreError, Stores};

/// An id is taken in whichever tenant; the first key stays.
pub async fn create_refuses_a_taken_id(stores: Stores) {
    let first = key(&tenant("alpha"), 1);
    assert_eq!(stores.keys.get(&first.id).await, Ok(None));
    assert_eq!(stores.keys.create(&first).await, Ok(()));
    for owner in ["alpha", "beta"] {
        let mut second = key(&tenant(owner), 1);
        second.secret_hash = [0; 32];
        assert_eq!(stores.keys.create(&second).await, Err(StoreError::Conflict));
    }
    assert_eq!(stores.keys.get(&first.id).await, Ok(Some(first)));
    assert_eq!(stores.keys.get(&key_id(2)).await, Ok(None));
}
