//! What kind of body came, by what the server says and, where it says nothing, by its bytes.

use cofferdam_sdk::ToolError;

use crate::charset;
use crate::follow::Answer;

/// The kind of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// A web page.
    Html,
    /// Other text.
    Text,
    /// Anything else.
    Bytes,
}

/// Types of text that don't say so.
const TEXTS: [&str; 14] = [
    "application/ecmascript",
    "application/graphql",
    "application/javascript",
    "application/json",
    "application/jsonl",
    "application/ld+json",
    "application/rtf",
    "application/sql",
    "application/toml",
    "application/x-ndjson",
    "application/x-sh",
    "application/x-www-form-urlencoded",
    "application/xml",
    "application/yaml",
];

impl Content {
    /// `content_type` as the header has it.
    pub(crate) fn of(content_type: Option<&str>, body: &[u8], truncated: bool) -> Self {
        let kind = content_type.map(essence);
        match kind.as_deref() {
            Some("text/html" | "application/xhtml+xml") => Self::Html,
            Some(kind)
                if kind.starts_with("text/")
                    || TEXTS.contains(&kind)
                    || kind.ends_with("+json")
                    || kind.ends_with("+xml")
                    || kind.ends_with("+yaml") =>
            {
                Self::Text
            }
            None | Some("") => Self::sniff(body, truncated),
            Some(_) => Self::Bytes,
        }
    }

    fn sniff(body: &[u8], truncated: bool) -> Self {
        let start = body.trim_ascii_start();
        let begins = |with: &[u8]| {
            start
                .get(..with.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(with))
        };
        if begins(b"<!doctype html") || begins(b"<html") {
            return Self::Html;
        }
        if charset::is_utf8(body, truncated) && !body.contains(&0) {
            return Self::Text;
        }
        Self::Bytes
    }

    /// The body as text.
    ///
    /// **Errors**: `not_text` for what is neither declared as text nor UTF-8.
    pub(crate) fn decode(self, answer: &Answer) -> Result<String, ToolError> {
        let declared = answer.header("content-type").and_then(charset::declared);
        let text = charset::decode(&answer.body, declared, self, answer.truncated);
        text.ok_or_else(|| ToolError::new("not_text", "the body is not text; ask for \"base64\""))
    }
}

/// The type itself, without parameters, in lower case.
fn essence(content_type: &str) -> String {
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (content_type, body, kind) in [
            (Some("text/html; charset=utf-8"), "", Content::Html),
            (Some("TEXT/HTML"), "", Content::Html),
            (Some("application/json"), "", Content::Text),
            (Some("application/problem+json"), "", Content::Text),
            (Some("image/svg+xml"), "", Content::Text),
            (Some("text/csv"), "", Content::Text),
            (Some("image/png"), "<html>", Content::Bytes),
            (Some("application/octet-stream"), "text", Content::Bytes),
            (None, " <!DOCTYPE html><p>", Content::Html),
            (None, "plain", Content::Text),
            (None, "", Content::Text),
            (Some(""), "a\0b", Content::Bytes),
        ] {
            let found = Content::of(content_type, body.as_bytes(), false);
            assert_eq!(found, kind, "{content_type:?} {body:?}");
        }
        assert_eq!(Content::of(None, b"\x89PNG\xff", false), Content::Bytes);
        assert_eq!(Content::of(None, b"caf\xc3", true), Content::Text);
        assert_eq!(Content::of(None, b"caf\xc3", false), Content::Bytes);
    }
}
