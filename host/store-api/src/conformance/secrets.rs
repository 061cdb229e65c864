//! Cases of [`crate::Secrets`].

use cofferdam_types::page::PageRequest;

use super::fence::together;
use super::sample::{secret, tenant, time};
use crate::{SealKeyId, SecretHead, SecretRecord, StoreError, Stores};

/// Bytes of every kind and length come back, and the newest value is the one that is there.
pub async fn a_sealed_value_comes_back(stores: Stores) {
    let own = tenant("alpha");
    let mut record = secret(&own, "token", 1);
    record.sealed = (0..=255).cycle().take(70_000).collect();
    let (tenant, name) = (&record.head.tenant, &record.head.name);
    assert_eq!(stores.secrets.get(tenant, name).await, Ok(None));
    assert_eq!(stores.secrets.put(&record, None).await, Ok(()));
    let kept = stores.secrets.get(tenant, name).await;
    assert_eq!(kept, Ok(Some(record.clone())));
    let next = secret(&own, "token", 2);
    let replaced = stores.secrets.put(&next, Some(&record.head)).await;
    assert_eq!(replaced, Ok(()));
    let kept = stores.secrets.get(tenant, name).await;
    assert_eq!(kept, Ok(Some(next)));
}

/// A write that expects something else than what is there is refused and leaves nothing.
pub async fn a_write_needs_what_it_replaces(stores: Stores) {
    let own = tenant("alpha");
    let (first, second) = (secret(&own, "token", 1), secret(&own, "token", 2));
    let missing = stores.secrets.put(&second, Some(&first.head)).await;
    assert_eq!(missing, Err(StoreError::Conflict));
    assert_eq!(stores.secrets.put(&first, None).await, Ok(()));
    let other = |head: SecretHead| SecretRecord {
        head,
        ..second.clone()
    };
    let resealed = SecretHead {
        key: SealKeyId::new([9; 8]),
        ..first.head.clone()
    };
    let redated = SecretHead {
        rotated_at: time(9),
        ..first.head.clone()
    };
    for wrong in [None, Some(&second.head), Some(&resealed), Some(&redated)] {
        let refused = stores.secrets.put(&other(second.head.clone()), wrong).await;
        assert_eq!(refused, Err(StoreError::Conflict));
    }
    let kept = stores.secrets.get(&own, &first.head.name).await;
    assert_eq!(kept, Ok(Some(first)));
}

/// Of many who replace one value, one wins.
pub async fn one_of_many_writers_wins(stores: Stores) {
    let own = tenant("alpha");
    let first = secret(&own, "token", 1);
    assert_eq!(stores.secrets.put(&first, None).await, Ok(()));
    let writes: Vec<_> = (2..12)
        .map(|version| {
            let (stores, next) = (stores.clone(), secret(&own, "token", version));
            let head = first.head.clone();
            async move { stores.secrets.put(&next, Some(&head)).await }
        })
        .collect();
    let mut won = 0;
    for answer in together(writes).await {
        match answer {
            Ok(()) => won += 1,
            Err(error) => assert_eq!(error, StoreError::Conflict),
        }
    }
    assert_eq!(won, 1);
}

/// A secret that is removed is gone, and its name is free.
pub async fn remove_frees_the_name(stores: Stores) {
    let own = tenant("alpha");
    let record = secret(&own, "token", 1);
    let name = &record.head.name;
    assert_eq!(stores.secrets.remove(&own, name).await, Ok(false));
    assert_eq!(stores.secrets.put(&record, None).await, Ok(()));
    assert_eq!(stores.secrets.remove(&own, name).await, Ok(true));
    assert_eq!(stores.secrets.get(&own, name).await, Ok(None));
    assert_eq!(stores.secrets.list(&own).await, Ok(Vec::new()));
    assert_eq!(stores.secrets.put(&record, None).await, Ok(()));
}

/// A tenant's list is by name; the list over all is by tenant and name, in pages without a gap.
pub async fn lists_are_in_order(stores: Stores) {
    let (alpha, beta) = (tenant("alpha"), tenant("beta"));
    let mut heads = Vec::new();
    for (owner, name) in [
        (&alpha, "a"),
        (&alpha, "a-b"),
        (&alpha, "a/b"),
        (&alpha, "b"),
        (&beta, "a"),
        (&beta, "c"),
    ] {
        heads.push(secret(owner, name, 1).head);
    }
    for at in [3, 0, 5, 2, 4, 1] {
        let record = SecretRecord {
            head: heads[at].clone(),
            sealed: vec![1],
        };
        assert_eq!(stores.secrets.put(&record, None).await, Ok(()));
    }
    let list = stores.secrets.list(&alpha).await;
    assert_eq!(list.as_deref(), Ok(&heads[..4]));
    let mut found = Vec::new();
    let mut page = PageRequest {
        after: None,
        limit: 2,
    };
    loop {
        let part = stores.secrets.every(&page).await.expect("a page");
        assert!(part.items.len() <= 2);
        found.extend(part.items);
        page.after = part.next;
        if page.after.is_none() {
            break;
        }
    }
    assert_eq!(found, heads);
}
