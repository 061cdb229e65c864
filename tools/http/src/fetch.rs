//! The tool `http-fetch`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cofferdam_sdk::{ToolError, data, tool};
use serde_json::Value;

use crate::content::Content;
use crate::follow::{Answer, Hop, follow};
use crate::markdown::markdown;
use crate::page::{Page, page};
use crate::request::{Method, Request};

/// Characters of one page unless the caller says otherwise: some five thousand tokens.
const PAGE_CHARS: u64 = 20_000;

/// What a JSON value may be long; the host stops results at 1 MiB, and the rest is for the fields
/// around it.
const JSON_BYTES_MAX: usize = 768 * 1024;

/// How deep a JSON value may nest. The host reads results to a depth of 64.
const JSON_DEPTH_MAX: usize = 60;

/// Turning the largest page that may be asked for into Markdown took 9 billion, a page of nothing but
/// small tables 6 billion for a quarter of that size.
const FUEL: u64 = 40_000_000_000;

/// The same page took 178 MB, most of it for its tree.
const MEMORY_BYTES: u64 = 256 << 20;

/// A header that is longer tells a model nothing.
const HEADER_BYTES_MAX: usize = 4096;

/// The headers that are shown: what describes the answer, and when and where there is more. Cookies
/// and what a proxy adds stay out of a model's sight.
const SHOWN_HEADERS: [&str; 16] = [
    "accept-ranges",
    "age",
    "allow",
    "cache-control",
    "content-disposition",
    "content-language",
    "content-length",
    "content-location",
    "content-type",
    "date",
    "etag",
    "expires",
    "last-modified",
    "link",
    "location",
    "retry-after",
];

/// How a body is given back.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Form {
    /// Text as it stands, an HTML page with its tags.
    Text,
    /// An HTML page as Markdown; other text as it stands.
    Markdown,
    /// A JSON value.
    Json,
    /// The bytes as base64 with padding.
    Base64,
}

/// What came back.
#[data(output)]
#[derive(Debug)]
pub(crate) struct Fetched {
    /// The address that answered: the last one, after redirects.
    pub(crate) url: String,
    /// The status of the answer. One of 400 and above is an answer too, with its body.
    pub(crate) status: u16,
    /// How the body is given back.
    pub(crate) r#as: Form,
    /// The headers that say what came, in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// The redirects that were followed, first to last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) redirects: Vec<Hop>,
    /// The title of an HTML page. Only as Markdown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    /// This page of the text, the Markdown or the base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// The value. Only as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) json: Option<Value>,
    /// Bytes of the body that were read.
    pub(crate) bytes: u64,
    /// True when the body goes on after `max_bytes`; what is given back is its beginning.
    pub(crate) truncated: bool,
    /// Which page this is, from 1.
    pub(crate) page: u64,
    /// How many pages there are.
    pub(crate) pages: u64,
    /// Characters of all pages together.
    pub(crate) total_chars: u64,
    /// The `page` to ask for next, when there is one. It is fetched anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_page: Option<u64>,
}

