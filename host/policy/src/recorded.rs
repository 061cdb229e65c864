//! Uses as the audit keeps them, read back so that another policy can be asked about them.

use serde_json::{Value as Json, json};

use crate::decision::Request;
use crate::policy::Policy;
use crate::subject::Subject;
use crate::table::Use;

/// A use that was recorded.
#[derive(Debug, Clone)]
pub enum Recorded {
    /// All that decides about it. Of a request the unusual headers are not kept, and it is taken to
    /// have had none.
    Whole(Use),
    /// Without what an entry may ask for as well: a variable's value, a connection's encryption. What
    /// is denied like this might have been allowed.
    Part(Use),
}

/// What the audit doesn't keep of a call, and a decision about it may depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unkept {
    /// Its arguments narrow what it is granted.
    pub arguments: bool,
    /// Some rule about it has something to say for a profile.
    pub profile: bool,
}

impl Recorded {
    /// Reads a use by the words of its [`crate::Capability`]. `None` when they don't tell what it
    /// was: of a program the arguments are not kept, and long names are cut.
    pub fn read(capability: &str, operation: &str, resource: &str) -> Option<Self> {
        let is_whole = match capability {
            "environment" => false,
            "sockets" => operation == "look_up",
            _ => true,
        };
        let used = written(capability, operation, resource)?;
        // JSON is YAML.
        let used = used.to_string().parse().ok()?;
        Some(if is_whole {
            Self::Whole(used)
        } else {
            Self::Part(used)
        })
    }

    /// The use, as far as it is known.
    pub fn used(&self) -> &Use {
        match self {
            Self::Whole(used) | Self::Part(used) => used,
        }
    }
}

impl Policy {
    /// What this policy would have to know of such a call that the audit doesn't keep.
    pub fn unkept(&self, subject: &Subject<'_>, request: &Request<'_>) -> Unkept {
        let found = self
            .cache
            .get(subject, request, || self.applicable(subject, request));
        let rules = self.matching(subject, request);
        Unkept {
            arguments: found.applicable.is_bound,
            profile: rules.iter().any(|rule| !rule.environments.is_empty()),
        }
    }
}

/// A recorded use as a table writes it. `None` when its words don't tell what it was.
pub(crate) fn written(capability: &str, operation: &str, resource: &str) -> Option<Json> {
    if resource.ends_with('…') {
        return None;
    }
    let used = match capability {
        "network" => request(operation, resource)?,
        "sockets" => connection(operation, resource)?,
        "filesystem" => file(operation, resource)?,
        "environment" | "tool_call" => json!(resource),
        "secrets" => secret(operation, resource)?,
        "key_value" => json!(format!("{operation} {resource}")),
        "clocks" | "random" => json!("real"),
        _ => return None,
    };
    Some(json!({ capability: used }))
}

/// `GET`, `https://10.0.0.1/x at 10.0.0.1, which is private`.
fn request(method: &str, resource: &str) -> Option<Json> {
    let (url, address) = match resource.split_once(" at ") {
        Some((url, place)) => (url, Some(place.split_once(", which is ")?.0)),
        None => (resource, None),
    };
    let request = format!("{method} {url}");
    Some(match address {
        Some(address) => json!({ "request": request, "address": address }),
        None => json!(request),
    })
}

/// `connect`, `tcp:mail.example.org at 192.0.2.1:25`.
fn connection(operation: &str, resource: &str) -> Option<Json> {
    if operation == "look_up" {
        return Some(json!(format!("lookup {resource}")));
    }
    let (protocol, to) = resource.split_once(':')?;
    let to = to.split_once(", which is ").map_or(to, |(to, _)| to);
    let (names, to) = match to.split_once(" at ") {
        Some((name, to)) => (vec![name], to),
        None => (Vec::new(), to),
    };
    Some(json!({ "connect": format!("{protocol} {to}"), "names": names }))
}

