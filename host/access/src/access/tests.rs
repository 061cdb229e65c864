use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use cofferdam_store_api::StoreError;
use cofferdam_types::{Code, Failure, KeyId};

use super::*;

/// Counts up instead of being random, so that no two keys are the same.
struct Counting(AtomicU64);

impl Ambient for Counting {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000)
    }

    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes()[0];
        }
    }
}

/// A clock that is set.
#[derive(Default)]
struct Clock(AtomicU64);

impl Ambient for Clock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// Keeps keys, notes every look-up, and fails when told to.
#[derive(Default)]
struct Table {
    rows: Mutex<Vec<KeyRecord>>,
    reads: AtomicU64,
    broken: std::sync::atomic::AtomicBool,
}

#[async_trait]
impl Keys for Table {
    async fn create(&self, key: &KeyRecord) -> Result<(), StoreError> {
        self.rows.lock().expect("no panic").push(key.clone());
        Ok(())
    }

    async fn get(&self, id: &KeyId) -> Result<Option<KeyRecord>, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        if self.broken.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("down".to_owned()));
        }
        let rows = self.rows.lock().expect("no panic");
        Ok(rows.iter().find(|key| key.id == *id).cloned())
    }
}

fn access(keys: Arc<dyn Keys>) -> Access {
    Access::new(keys, Arc::new(Counting(AtomicU64::new(0))))
}

#[tokio::test]
async fn a_key_opens_its_tenant_with_its_role() {
    let access = access(cofferdam_store_memory::open().keys);
    let tenant: Tenant = "acme".parse().expect("a name");
    for role in [Role::Viewer, Role::User, Role::Author, Role::Admin] {
        let key = access
            .create_key("test", role, &tenant)
            .await
            .expect("kept");
        let caller = access.authenticate(&key.reveal()).await.expect("known");
        let expected = Caller {
            principal: format!("key:{}", key.id()),
            role,
            tenant: tenant.clone(),
        };
        assert_eq!(caller, expected);
        assert_eq!(access.authenticate(&key.reveal()).await, Ok(expected));
    }
}

#[tokio::test]
async fn unknown_keys_and_wrong_secrets_are_the_same() {
    let table = Arc::new(Table::default());
    let access = access(table.clone());
    let key = access
        .create_key("test", Role::Admin, &Tenant::default())
        .await;
    let text = key.expect("kept").reveal();
    let wrong_secret = format!("{}{}", &text[..text.len() - 2], "ff");
    let unknown_id = format!("cof_{}{}", "0".repeat(32), &text[36..]);
    for presented in [&wrong_secret, &unknown_id] {
        let before = table.reads.load(Ordering::Relaxed);
        assert_eq!(access.authenticate(presented).await, Err(Error::Unknown));
        assert_eq!(
            table.reads.load(Ordering::Relaxed),
            before + 1,
            "one look-up each"
        );
    }
    for presented in ["", "Bearer x", "cof_", &text[..text.len() - 1]] {
        assert_eq!(access.authenticate(presented).await, Err(Error::Unknown));
    }
    assert_eq!(Failure::from(Error::Unknown).code, Code::Unauthenticated);
    assert!(access.authenticate(&text).await.is_ok());
}

#[tokio::test]
async fn a_known_key_is_not_looked_up_again_but_a_wrong_one_always() {
    let table = Arc::new(Table::default());
    let access = access(table.clone());
    let key = access
        .create_key("test", Role::User, &Tenant::default())
        .await;
    let text = key.expect("kept").reveal();
    for _ in 0..100 {
        assert!(access.authenticate(&text).await.is_ok());
    }
    assert_eq!(table.reads.load(Ordering::Relaxed), 1);
    let wrong = format!("{}{}", &text[..text.len() - 2], "ff");
    for _ in 0..10 {
        assert!(access.authenticate(&wrong).await.is_err());
    }
    assert_eq!(table.reads.load(Ordering::Relaxed), 11);
}

#[tokio::test]
async fn a_store_that_is_down_lets_nobody_in_and_says_so() {
    let table = Arc::new(Table::default());
    let access = access(table.clone());
    let key = access
        .create_key("test", Role::User, &Tenant::default())
        .await;
    table.broken.store(true, Ordering::Relaxed);
    let error = access.authenticate(&key.expect("kept").reveal()).await;
    let failure = Failure::from(error.expect_err("down"));
    assert_eq!(failure.code, Code::Unavailable);
    assert!(!failure.message.contains("down"), "{failure}");
}

/// A caller who was recognised stays one for a minute while the store can't be asked, and no longer;
/// a key that was taken away is refused as soon as it can.
#[tokio::test]
async fn a_known_caller_outlasts_a_store_that_is_away() {
    let (table, clock) = (Arc::new(Table::default()), Arc::new(Clock::default()));
    let access = Access::new(table.clone(), clock.clone());
    let key = access
        .create_key("test", Role::User, &Tenant::default())
        .await
        .expect("kept");
    let key = key.reveal();
    let caller = access.authenticate(&key).await.expect("known");
    table.broken.store(true, Ordering::Relaxed);
    for (seconds, known) in [(4, true), (59, true), (60, false)] {
        clock.0.store(seconds * 1_000, Ordering::Relaxed);
        let answer = access.authenticate(&key).await;
        assert_eq!(answer.ok(), known.then(|| caller.clone()), "{seconds} s");
    }
    clock.0.store(30_000, Ordering::Relaxed);
    table.broken.store(false, Ordering::Relaxed);
    table.rows.lock().expect("no panic").clear();
    assert_eq!(access.authenticate(&key).await, Err(Error::Unknown));
    table.broken.store(true, Ordering::Relaxed);
    assert!(access.authenticate(&key).await.is_err(), "it was forgotten");
}

#[test]
fn a_record_of_zeros_is_not_matched_by_its_absence() {
    let key: ApiKey = format!("cof_{}_{}", "0".repeat(32), "0".repeat(64))
        .parse()
        .expect("well-formed");
    assert!(!key.matches(None));
}