/// Fetches an address and gives back what it answers: a web page as Markdown, JSON or other text
/// as it stands, anything else as base64. Long answers come in pages.
///
/// Follows redirects; each one is decided by the policy like a request of its own. A status of 400
/// or more is an answer, not an error. Headers of the caller go to another host only when they say
/// nothing secret. Errors: `request_denied` (the policy does not allow this address; `denials`
/// beside the error says what would), `dns_failed`, `connection_failed`, `tls_failed`,
/// `request_timed_out`, `invalid_request`, `too_many_redirects`, `insecure_redirect`, `not_text`
/// (ask for base64), `not_json` (ask for text), `body_too_large`, `encoded_body`, `no_such_page`.
#[tool(
    destructive,
    tags("web", "network"),
    capabilities(network),
    limits(fuel = FUEL, deadline_ms = 120_000, memory_bytes = MEMORY_BYTES),
    example(
        title = "A page to read",
        arguments = r#"{"url": "https://example.com/"}"#
    ),
    example(
        title = "An API",
        arguments = r#"{"url": "https://api.example.com/items", "method": "POST",
                        "headers": {"content-type": "application/json"},
                        "body": "{\"name\": \"a\"}", "as": "json"}"#
    ),
    example(
        title = "The third page of a long document",
        arguments = r#"{"url": "https://example.com/long", "page": 3}"#
    )
)]
#[expect(
    clippy::too_many_arguments,
    reason = "each is one member of the arguments"
)]
pub(crate) fn fetch(
    /// What to fetch: `https://host/path?query`. No user name; that belongs in a header.
    url: String,
    /// What to do.
    #[default(Method::Get)]
    method: Method,
    /// Headers to send. Those of the connection itself are the host's.
    #[default(BTreeMap::new())]
    headers: BTreeMap<String, String>,
    /// The body to send, as text. Say its type with the header `content-type`.
    body: Option<String>,
    /// The body to send, any bytes as base64; instead of `body`.
    body_base64: Option<String>,
    /// How the body of the answer is given back. Default: HTML as `markdown`, other text as `text`,
    /// anything else as `base64`.
    r#as: Option<Form>,
    /// Bytes of the answer to read at most.
    #[default(2_097_152)]
    #[schemars(range(min = 1, max = 8_388_608))]
    max_bytes: u64,
    /// Which page of the text, from 1.
    #[default(1)]
    #[schemars(range(min = 1))]
    page: u64,
    /// Characters on a page, at most. A page ends at a line's end where there is one near.
    #[default(PAGE_CHARS)]
    #[schemars(range(min = 100, max = 100_000))]
    page_size: u64,
    /// Redirects to follow; with 0 the redirect itself is the answer.
    #[default(5)]
    #[schemars(range(max = 5))]
    max_redirects: u8,
) -> Result<Fetched, ToolError> {
    let request = Request::new(&url, method, headers, body, body_base64)?;
    let answer = follow(request, max_redirects, max_bytes)?;
    let content = Content::of(
        answer.header("content-type"),
        &answer.body,
        answer.truncated,
    );
    let given = give(&answer, content, r#as)?;
    let shown = match &given.text {
        Some(text) => self::page(text, page, page_size)?,
        None => Page::WHOLE,
    };
    Ok(Fetched {
        status: answer.status,
        r#as: given.form,
        headers: shown_headers(&answer),
        title: given.title,
        text: given.text.is_some().then(|| shown.text.to_owned()),
        json: given.json,
        bytes: answer.body.len() as u64,
        truncated: answer.truncated,
        page: shown.number,
        pages: shown.pages,
        total_chars: shown.total_chars,
        next_page: shown.next(),
        url: answer.url,
        redirects: answer.redirects,
    })
}

/// A body in the form that was asked for.
struct Given {
    form: Form,
    title: Option<String>,
    text: Option<String>,
    json: Option<Value>,
}

fn give(answer: &Answer, content: Content, asked: Option<Form>) -> Result<Given, ToolError> {
    let form = asked.unwrap_or(match content {
        Content::Html => Form::Markdown,
        Content::Text => Form::Text,
        Content::Bytes => Form::Base64,
    });
    if form != Form::Base64 {
        refuse_encoded(answer)?;
    }
    let text = |form, text| Given {
        form,
        title: None,
        text: Some(text),
        json: None,
    };
    match form {
        Form::Base64 => Ok(text(Form::Base64, STANDARD.encode(&answer.body))),
        Form::Json => Ok(Given {
            form,
            title: None,
            text: None,
            json: Some(json(answer)?),
        }),
        Form::Markdown if content == Content::Html => {
            let page = markdown(&content.decode(answer)?, &answer.url);
            Ok(Given {
                title: page.title,
                ..text(Form::Markdown, page.text)
            })
        }
        Form::Markdown | Form::Text => Ok(text(Form::Text, content.decode(answer)?)),
    }
}

fn refuse_encoded(answer: &Answer) -> Result<(), ToolError> {
    match answer.header("content-encoding") {
        None | Some("" | "identity") => Ok(()),
        Some(encoding) => {
            let message = format!(
                "the server compressed the body ({encoding}) although it was asked not to; ask \
                 for \"base64\" to get it as it is"
            );
            Err(ToolError::new("encoded_body", message))
        }
    }
}

fn json(answer: &Answer) -> Result<Value, ToolError> {
    let too_large = |why: String| ToolError::new("body_too_large", why);
    if answer.truncated {
        let read = answer.body.len();
        return Err(too_large(format!(
            "the JSON goes on after the {read} bytes that were read; raise max_bytes"
        )));
    }
    let body = answer.body.strip_prefix(b"\xef\xbb\xbf");
    let body = body.unwrap_or(&answer.body);
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        let message = format!("the body is not JSON ({error}); ask for \"text\"");
        ToolError::new("not_json", message)
    })?;
    if body.len() > JSON_BYTES_MAX && value.to_string().len() > JSON_BYTES_MAX {
        return Err(too_large(format!(
            "the JSON is longer than a result may be ({JSON_BYTES_MAX} bytes); ask for \"text\", \
             which comes in pages"
        )));
    }
    if is_deeper(&value, JSON_DEPTH_MAX) {
        return Err(too_large(format!(
            "the JSON nests deeper than {JSON_DEPTH_MAX}; ask for \"text\""
        )));
    }
    Ok(value)
}

fn is_deeper(value: &Value, depth: usize) -> bool {
    match (value, depth.checked_sub(1)) {
        (Value::Array(_) | Value::Object(_), None) => true,
        (Value::Array(items), Some(left)) => items.iter().any(|item| is_deeper(item, left)),
        (Value::Object(fields), Some(left)) => fields.values().any(|field| is_deeper(field, left)),
        _ => false,
    }
}

fn shown_headers(answer: &Answer) -> BTreeMap<String, String> {
    let mut shown: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in answer.headers.iter() {
        let name = name.to_ascii_lowercase();
        let Ok(value) = std::str::from_utf8(value) else {
            continue;
        };
        if !SHOWN_HEADERS.contains(&name.as_str()) || value.len() > HEADER_BYTES_MAX {
            continue;
        }
        shown
            .entry(name)
            .and_modify(|all| {
                if all.len() + value.len() <= HEADER_BYTES_MAX {
                    all.push_str(", ");
                    all.push_str(value);
                }
            })
            .or_insert_with(|| value.to_owned());
    }
    shown
}
