use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// What a client would like, and can do without.
///
/// **Shape**: as RFC 7240 has it, `respond-async, wait=10; of="me"`: names, each with an optional
/// value and parameters. What is not known, or not readable, is no fault of a request.
pub(crate) struct Preferences(Vec<String>);

impl Preferences {
    /// Whether the client named this preference, without regard to a value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    fn of(headers: &HeaderMap) -> Self {
        let texts = headers.get_all(PREFER).iter();
        let texts = texts.filter_map(|value| value.to_str().ok());
        Self(texts.flat_map(names).collect())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Preferences {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

/// The names in one header. A comma in a quoted text doesn't end anything.
fn names(text: &str) -> Vec<String> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let ends = |letter: char| {
        let is_end = letter == ',' && !is_quoted;
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ => {}
        }
        is_end
    };
    text.split(ends)
        .filter_map(|preference| preference.split([';', '=']).next())
        .map(|name| name.trim().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_are_found_wherever_they_stand() {
        for (headers, expected) in [
            (&["respond-async"][..], true),
            (&["Respond-Async"], true),
            (&["wait=10 , respond-async;x=1"], true),
            (&["return=minimal", "respond-async"], true),
            (&["respond-async=\"\""], true),
            (&["a=\"x\\\"\", respond-async"], true),
            (&[], false),
            (&["", ",", ";", "respond"], false),
            (&["wait=respond-async"], false),
            (&["a=\"b, respond-async\""], false),
            (&["a=\"x\\\", respond-async\""], false),
            (&["a; respond-async"], false),
        ] {
            let mut map = HeaderMap::new();
            for value in headers {
                map.append(PREFER, value.parse().expect("a header"));
            }
            let found = Preferences::of(&map).has("respond-async");
            assert_eq!(found, expected, "{headers:?}");
        }
    }
}
