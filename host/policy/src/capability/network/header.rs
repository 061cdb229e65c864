//! Which headers a tool may set.

/// Headers that every tool may set on a request it may send.
const USUAL: [&str; 18] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "content-encoding",
    "content-language",
    "content-type",
    "date",
    "dnt",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "pragma",
    "range",
    "user-agent",
];

/// Headers that nobody may set: the host writes them itself, or they change who is spoken to and
/// how.
const NEVER: [&str; 22] = [
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "max-forwards",
    "metadata-flavor",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
];
/// Beginnings of further ones.
const NEVER_BEGINNINGS: [&str; 4] = [
    "proxy-",
    "x-forwarded-",
    "x-aws-ec2-metadata-",
    "x-google-metadata-",
];

/// True for a header that every tool may set. The name is in lower case.
pub fn is_usual(name: &str) -> bool {
    USUAL.contains(&name)
}

/// True for a header that nobody may set, whatever the policy says. The name is in lower case.
pub fn is_never(name: &str) -> bool {
    NEVER.contains(&name) || NEVER_BEGINNINGS.iter().any(|start| name.starts_with(start))
}

/// The name of a header that a policy lets a tool set, in lower case.
pub(super) fn name(text: &str) -> Result<String, String> {
    let lower = text.to_ascii_lowercase();
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if lower.is_empty() || !lower.bytes().all(token) {
        return Err("expected the name of a header".to_owned());
    }
    if is_never(&lower) {
        return Err(format!("the host alone sets `{lower}`"));
    }
    Ok(lower)
}
