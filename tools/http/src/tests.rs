//! The tool as its caller sees it, with a stand-in for the network.

use std::cell::RefCell;
use std::rc::Rc;

use cofferdam_sdk::ToolError;
use cofferdam_sdk::http::{Error, ErrorKind, Request, Response, answer_with};
use serde_json::{Value, json};

use crate::TOOLS;

/// What the stand-in was sent, as `METHOD url` and its headers.
type Sent = Rc<RefCell<Vec<(String, Vec<String>)>>>;

fn record(answer: impl Fn(&Request) -> Result<Response, Error> + 'static) -> Sent {
    let sent = Sent::default();
    let noted = sent.clone();
    answer_with(move |request| {
        let headers = request
            .headers()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
            .collect();
        let line = format!("{} {}", request.method(), request.url());
        noted.borrow_mut().push((line, headers));
        answer(request)
    });
    sent
}

fn fetch(arguments: &Value) -> Result<Value, ToolError> {
    let result = TOOLS.call("fetch", &arguments.to_string())?;
    Ok(serde_json::from_str(&result).expect("a result in JSON"))
}

fn code(arguments: &Value) -> String {
    fetch(arguments).expect_err("refused").code
}

/// Answers everything with this.
fn serve(content_type: &'static str, body: &'static [u8]) -> Sent {
    record(move |_| Ok(Response::new(200, &[("Content-Type", content_type)], body)))
}

const URL: &str = "https://example.org/page";

#[test]
fn a_page_becomes_markdown() {
    serve("text/html", b"<title>T</title><h1>A</h1><a href=/b>b</a>");
    let answer = fetch(&json!({"url": URL})).expect("a page");
    assert_eq!(
        answer,
        json!({
            "url": URL, "status": 200, "as": "markdown", "title": "T",
            "headers": {"content-type": "text/html"},
            "text": "# A\n\n[b](https://example.org/b)",
            "bytes": 42, "truncated": false, "page": 1, "pages": 1, "total_chars": 31,
        })
    );
    let answer = fetch(&json!({"url": URL, "as": "text"})).expect("its source");
    assert_eq!(answer["text"], "<title>T</title><h1>A</h1><a href=/b>b</a>");
}

