//! Secrets as they are set and listed. No view has a value.

use cofferdam_types::{SecretName, SecretValue, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

/// A secret's new value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetSecret {
    /// The value: 8 bytes to 64 KiB of text.
    #[serde(deserialize_with = "value")]
    pub value: SecretValue,
}

/// What is known of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretView {
    /// Its name.
    pub name: SecretName,
    /// Where its value comes from: `stored`, or `variable` or `file` of the host's environment.
    pub source: String,
    /// Counts the values it has had, from 1; absent for one from the environment, as are the times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// When it got its first value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it got this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<Timestamp>,
}

/// The secrets of a tenant, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretList {
    /// At most 1,000.
    pub items: Vec<SecretView>,
}

/// A secret that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovedSecret {
    /// Its name.
    pub name: SecretName,
}

/// What a change of the key did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationView {
    /// The id of the key that everything is sealed with.
    pub key_id: String,
    /// How many values were sealed anew.
    pub resealed: u64,
}

/// A message of this names the rule and never the text.
fn value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretValue, D::Error> {
    let text = String::deserialize(deserializer)?;
    SecretValue::new(text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strict;

    #[test]
    fn a_refused_value_is_not_repeated() {
        let long = format!(r#"{{"value": "hunter2{}"}}"#, "x".repeat(70_000));
        for text in [
            r#"{"value": "hunter2"}"#,
            r#"{"value": "hunter2-hunter2", "more": "hunter2"}"#,
            r#"{"value": ["hunter2-hunter2"]}"#,
            r#"{"value": "hunter2-hunter2""#,
            r#"{"value": "hunter2-hunter2", "value": "hunter2-hunter2"}"#,
            &long,
        ] {
            let refused = strict::decode::<SetSecret>(text.as_bytes());
            let failure = refused.expect_err(text);
            assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
        }
        let taken = strict::decode::<SetSecret>(br#"{"value": "hunter2-hunter2"}"#);
        let taken = taken.expect("a good value");
        assert_eq!(taken.value.reveal(), "hunter2-hunter2");
        assert!(!format!("{taken:?}").contains("hunter2"));
    }
}
