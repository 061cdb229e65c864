//! Cases of [`crate::Blobs`].

use cofferdam_types::Digest;

use super::sample::tenant;
use crate::Stores;

/// Nothing, every byte, and the size of a real component.
pub async fn bytes_come_back(stores: Stores) {
    let own = tenant("alpha");
    let all: Vec<u8> = (0..=u8::MAX).collect();
    let large: Vec<u8> = all.iter().copied().cycle().take(5 << 20).collect();
    for bytes in [Vec::new(), all, large] {
        let digest = Digest::of(&bytes);
        assert_eq!(stores.blobs.get(&own, &digest).await, Ok(None));
        assert_eq!(stores.blobs.put(&own, &digest, &bytes).await, Ok(()));
        let kept = stores.blobs.get(&own, &digest).await;
        assert!(
            kept.as_ref()
                .is_ok_and(|kept| kept.as_ref() == Some(&bytes)),
            "{} bytes do not come back",
            bytes.len()
        );
    }
}

/// A second put is no error and changes nothing.
pub async fn put_twice_keeps_the_first(stores: Stores) {
    let own = tenant("alpha");
    let digest = Digest::of(b"bytes");
    for bytes in [b"bytes", b"other"] {
        assert_eq!(stores.blobs.put(&own, &digest, bytes).await, Ok(()));
    }
    let kept = stores.blobs.get(&own, &digest).await;
    assert_eq!(kept, Ok(Some(b"bytes".to_vec())));
}
