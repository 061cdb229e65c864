//! What goes out is what was decided about, and nothing that the guest slips in.

use cofferdam_egress::{Error, Timeouts};
use cofferdam_types::call::DenialCode;
use serde_json::{Value, json};

use crate::servers::{Server, ok};
use crate::world::{Call, World, request, session, text, with_headers};

fn entry(server: &Server, more: Value) -> Value {
    let mut entry = json!({
        "host": "api.good.test",
        "scheme": "http",
        "port": server.at.port(),
        "at": server.at.to_string(),
    });
    let (Value::Object(entry_fields), Value::Object(more)) = (&mut entry, more) else {
        panic!("objects");
    };
    entry_fields.extend(more);
    json!([entry])
}

async fn code(call: &Call, sent: cofferdam_egress::Request) -> Option<DenialCode> {
    match call.send(sent).await {
        Err(Error::Denied(denial)) => Some(denial.code),
        _ => None,
    }
}

/// NET-18: what is decided about is what is sent.
#[tokio::test]
async fn the_normal_form_is_sent() {
    let server = Server::saying(ok("fine")).await;
    let call = World::call(entry(&server, json!({"paths": ["/v1/**"]})));
    let path = "/v1/a/./b/../%41%c3%a9?q=%2e%2e&x=y";
    assert_eq!(
        call.text(&server.url(path)).await.expect("an answer"),
        "fine"
    );
    let heard = server.heard().concat();
    let line = "GET /v1/a/A%C3%A9?q=%2e%2e&x=y HTTP/1.1\r\n";
    assert!(heard.starts_with(line), "{heard}");
    let host = format!("host: api.good.test:{}\r\n", server.at.port());
    assert!(heard.contains(&host), "{heard}");
    for path in ["/v1/../admin", "/v1/%2e%2e/admin", "/admin", "/V1/x", "/v1"] {
        let denied = call.denied(&server.url(path)).await;
        assert_eq!(denied, Some(DenialCode::NotGranted), "{path}");
    }
    assert_eq!(server.heard().len(), 1);
}

/// NET-15, NET-17: other methods, other cases, and line ends in them.
#[tokio::test]
async fn methods_are_compared_as_they_are() {
    let server = Server::saying(ok("")).await;
    let call = World::call(entry(&server, json!({"methods": ["GET", "POST"]})));
    let url = server.url("/");
    for (method, expected) in [
        ("GET", None),
        ("POST", None),
        ("get", Some(DenialCode::Malformed)),
        ("GET ", Some(DenialCode::Malformed)),
        ("GET / HTTP/1.1\r\nX:", Some(DenialCode::Malformed)),
        ("", Some(DenialCode::Malformed)),
        ("CONNECT", Some(DenialCode::Malformed)),
        ("TRACE", Some(DenialCode::Malformed)),
        ("PROPFIND", Some(DenialCode::NotGranted)),
        ("DELETE", Some(DenialCode::NotGranted)),
    ] {
        assert_eq!(
            code(&call, request(method, &url)).await,
            expected,
            "{method:?}"
        );
    }
}

/// NET-14, NET-17: headers that change who is asked, or the method.
#[tokio::test]
async fn some_headers_are_the_hosts_alone() {
    let server = Server::saying(ok("")).await;
    let call = World::call(entry(&server, json!({"headers": ["x-mine"]})));
    for name in [
        "host",
        "connection",
        "transfer-encoding",
        "te",
        "upgrade",
        "expect",
        "via",
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "proxy-authorization",
        "proxy-connection",
        "x-http-method-override",
        "metadata-flavor",
        "keep-alive",
    ] {
        let sent = with_headers(request("GET", &server.url("/")), &[(name, "x")]);
        assert_eq!(
            code(&call, sent).await,
            Some(DenialCode::Malformed),
            "{name}"
        );
    }
    for name in ["authorization", "cookie", "x-other"] {
        let sent = with_headers(request("GET", &server.url("/")), &[(name, "x")]);
        assert_eq!(
            code(&call, sent).await,
            Some(DenialCode::NotGranted),
            "{name}"
        );
    }
    assert!(server.heard().is_empty());
    let headers = [("x-mine", "1"), ("accept", "text/plain")];
    let sent = with_headers(request("GET", &server.url("/")), &headers);
    assert!(call.send(sent).await.is_ok());
    let heard = server.heard().concat();
    assert!(heard.contains("x-mine: 1\r\n") && heard.contains("accept: text/plain\r\n"));
}

/// NET-27: cookies and connections of another tenant.
/// NET-27: no cookie and no connection is shared.
#[tokio::test]
async fn nothing_of_one_tenant_reaches_another() {
    let answer = "HTTP/1.1 200 OK\r\nset-cookie: id=first\r\ncontent-length: 2\r\n\r\nok";
    let server = Server::saying(answer).await;
    let call = World::call(entry(&server, json!({})));
    let second = session(
        &call.client,
        &call.granted,
        "other",
        std::time::Duration::from_secs(20),
    );
    for session in [&call.session, &second, &call.session] {
        let sent = request("GET", &server.url("/"));
        let answer = session
            .send(sent, Timeouts::default())
            .await
            .expect("an answer");
        assert_eq!(text(answer).await.expect("a body"), "ok");
    }
    let heard = server.heard();
    assert_eq!(heard.len(), 3);
    assert!(heard.iter().all(|request| !request.contains("cookie")));
}

#[tokio::test]
async fn a_use_and_its_cost_are_counted_once() {
    let server = Server::saying(ok("twelve bytes")).await;
    let call = World::call(entry(&server, json!({})));
    call.text(&server.url("/x?key=geheim"))
        .await
        .expect("an answer");
    let spent = call.session.spent();
    assert_eq!((spent.requests, spent.received_bytes), (1, 12));
    let noted = call.granted.sent();
    assert_eq!(noted.len(), 1);
    assert!(!noted.concat().contains("geheim"), "{noted:?}");
}

#[tokio::test]
async fn a_rate_holds_over_all_calls_of_a_tool() {
    let server = Server::saying(ok("")).await;
    let call = World::call(entry(&server, json!({"rate": "2/h"})));
    let second = session(
        &call.client,
        &call.granted,
        "default",
        std::time::Duration::from_secs(20),
    );
    for session in [&call.session, &second] {
        let sent = request("GET", &server.url("/"));
        assert!(session.send(sent, Timeouts::default()).await.is_ok());
    }
    assert_eq!(call.denied(&server.url("/")).await, Some(DenialCode::Quota));
    let third = session(
        &call.client,
        &call.granted,
        "other",
        std::time::Duration::from_secs(20),
    );
    let sent = request("GET", &server.url("/"));
    assert!(third.send(sent, Timeouts::default()).await.is_ok());
}
