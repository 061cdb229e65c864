//! Every hop is decided anew.

use cofferdam_egress::Error;
use cofferdam_types::call::DenialCode;
use http::StatusCode;
use serde_json::{Value, json};

use crate::servers::{Server, ok, redirect};
use crate::world::{Call, World, request, with_headers};

/// A server that sends everything but `/end` on, and a grant to follow it that often.
async fn looping(status: u16, location: String, redirects: u32, more: Value) -> (Server, Call) {
    let server = Server::answering(move |request| {
        if request.starts_with("GET /end") || request.starts_with("POST /end") {
            ok(request)
        } else {
            redirect(status, &location)
        }
    })
    .await;
    let mut entry = json!({
        "host": "api.good.test", "scheme": "http", "port": server.at.port(),
        "at": server.at.to_string(), "redirects": redirects, "methods": ["GET", "POST"],
        "headers": ["authorization"],
    });
    if let (Value::Object(entry), Value::Object(more)) = (&mut entry, more) {
        entry.extend(more);
    }
    let other = json!({
        "host": "other.test", "scheme": "http", "port": server.at.port(),
        "at": server.at.to_string(), "redirects": redirects, "headers": ["authorization"],
    });
    let call = World::call(json!([entry, other]));
    (server, call)
}

#[tokio::test]
async fn by_default_the_tool_sees_them() {
    let (server, call) = looping(302, "/end".to_owned(), 0, json!({})).await;
    let answer = call.get(&server.url("/")).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::FOUND);
    assert_eq!(server.heard().len(), 1);
}

/// NET-12: redirects without end.
#[tokio::test]
async fn they_are_followed_as_often_as_is_granted() {
    for status in [301, 302, 303, 307, 308] {
        let (server, call) = looping(status, "/end".to_owned(), 1, json!({})).await;
        let text = call.text(&server.url("/")).await.expect("an answer");
        assert!(text.starts_with("GET /end"), "{status}");
    }
    let (server, call) = looping(302, "/again".to_owned(), 5, json!({})).await;
    assert_eq!(call.denied(&server.url("/")).await, Some(DenialCode::Quota));
    assert_eq!(server.heard().len(), 6);
}

/// NET-12: redirects inwards, to other schemes and other paths.
#[tokio::test]
async fn a_hop_to_where_nothing_is_granted_is_refused() {
    for (location, code) in [
        ("http://127.0.0.1/", DenialCode::ForbiddenAddress),
        (
            "http://169.254.169.254/latest/",
            DenialCode::ForbiddenAddress,
        ),
        ("https://api.good.test/", DenialCode::NotGranted),
        ("http://evil.test/", DenialCode::NotGranted),
        ("//evil.test/", DenialCode::NotGranted),
        ("/admin", DenialCode::NotGranted),
        ("/x/../admin", DenialCode::NotGranted),
        ("/..%2fadmin", DenialCode::Malformed),
        ("file:///etc/passwd", DenialCode::Malformed),
        ("http://api.good.test@evil.test/", DenialCode::Malformed),
        ("http://api.good.test:0443/", DenialCode::Malformed),
    ] {
        let paths = json!({"paths": ["/start", "/end"]});
        let (server, call) = looping(302, location.to_owned(), 5, paths).await;
        assert_eq!(
            call.denied(&server.url("/start")).await,
            Some(code),
            "{location}"
        );
        let denials = call.granted.denials();
        let named = denials.iter().any(|denial| {
            denial.reason.contains("redirect 1") || denial.reason.contains("sends the request on")
        });
        assert!(named, "{denials:?}");
        assert_eq!(server.heard().len(), 1, "{location}");
    }
}

#[tokio::test]
async fn credentials_stay_with_their_server() {
    let headers = [("authorization", "Bearer geheim"), ("accept", "text/plain")];
    for (location, keeps) in [("/end", true), ("http://other.test:PORT/end", false)] {
        let server = Server::answering(move |request| {
            let host = request.lines().find(|line| line.starts_with("host: "));
            let port = host
                .and_then(|host| host.rsplit_once(':'))
                .map(|(_, port)| port);
            if request.starts_with("GET /end") {
                ok("")
            } else {
                redirect(302, &location.replace("PORT", port.unwrap_or_default()))
            }
        })
        .await;
        let entry = |host: &str| {
            json!({"host": host, "scheme": "http", "port": server.at.port(), "redirects": 1,
                   "at": server.at.to_string(), "headers": ["authorization"]})
        };
        let call = World::call(json!([entry("api.good.test"), entry("other.test")]));
        let sent = with_headers(request("GET", &server.url("/")), &headers);
        call.send(sent).await.expect("an answer");
        let heard = server.heard();
        assert_eq!(heard.len(), 2);
        assert!(heard[0].contains("geheim"));
        assert_eq!(heard[1].contains("geheim"), keeps, "{location}");
        assert!(heard[1].contains("accept: text/plain"));
    }
}

#[tokio::test]
async fn what_was_posted_is_not_posted_again() {
    let (server, call) = looping(302, "/end".to_owned(), 1, json!({})).await;
    call.send(request("POST", &server.url("/")))
        .await
        .expect("an answer");
    let heard = server.heard();
    assert!(heard[1].starts_with("GET /end"), "{heard:?}");
    let (server, call) = looping(307, "/end".to_owned(), 1, json!({})).await;
    let answer = call.send(request("POST", &server.url("/"))).await;
    let answer = answer.expect("the redirect itself");
    assert_eq!(answer.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(server.heard().len(), 1);
}

#[tokio::test]
async fn a_redirect_takes_no_further_place() {
    let (server, call) = looping(302, "/end".to_owned(), 1, json!({"concurrent": 1})).await;
    let first = call.get(&server.url("/")).await.expect("an answer");
    let second = call.get(&server.url("/")).await;
    assert!(matches!(second, Err(Error::Limit { .. })), "{second:?}");
    drop(first);
    assert!(call.get(&server.url("/")).await.is_ok());
}
