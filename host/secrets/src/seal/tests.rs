use proptest::prelude::*;

use super::*;

/// Bytes that count up from a start, so that a test knows them.
struct Counting(u8);

impl Ambient for Counting {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }

    fn fill(&self, bytes: &mut [u8]) {
        for (byte, more) in bytes.iter_mut().zip(0..) {
            *byte = self.0.wrapping_add(more);
        }
    }
}

fn key() -> SealKey {
    let id = SealKeyId::new([0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]);
    let bytes = std::array::from_fn(|at| u8::try_from(at).expect("below 32"));
    SealKey::new(id, Timestamp::from_millis(0), Zeroizing::new(bytes))
}

fn value(text: &str) -> SecretValue {
    SecretValue::new(text.to_owned()).expect("long enough")
}

/// A place by its parts, of a secret that was made at some time.
fn with<T>(tenant: &str, name: &str, version: u64, run: impl FnOnce(Place<'_>) -> T) -> T {
    run(Place {
        tenant: &tenant.parse().expect("a tenant"),
        name: &name.parse().expect("a name"),
        version,
        created_at: Timestamp::from_millis(1_700_000_000_000),
    })
}

/// What another implementation of AES-256-GCM (Python's `cryptography`) makes of the same key,
/// nonce, text and place.
const KNOWN: &str = "02a0a1a2a3a4a5a6a7a8a9aaab85770e5f20a8769f0a0af5a0625aa2bf04d83c62eb9731\
                     18fd7e4ae32f8652f7893d7fe4884ea68901f545fa";

#[test]
fn the_layout_is_the_documented_one() {
    let sealed = with("default", "acme/github-token", 3, |place| {
        key().seal(
            place,
            &value("correct horse battery staple"),
            &Counting(0xa0),
        )
    });
    let digit = |at: u8| char::from(b"0123456789abcdef"[usize::from(at)]);
    let hex = sealed
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    assert_eq!(hex.collect::<String>(), KNOWN);
}

#[test]
fn a_value_opens_in_its_own_place_alone() {
    let sealed = with("a", "b", 1, |place| {
        key().seal(place, &value("password"), &Counting(0))
    });
    let opens = |tenant: &str, name: &str, version| {
        with(tenant, name, version, |place| {
            key().open(place, &sealed).is_ok()
        })
    };
    assert!(opens("a", "b", 1));
    for (tenant, name, version) in [("b", "b", 1), ("a", "a", 1), ("a", "b", 2), ("a", "b", 0)] {
        assert!(!opens(tenant, name, version), "{tenant} {name} {version}");
    }
    let made_again = with("a", "b", 1, |place| {
        let created_at = Timestamp::from_millis(place.created_at.as_millis() + 1);
        let place = Place {
            created_at,
            ..place
        };
        key().open(place, &sealed).is_ok()
    });
    assert!(!made_again);
    let other = SealKey::new(
        SealKeyId::new([0; 8]),
        Timestamp::from_millis(0),
        Zeroizing::new(*key().bytes()),
    );
    assert!(with("a", "b", 1, |place| other
        .open(place, &sealed)
        .is_err()));
}

#[test]
fn parts_of_a_place_are_not_taken_for_each_other() {
    let ties = [("a", "bc"), ("ab", "c"), ("a", "b/c"), ("a-b", "c")];
    let mut seen = std::collections::BTreeSet::new();
    for (tenant, name) in ties {
        let tie = with(tenant, name, 1, |place| key().tie(place).as_ref().to_vec());
        assert!(seen.insert(tie), "{tenant} {name}");
    }
}

#[test]
fn every_flipped_bit_of_a_value_is_noticed() {
    let sealed = with("a", "b", 1, |place| {
        key().seal(place, &value("password"), &Counting(0))
    });
    for at in 0..sealed.len() * 8 {
        let mut broken = sealed.clone();
        broken[at / 8] ^= 1 << (at % 8);
        assert!(
            with("a", "b", 1, |place| key().open(place, &broken).is_err()),
            "{at}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_sealed_opens_and_what_is_changed_does_not(
        text in "\\PC{8,200}",
        nonce in any::<u8>(),
        at in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
        cut in any::<prop::sample::Index>(),
    ) {
        with("a", "b", 1, |place| {
            let sealed = key().seal(place, &value(&text), &Counting(nonce));
            prop_assert_eq!(key().open(place, &sealed), Ok(value(&text)));
            let mut broken = sealed.clone();
            let at = at.index(broken.len());
            broken[at] ^= flip;
            prop_assert!(key().open(place, &broken).is_err());
            prop_assert!(key().open(place, &sealed[..cut.index(sealed.len())]).is_err());
            let longer = [&sealed[..], &[flip]].concat();
            prop_assert!(key().open(place, &longer).is_err());
            Ok(())
        })?;
    }

    #[test]
    fn bytes_of_anybody_open_nothing(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        prop_assert!(with("a", "b", 1, |place| key().open(place, &bytes).is_err()));
    }
}
