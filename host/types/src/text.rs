use thiserror::Error;

/// Why a text is not the value it was taken for.
///
/// **Shape**: the message names the kind, the text (cut to 80 characters) and the rule it breaks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not {kind}: {rule}")]
pub struct ParseError {
    kind: &'static str,
    text: String,
    rule: &'static str,
}

impl ParseError {
    pub(crate) fn new(kind: &'static str, text: &str, rule: &'static str) -> Self {
        Self {
            kind,
            text: text.chars().take(80).collect(),
            rule,
        }
    }
}

/// Gives a type its text form in serde by way of `Display` and `FromStr`, so that no value enters
/// by a second path.
macro_rules! serde_by_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use serde_by_text;
