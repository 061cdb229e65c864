//! The parts of a URL that a request names apart.

use super::{Error, ErrorKind};

/// A URL taken apart, not changed: the host reads and decides about these very texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) is_tls: bool,
    /// Host and, when given, port.
    pub(super) authority: String,
    /// Begins with a slash; the query is part of it, the fragment is not.
    pub(super) path_and_query: String,
}

impl Target {
    /// **Errors**: `Invalid` with what to write instead.
    pub(super) fn parse(url: &str) -> Result<Self, Error> {
        let invalid = |why: &str| Err(Error::new(ErrorKind::Invalid, why));
        if let Some(strange) = url.chars().find(|c| !c.is_ascii_graphic()) {
            let why = format!("a URL has no {strange:?}; write it percent-encoded");
            return invalid(&why);
        }
        let Some((scheme, rest)) = url.split_once("://") else {
            return invalid("a URL begins with `https://` or `http://`");
        };
        let is_tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return invalid("only `https` and `http` can be requested"),
        };
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        if authority.is_empty() {
            return invalid("the URL names no host");
        }
        if authority.contains('@') {
            return invalid(
                "a URL with a user name would show it in records; send an `authorization` header",
            );
        }
        if rest.starts_with('\\') {
            return invalid("a path begins with a slash, not with a backslash");
        }
        let path = rest.split('#').next().unwrap_or_default();
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self {
            is_tls,
            authority: authority.to_owned(),
            path_and_query: format!("{slash}{path}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        for (url, is_tls, authority, path_and_query) in [
            ("https://example.org", true, "example.org", "/"),
            ("HTTP://a:80/b/../c?d=1#e", false, "a:80", "/b/../c?d=1"),
            ("https://a?b/c", true, "a", "/?b/c"),
            ("http://[::1]:8080/#x", false, "[::1]:8080", "/"),
        ] {
            let target = Target::parse(url).expect(url);
            let parts = (target.is_tls, &*target.authority, &*target.path_and_query);
            assert_eq!(parts, (is_tls, authority, path_and_query), "{url}");
        }
    }

    #[test]
    fn refused() {
        for url in [
            "",
            "example.org",
            "/path",
            "ftp://a/",
            "https://",
            "https:///path",
            "https://user:word@a/",
            "https://a\\b",
            "https://a/ b",
            "https://ä/",
            "https://a/\r\nx",
        ] {
            let error = Target::parse(url).expect_err(url);
            assert_eq!(error.kind(), ErrorKind::Invalid, "{url}");
        }
    }
}