/// `read`, `/workspace/src/main.rs`.
fn file(right: &str, resource: &str) -> Option<Json> {
    let place = resource.strip_prefix('/')?;
    let (mount, path) = place.split_once('/').unwrap_or((place, "."));
    Some(json!(format!("{right} {mount}:{path}")))
}

/// `hold`, `see` or `inject`, and for the last `key as header authorization at https://…`.
fn secret(operation: &str, resource: &str) -> Option<Json> {
    let text = |shown: &str| {
        if shown.starts_with('"') {
            serde_json::from_str(shown).ok()
        } else {
            Some(shown.to_owned())
        }
    };
    match operation {
        "hold" => return Some(json!({ "name": text(resource)? })),
        "see" => return Some(json!({ "name": text(resource)?, "expose": true })),
        _ => {}
    }
    if let Some((name, program)) = resource.split_once(" as input of ") {
        return Some(json!({ "name": text(name)?, "stdin": text(program)? }));
    }
    let (place, site) = resource.rsplit_once(" at ")?;
    let site = format!("{site}/");
    if let Some((name, header)) = place.split_once(" as header ") {
        return Some(json!({ "name": text(name)?, "header": header, "to": site }));
    }
    let (name, query) = place.split_once(" as parameter ")?;
    Some(json!({ "name": text(name)?, "query": text(query)?, "to": site }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A use whose record is read back as the same use, or only as part of it.
    #[test]
    fn a_record_is_read_back_as_its_use() {
        for (text, is_whole) in [
            ("network: GET https://a.org/x/y", true),
            ("network: POST http://a.org:8080/", true),
            (
                "network: {request: GET http://a.org/, address: 10.0.0.7}",
                true,
            ),
            (
                "network: {request: 'GET http://[::1]:81/', address: '::1'}",
                true,
            ),
            ("sockets: lookup mail.example.org", true),
            ("sockets: tcp 192.0.2.1:25", false),
            ("sockets: udp 127.0.0.1:53", false),
            (
                "sockets: {connect: 'tcp 10.1.1.1:25', names: [mail.example.org]}",
                false,
            ),
            ("filesystem: read workspace:src/main.rs", true),
            ("filesystem: list workspace:.", true),
            ("filesystem: delete references:a at b", true),
            ("environment: LANG", false),
            ("secrets: api-key", true),
            ("secrets: {name: 'odd \"name\"', expose: true}", true),
            (
                "secrets: {name: k, header: authorization, to: 'https://a.org/'}",
                true,
            ),
            (
                "secrets: {name: k, query: key, to: 'http://a.org:81/'}",
                true,
            ),
            ("secrets: {name: k, stdin: git}", true),
            ("key_value: read tool:some/key", true),
            ("key_value: list agent:notes/", true),
            ("tool_call: files-read@1.2.0", true),
            ("tool_call: files-read", true),
            ("clocks: real", true),
            ("random: real", true),
        ] {
            let used: Use = text.parse().expect(text);
            let (capability, operation, resource) = used.recorded();
            let read = Recorded::read(capability, &operation, &resource);
            let read = read.unwrap_or_else(|| panic!("{text}: {operation} {resource}"));
            assert_eq!(matches!(read, Recorded::Whole(_)), is_whole, "{text}");
            let again = read.used().recorded();
            assert_eq!(again, (capability, operation, resource), "{text}");
        }
    }

    #[test]
    fn what_does_not_tell_all_is_not_guessed() {
        for (capability, operation, resource) in [
            ("subprocess", "start", "git"),
            ("network", "GET", "https://a.org/long…"),
            ("network", "GET", "https://a.org/ at 10.0.0.1"),
            ("filesystem", "read", "workspace"),
            ("filesystem", "stroke", "/workspace/cat"),
            ("secrets", "inject", "key"),
            ("workspace", "read", "none"),
            ("tool", "call", "a-b@1.0.0"),
        ] {
            let read = Recorded::read(capability, operation, resource);
            assert!(read.is_none(), "{capability} {operation} {resource}");
        }
    }
}
