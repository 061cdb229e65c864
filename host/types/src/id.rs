//! Ids: a prefix that names the kind and a UUIDv7, so that ids sort by the time they were made.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::text::serde_by_text;
use crate::{Ambient, ParseError};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $kind:literal) => {
        $(#[$doc])*
        ///
        #[doc = concat!("**Shape**: `", $prefix, "_` and a hyphenated UUIDv7. A bare UUID is accepted as input.")]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a new id from the time and randomness of `ambient`.
            pub fn generate(ambient: &dyn Ambient) -> Self {
                let mut random = [0; 10];
                ambient.fill(&mut random);
                let millis = ambient.now().as_millis();
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// The id without its prefix, as its 16 bytes.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.as_hyphenated())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                let bare = text.strip_prefix(concat!($prefix, "_")).unwrap_or(text);
                // `Uuid` also reads braced and URN forms; one spelling is enough.
                match Uuid::try_parse(bare) {
                    Ok(uuid) if bare.len() == 36 => Ok(Self(uuid)),
                    _ => Err(ParseError::new($kind, text, concat!("expected `", $prefix, "_` and a UUID"))),
                }
            }
        }

        serde_by_text!($name);
    };
}

id!(/// Names one run of one tool.
    CallId, "call", "a call id");
id!(/// Names a task.
    TaskId, "task", "a task id");
id!(/// Names one execution of a task.
    RunId, "run", "a run id");
id!(/// Names an agent.
    AgentId, "agent", "an agent id");
id!(/// Names an API key; not secret.
    KeyId, "key", "a key id");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_prints_and_the_bare_uuid() {
        let text = "task_0192f7a4-7c5e-7d2a-8f00-0123456789ab";
        let id: TaskId = text.parse().expect("well-formed");
        assert_eq!(id.to_string(), text);
        assert_eq!(text[5..].parse::<TaskId>(), Ok(id));
    }

    #[test]
    fn refuses_other_kinds_and_forms() {
        for text in [
            "",
            "task_",
            "run_0192f7a4-7c5e-7d2a-8f00-0123456789ab",
            "task_..%2f",
            "0192f7a47c5e7d2a8f000123456789ab",
            "{0192f7a4-7c5e-7d2a-8f00-0123456789ab}",
        ] {
            assert!(text.parse::<TaskId>().is_err(), "{text}");
        }
    }
}
