//! Puts secrets into requests that were decided about, at the places that the grant binds them to.

use std::fmt::Write as _;

use async_trait::async_trait;
use cofferdam_egress::{Credentials, Outgoing};
use cofferdam_policy::Capability as _;
use cofferdam_policy::capability::secrets::{Part, Secret, Use, Way, injections};
use cofferdam_types::SecretValue;
use cofferdam_types::call::{Denial, DenialCode};
use http::{HeaderName, HeaderValue};

use super::filling::Filling;
use super::{Held, PLACEHOLDER_CHARS, Refusal};

#[async_trait]
impl Credentials for Held {
    async fn add(&self, to: &mut Outgoing<'_>) -> Result<(), Denial> {
        self.inject(to).await
    }
}

impl Held {
    /// Puts in what belongs into this request: the secrets whose placeholders the guest wrote, and
    /// those that are bound to the server without being asked for. A value is read anew for each
    /// request, so that one that was changed or removed is seen.
    ///
    /// Call it for every hop, with what the guest sent: nothing of another server's is then left.
    ///
    /// **Errors**: the denial, not noted yet, when a placeholder stands where its secret may not
    /// go; when a secret that belongs here is not there, or can't stand there.
    pub(crate) async fn inject(&self, request: &mut Outgoing<'_>) -> Result<(), Denial> {
        self.check_path(request)?;
        let mut values = Filling::of(self);
        let mut filled = self.fill_headers(request, &mut values).await?;
        filled.extend(self.fill_query(request, &mut values).await?);
        for injection in injections(self.warrant.grant().secrets(), &request.target.origin) {
            let ask = injection.ask(&request.target.origin);
            if filled.contains(&ask.way) {
                continue;
            }
            let value = self.allowed(&ask).await?;
            match &injection.part {
                Part::Header { name, format } => {
                    let name = header_name(name, &ask)?;
                    let text = format.replace("{}", value.reveal());
                    request.headers.insert(name, header_value(&text, &ask)?);
                }
                Part::Query { name } => set_parameter(request.query, name, &value),
            }
        }
        Ok(())
    }

    /// The value for a use, if it is allowed; the use is noted, the denial is not.
    pub(super) async fn allowed(&self, ask: &Use) -> Result<SecretValue, Denial> {
        self.warrant.permits::<Secret>(ask)?;
        self.value(ask).await.map_err(|refusal| match refusal {
            Refusal::Denied(denial) => *denial,
            Refusal::Unreachable => refused(ask, "the secrets can't be read now; try again"),
        })
    }

    fn check_path(&self, request: &Outgoing<'_>) -> Result<(), Denial> {
        let names = request.headers.keys().map(HeaderName::as_str);
        for text in names.chain([request.target.path.as_str()]) {
            if let Some((_, name)) = self.find(text) {
                let ask = Use {
                    name: name.to_string(),
                    way: Way::Hold,
                };
                let reason = "a placeholder stands in the path or in the name of a header";
                return Err(refused(&ask, reason));
            }
        }
        Ok(())
    }

    async fn fill_headers(
        &self,
        request: &mut Outgoing<'_>,
        values: &mut Filling<'_>,
    ) -> Result<Vec<Way>, Denial> {
        let mut filled = Vec::new();
        for (name, value) in request.headers.iter_mut() {
            let Ok(text) = value.to_str() else { continue };
            let mut text = text.to_owned();
            let mut changed = false;
            let mut from = 0;
            while let Some((at, secret)) = self.find(&text[from..]) {
                let way = Way::Header {
                    site: request.target.origin.clone(),
                    name: name.as_str().to_owned(),
                };
                let ask = Use {
                    name: secret.to_string(),
                    way,
                };
                let secret = values.value(&ask).await?;
                let at = from + at;
                text.replace_range(at..at + PLACEHOLDER_CHARS, secret.reveal());
                from = at + secret.reveal().len();
                *value = header_value(&text, &ask)?;
                filled.push(ask.way);
                changed = true;
            }
            if changed {
                value.set_sensitive(true);
            }
        }
        Ok(filled)
    }

    async fn fill_query(
        &self,
        request: &mut Outgoing<'_>,
        values: &mut Filling<'_>,
    ) -> Result<Vec<Way>, Denial> {
        let mut filled = Vec::new();
        let Some(query) = request.query.as_deref() else {
            return Ok(filled);
        };
        if self.find(query).is_none() {
            return Ok(filled);
        }
        let mut parts = Vec::new();
        for part in query.split('&') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let mut value = value.to_owned();
            let mut from = 0;
            while let Some((at, secret)) = self.find(&value[from..]) {
                let way = Way::Query {
                    site: request.target.origin.clone(),
                    name: decoded(name),
                };
                let ask = Use {
                    name: secret.to_string(),
                    way,
                };
                let secret = encoded(values.value(&ask).await?.reveal());
                let at = from + at;
                value.replace_range(at..at + PLACEHOLDER_CHARS, &secret);
                from = at + secret.len();
                filled.push(ask.way);
            }
            if let Some((_, secret)) = self.find(name) {
                let ask = Use {
                    name: secret.to_string(),
                    way: Way::Hold,
                };
                return Err(refused(&ask, "a placeholder stands in a parameter's name"));
            }
            parts.push(if part.contains('=') {
                format!("{name}={value}")
            } else {
                name.to_owned()
            });
        }
        *request.query = Some(parts.join("&"));
        Ok(filled)
    }
}

/// Sets a parameter in place of those of its name.
fn set_parameter(query: &mut Option<String>, name: &str, value: &SecretValue) {
    let others = query.as_deref().unwrap_or_default().split('&');
    let others = others.filter(|part| {
        let own = part.split_once('=').map_or(*part, |(name, _)| name);
        !part.is_empty() && decoded(own) != name
    });
    let own = format!("{}={}", encoded(name), encoded(value.reveal()));
    let parts: Vec<&str> = others.chain([own.as_str()]).collect();
    *query = Some(parts.join("&"));
}

/// Percent-encoded, all but what RFC 3986 calls unreserved.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let written = write!(encoded, "%{byte:02X}");
            debug_assert!(written.is_ok(), "writing to a string does not fail");
        }
    }
    encoded
}

/// A name as servers read it: percent-encoding undone, `+` for a space.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let digits = others.first_chunk::<2>().filter(|_| *first == b'%');
        let byte = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(match (byte, first) {
            (Some(byte), _) => byte,
            (None, b'+') => b' ',
            (None, first) => *first,
        });
        rest = if byte.is_some() { &others[2..] } else { others };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn header_name(name: &str, ask: &Use) -> Result<HeaderName, Denial> {
    HeaderName::try_from(name).map_err(|_| refused(ask, "the header has no name of a header"))
}

/// **Errors**: a value with a line break or another character that no header has.
fn header_value(text: &str, ask: &Use) -> Result<HeaderValue, Denial> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| refused(ask, "the secret's value can't stand in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A denial that no entry of a policy lifts.
pub(super) fn refused(ask: &Use, reason: &str) -> Denial {
    Denial {
        capability: Secret::NAME.to_owned(),
        operation: Secret::operation(ask),
        resource: Secret::resource(ask),
        code: DenialCode::Malformed,
        rule: "where secrets can stand".to_owned(),
        file: None,
        line: None,
        reason: reason.to_owned(),
        smallest_grant: "no policy lifts this".to_owned(),
    }
}

#[cfg(test)]
mod tests;
