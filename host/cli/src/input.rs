//! What a command is given to read: arguments, documents, components.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use cofferdam_server::types::{Code, Failure, Payload};
use cofferdam_wire::strict;

use crate::error::{self, Result};

/// Most bytes of a document that goes into a request: what the API takes.
const DOCUMENT_BYTES_MAX: u64 = 4 << 20;
/// Most bytes of a component: what the API takes.
const COMPONENT_BYTES_MAX: u64 = 32 << 20;

/// The arguments of a call: JSON, `@FILE` or `-` for stdin.
pub(crate) fn arguments(text: &str) -> Result<Payload> {
    let value = match text.strip_prefix('@') {
        Some(path) => strict::parse(&document(Path::new(path))?)?,
        None if text == "-" => strict::parse(&stdin()?)?,
        None => strict::parse(text.as_bytes())?,
    };
    if !value.is_object() {
        let failure = Failure::invalid_at("", "arguments are an object by parameter name");
        return Err(failure.into());
    }
    Ok(Payload::from(value))
}

/// A JSON document: a file, `@FILE`, `-` for stdin, or the JSON itself.
pub(crate) fn body(text: &str) -> Result<Vec<u8>> {
    match text {
        "-" => stdin(),
        _ if text.trim_start().starts_with('{') => Ok(text.as_bytes().to_vec()),
        _ => document(Path::new(text.strip_prefix('@').unwrap_or(text))),
    }
}

/// The bytes of a component.
pub(crate) fn component(path: &Path) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path).map_err(|error| error::file("read", path, &error))?;
    read(file, COMPONENT_BYTES_MAX, path)
}

/// The bytes of a document in a file.
pub(crate) fn document(path: &Path) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path).map_err(|error| error::file("read", path, &error))?;
    read(file, DOCUMENT_BYTES_MAX, path)
}

/// A time as people write it: `30s`, `90m`, `24h`, `7d`.
pub(crate) fn span(text: &str) -> std::result::Result<Duration, String> {
    let refused = || "expected a time such as `90d`, `12h` or `30m`".to_owned();
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 60 * 60,
        Some('d') => 24 * 60 * 60,
        _ => return Err(refused()),
    };
    let count: u32 = text[..text.len() - 1].parse().map_err(|_| refused())?;
    Ok(Duration::from_secs(u64::from(count) * unit))
}

fn stdin() -> Result<Vec<u8>> {
    read(std::io::stdin(), DOCUMENT_BYTES_MAX, Path::new("stdin"))
}

fn read(from: impl Read, bytes_max: u64, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(bytes_max + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error::file("read", path, &error))?;
    if bytes.len() as u64 > bytes_max {
        let message = format!("{} has more than {bytes_max} bytes", path.display());
        return Err(Failure::new(Code::TooLarge, message).into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::{Error, usage};

    #[test]
    fn arguments_come_as_text_or_from_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("args.json");
        std::fs::write(&path, r#"{"name": "Ada"}"#).expect("a file");
        let at = format!("@{}", path.display());
        for text in [r#" {"name": "Ada"} "#, &at] {
            assert_eq!(
                arguments(text).map(Payload::into_value),
                Ok(json!({"name": "Ada"}))
            );
        }
        assert_eq!(body(&at), body(&path.display().to_string()));
        assert_eq!(body("{}"), Ok(b"{}".to_vec()));
    }

    #[test]
    fn what_is_no_object_is_refused_before_anything_runs() {
        for text in ["[]", "7", "{", "", "{\"a\": 1, \"a\": 2}"] {
            let Err(Error::Failure(failure)) = arguments(text) else {
                panic!("{text} was taken");
            };
            assert_eq!(failure.code, Code::InvalidInput, "{text}");
        }
        let Err(Error::Failure(failure)) = arguments("@/no/such/file") else {
            panic!("a file that is not there was taken");
        };
        assert!(failure.message.starts_with("can't read /no/such/file: "));
        assert_ne!(arguments("@/no/such/file"), Err(usage("")));
    }

    #[test]
    fn an_endless_file_is_refused() {
        let Err(Error::Failure(failure)) = component(Path::new("/dev/zero")) else {
            panic!("an endless file was taken");
        };
        assert_eq!(failure.code, Code::TooLarge);
    }
}