#[test]
fn each_form() {
    serve("application/json", br#"{"a": [1]}"#);
    let answer = fetch(&json!({"url": URL})).expect("text");
    assert_eq!(answer["text"], r#"{"a": [1]}"#);
    let answer = fetch(&json!({"url": URL, "as": "json"})).expect("a value");
    assert_eq!(answer["json"], json!({"a": [1]}));
    assert_eq!(answer.get("text"), None);
    let answer = fetch(&json!({"url": URL, "as": "markdown"})).expect("text");
    assert_eq!(answer["as"], "text");
    serve("image/png", b"\x89PNG\xff");
    let answer = fetch(&json!({"url": URL})).expect("bytes");
    assert_eq!(
        (&answer["as"], &answer["text"]),
        (&json!("base64"), &json!("iVBOR/8="))
    );
    assert_eq!(code(&json!({"url": URL, "as": "text"})), "not_text");
    assert_eq!(code(&json!({"url": URL, "as": "json"})), "not_json");
}

#[test]
fn json_that_no_result_could_hold_is_refused() {
    let deep: &[u8] =
        Box::leak(format!("{}{}", "[".repeat(70), "]".repeat(70)).into_boxed_str()).as_bytes();
    serve("application/json", deep);
    assert_eq!(code(&json!({"url": URL, "as": "json"})), "body_too_large");
    let long: &[u8] = Box::leak(format!("\"{}\"", "a".repeat(800_000)).into_boxed_str()).as_bytes();
    serve("application/json", long);
    assert_eq!(code(&json!({"url": URL, "as": "json"})), "body_too_large");
    assert_eq!(
        code(&json!({"url": URL, "as": "json", "max_bytes": 9})),
        "body_too_large"
    );
}

#[test]
fn long_text_comes_in_pages() {
    let lines: &[u8] = Box::leak("123456789\n".repeat(50).into_boxed_str()).as_bytes();
    serve("text/plain", lines);
    let mut all = String::new();
    let mut page = json!(1);
    loop {
        let answer = fetch(&json!({"url": URL, "page": page, "page_size": 105})).expect("a page");
        assert_eq!(
            (&answer["pages"], &answer["total_chars"]),
            (&json!(5), &json!(500))
        );
        all.push_str(answer["text"].as_str().expect("text"));
        match answer.get("next_page") {
            Some(next) => page = next.clone(),
            None => break,
        }
    }
    assert_eq!(all.as_bytes(), lines);
    assert_eq!(code(&json!({"url": URL, "page": 2})), "no_such_page");
}

#[test]
fn what_is_longer_than_asked_for_is_cut_and_said() {
    serve("text/plain", "abcä".as_bytes());
    let answer = fetch(&json!({"url": URL, "max_bytes": 3})).expect("a part");
    assert_eq!(
        (&answer["text"], &answer["truncated"]),
        (&json!("abc"), &json!(true))
    );
    let answer = fetch(&json!({"url": URL, "max_bytes": 5})).expect("all");
    assert_eq!(
        (&answer["text"], &answer["truncated"]),
        (&json!("abcä"), &json!(false))
    );
}

#[test]
fn a_request_is_sent_as_it_was_asked_for() {
    let sent = serve("text/plain", b"");
    fetch(&json!({
        "url": "HTTPS://Example.org:443/a b?c=d#e", "method": "PUT", "body_base64": "AAE=",
        "headers": {"X-Key": "k", "Accept": "text/plain"},
    }))
    .expect("an answer");
    let (line, headers) = sent.borrow()[0].clone();
    assert_eq!(line, "PUT https://example.org/a%20b?c=d");
    assert_eq!(
        headers,
        [
            "accept-encoding: identity",
            "user-agent: cofferdam-http/0.1.0",
            "accept: text/plain",
            "x-key: k",
            "content-length: 2",
        ]
    );
}

#[test]
fn a_request_that_makes_no_sense_is_not_sent() {
    let sent = serve("text/plain", b"");
    for arguments in [
        json!({"url": "example.org"}),
        json!({"url": "file:///etc/passwd"}),
        json!({"url": "https://user:word@example.org"}),
        json!({"url": URL, "body": "a"}),
        json!({"url": URL, "method": "POST", "body": "a", "body_base64": "YQ=="}),
        json!({"url": URL, "method": "POST", "body_base64": "?"}),
        json!({"url": URL, "headers": {"Host": "other.org"}}),
        json!({"url": URL, "headers": {"Proxy-Authorization": "x"}}),
        json!({"url": URL, "headers": {"a": "1", "A": "2"}}),
    ] {
        assert_eq!(code(&arguments), "invalid_request", "{arguments}");
    }
    assert!(sent.borrow().is_empty());
}

/// Each address answers with a redirect to what `to` says, until it says nothing.
fn redirect(to: impl Fn(&str) -> Option<(u16, &'static str)> + 'static) -> Sent {
    record(move |request| {
        Ok(match to(request.url()) {
            Some((status, location)) => Response::new(status, &[("location", location)], b""),
            None => Response::new(200, &[("content-type", "text/plain")], b"end"),
        })
    })
}

#[test]
fn redirects_are_followed_and_told() {
    let sent = redirect(|url| match url {
        "https://a.org/1" => Some((302, "/2")),
        "https://a.org/2" => Some((308, "https://b.org/3?x=y")),
        _ => None,
    });
    let answer = fetch(&json!({"url": "https://a.org/1"})).expect("an answer");
    assert_eq!(answer["url"], "https://b.org/3?x=y");
    assert_eq!(
        answer["redirects"],
        json!([{"url": "https://a.org/1", "status": 302}, {"url": "https://a.org/2", "status": 308}])
    );
    assert_eq!(sent.borrow().len(), 3);
    let answer = fetch(&json!({"url": "https://a.org/1", "max_redirects": 0})).expect("itself");
    assert_eq!(
        (&answer["status"], &answer["headers"]["location"]),
        (&json!(302), &json!("/2"))
    );
}

#[test]
fn redirects_end() {
    let sent = redirect(|_| Some((301, "/again")));
    let arguments = json!({"url": "https://a.org/"});
    let error = fetch(&arguments).expect_err("a circle");
    assert_eq!(error.code, "too_many_redirects");
    assert_eq!(sent.borrow().len(), 6);
    redirect(|_| Some((301, "http://a.org/")));
    assert_eq!(code(&arguments), "insecure_redirect");
    redirect(|_| Some((301, "file:///etc/passwd")));
    assert_eq!(code(&arguments), "invalid_request");
}

#[test]
fn a_redirect_may_change_the_method_and_drops_the_body_then() {
    for (status, method, expected) in [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (302, "PUT", "PUT"),
        (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"),
        (307, "POST", "POST"),
        (308, "DELETE", "DELETE"),
    ] {
        let sent = redirect(move |url| (!url.ends_with('2')).then_some((status, "/2")));
        let mut arguments = json!({"url": URL, "method": method});
        if method == "POST" || method == "PUT" {
            arguments["body"] = json!("text");
        }
        fetch(&arguments).expect("an answer");
        let (line, headers) = sent.borrow()[1].clone();
        assert_eq!(line, format!("{expected} https://example.org/2"));
        let has_body = headers.contains(&"content-length: 4".to_owned());
        assert_eq!(has_body, expected == "POST" || expected == "PUT", "{line}");
    }
}

#[test]
fn secrets_do_not_follow_to_another_host() {
    for (to, keeps) in [
        ("/2", true),
        ("https://example.org:444/2", false),
        ("//b.org/2", false),
    ] {
        let sent = redirect(move |url| (!url.ends_with('2')).then_some((307, to)));
        let headers =
            json!({"authorization": "s", "x-api-key": "s", "cookie": "s", "accept": "a/b"});
        fetch(&json!({"url": URL, "headers": headers})).expect("an answer");
        let (_, headers) = sent.borrow()[1].clone();
        let secrets = headers
            .iter()
            .filter(|header| header.ends_with(": s"))
            .count();
        assert_eq!(secrets, if keeps { 3 } else { 0 }, "{to}");
        assert!(headers.contains(&"accept: a/b".to_owned()), "{to}");
    }
}

#[test]
fn failures_say_where_and_what() {
    record(|request| match request.url() {
        URL => Ok(Response::new(
            302,
            &[("location", "https://b.org/in?key=secret")],
            b"",
        )),
        _ => Err(Error::new(ErrorKind::Denied, "not allowed")),
    });
    let error = fetch(&json!({"url": URL})).expect_err("denied");
    assert_eq!(error.code, "request_denied");
    assert_eq!(error.message, "https://b.org/in: not allowed");
    let redirects = json!([{"url": URL, "status": 302}]);
    assert_eq!(
        error.details,
        Some(json!({"url": "https://b.org/in", "redirects": redirects}))
    );
    assert!(!error.retryable);
    record(|_| Err(Error::new(ErrorKind::Timeout, "slow")));
    assert!(fetch(&json!({"url": URL})).expect_err("slow").retryable);
}

#[test]
fn headers_are_shown_by_name() {
    record(|_| {
        let headers = [
            ("Set-Cookie", "session=secret"),
            ("X-Internal", "host"),
            ("ETag", "\"1\""),
            ("Link", "<a>"),
            ("link", "<b>"),
        ];
        Ok(Response::new(404, &headers, b""))
    });
    let answer = fetch(&json!({"url": URL})).expect("an answer");
    assert_eq!(answer["status"], 404);
    assert_eq!(
        answer["headers"],
        json!({"etag": "\"1\"", "link": "<a>, <b>"})
    );
}

#[test]
fn a_compressed_body_is_bytes() {
    record(|_| {
        let headers = [("content-type", "text/plain"), ("content-encoding", "gzip")];
        Ok(Response::new(200, &headers, b"\x1f\x8b"))
    });
    assert_eq!(code(&json!({"url": URL})), "encoded_body");
    let answer = fetch(&json!({"url": URL, "as": "base64"})).expect("bytes");
    assert_eq!(answer["text"], "H4s=");
}
