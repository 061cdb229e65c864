//! Names are looked up once, and only decided addresses are connected to.

use cofferdam_types::call::DenialCode;
use serde_json::json;

use crate::servers::{Server, ok};
use crate::world::{Names, World, request};

/// NET-01: no request and no look-up without a grant.
/// NET-01: no look-up before a decision.
#[tokio::test]
async fn without_a_grant_nothing_is_looked_up() {
    let names = Names::new(&[("api.good.test", &[&["8.8.8.8"]])]);
    let call = World {
        names,
        ..World::default()
    }
    .start();
    let code = call.denied("https://api.good.test/").await;
    assert_eq!(code, Some(DenialCode::NotGranted));
    assert_eq!(call.names.asked(), 0);
    assert!(call.granted.sent().is_empty());
}

/// NET-03, NET-04, NET-07: whichever address it is, by a name or written out.
#[tokio::test]
async fn what_is_not_public_is_refused_after_the_look_up() {
    for address in [
        "127.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "fd00:ec2::254",
        "fe80::1",
    ] {
        let names = Names::new(&[("api.good.test", &[&[address]])]);
        let network = json!([{"host": "**"}]);
        let call = World {
            network,
            names,
            ..World::default()
        }
        .start();
        let code = call.denied("https://api.good.test/").await;
        assert_eq!(code, Some(DenialCode::ForbiddenAddress), "{address}");
        let host = if address.contains(':') {
            format!("[{address}]")
        } else {
            address.to_owned()
        };
        let code = call.denied(&format!("https://{host}/")).await;
        assert_eq!(code, Some(DenialCode::ForbiddenAddress), "{address}");
        assert!(call.granted.sent().is_empty());
    }
}

/// NET-05, NET-06, NET-11, NET-13, NET-19, NET-20: what parsers read differently.
#[tokio::test]
async fn odd_spellings_are_refused_unread() {
    let call = World::call(json!([{"host": "**", "addresses": ["127.0.0.0/8"]}]));
    for authority in [
        "localhost.",
        "0",
        "127.1",
        "2130706433",
        "0177.0.0.1",
        "0x7f.1",
        "127.0.0.1.",
        "[fe80::1%eth0]",
        "api.good.test@evil.test",
        "api.good.test%00.evil.test",
        "api.good.test\\@evil.test",
        "\u{ff11}27.0.0.1",
        "api\u{3002}good.test",
        "api.good.test:",
        "api.good.test:0443",
        "api.good.test:65536",
    ] {
        let code = call.denied(&format!("https://{authority}/")).await;
        assert_eq!(code, Some(DenialCode::Malformed), "{authority}");
    }
    for scheme in ["HTTPS", "ftp", "file", "ws", "gopher"] {
        let code = call.denied(&format!("{scheme}://api.good.test/")).await;
        assert_eq!(code, Some(DenialCode::Malformed), "{scheme}");
    }
    for path in [
        "//evil.test/x",
        "http://evil.test/",
        "/a b",
        "/..%2fadmin",
        "/%00",
        "",
    ] {
        let mut request = request("GET", "https://api.good.test/");
        request.path_and_query = path.to_owned();
        let refused = call.send(request).await.is_err();
        assert!(refused, "{path:?}");
    }
    assert!(call.granted.sent().is_empty());
}

/// NET-08: an answer that changes after it was decided.
/// NET-08: an answer that changes is no way around the decision.
#[tokio::test]
async fn the_answer_that_was_decided_is_the_one_connected_to() {
    let good = Server::saying(ok("good")).await;
    let evil_at = ([127, 0, 0, 2], good.at.port()).into();
    let evil = Server::with(Some(evil_at), |_, heard| async move {
        heard.lock().expect("no panic").push("connected".to_owned());
    })
    .await;
    // Public at first, then this machine; and named at first, then its neighbour.
    let names = Names::new(&[
        ("rebind.test", &[&["127.0.0.1"], &["127.0.0.2"]]),
        ("flip.test", &[&["10.9.9.9"], &["127.0.0.1"]]),
    ]);
    let port = good.at.port();
    let network = json!([
        {"host": "rebind.test", "scheme": "http", "port": port, "addresses": ["127.0.0.1"]},
        {"host": "flip.test", "scheme": "http", "port": port},
    ]);
    let call = World {
        network,
        names,
        ..World::default()
    }
    .start();
    let url = format!("http://rebind.test:{port}/");
    assert_eq!(call.text(&url).await.expect("an answer"), "good");
    assert_eq!(
        call.names.asked(),
        1,
        "no second look-up between check and use"
    );
    let code = call.denied(&url).await;
    assert_eq!(code, Some(DenialCode::ForbiddenAddress));
    let flip = format!("http://flip.test:{port}/");
    for _ in 0..2 {
        let code = call.denied(&flip).await;
        assert_eq!(code, Some(DenialCode::ForbiddenAddress));
    }
    assert!(evil.heard().is_empty());
    assert_eq!(good.heard().len(), 1);
}

/// NET-09: public and private addresses in one answer.
/// NET-09: forbidden addresses among allowed ones are passed over.
#[tokio::test]
async fn of_a_mixed_answer_only_what_is_allowed_is_used() {
    let good = Server::saying(ok("good")).await;
    let port = good.at.port();
    let names = Names::new(&[("mixed.test", &[&["10.1.1.1", "127.0.0.2", "127.0.0.1"]])]);
    let network = json!([
        {"host": "mixed.test", "scheme": "http", "port": port, "addresses": ["127.0.0.1"]},
    ]);
    let call = World {
        network,
        names,
        ..World::default()
    }
    .start();
    let text = call.text(&format!("http://mixed.test:{port}/")).await;
    assert_eq!(text.expect("an answer"), "good");
    assert!(call.granted.denials().is_empty());
}

/// NET-09: an answer of hundreds of addresses.
/// NET-09: five hundred addresses are not five hundred tries.
#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let many: Vec<String> = (0..500_u32)
        .map(|n| format!("10.0.{}.{}", n / 250, n % 250))
        .collect();
    let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
    many.push("127.0.0.1");
    let names = Names::new(&[("many.test", &[&many])]);
    let network = json!([{"host": "many.test", "addresses": ["127.0.0.1"]}]);
    let call = World {
        network,
        names,
        ..World::default()
    }
    .start();
    let code = call.denied("https://many.test/").await;
    assert_eq!(code, Some(DenialCode::ForbiddenAddress));
}

/// NET-02: under a grant for every host and every range.
#[tokio::test]
async fn a_metadata_service_is_not_reached_by_a_wide_range() {
    let names = Names::new(&[("meta.test", &[&["169.254.169.254"]])]);
    let network = json!([{"host": "**", "scheme": "http", "addresses": ["0.0.0.0/0"]}]);
    let call = World {
        network,
        names,
        ..World::default()
    }
    .start();
    for url in [
        "http://169.254.169.254/latest/meta-data/",
        "http://meta.test/",
        "http://100.100.100.200/",
        "http://168.63.129.16/",
        "http://metadata.google.internal/",
    ] {
        assert!(call.denied(url).await.is_some(), "{url}");
    }
    assert!(call.granted.sent().is_empty());
}

#[tokio::test]
async fn a_name_without_an_address_is_an_error_of_the_name() {
    let names = Names::new(&[("empty.test", &[&[]])]);
    let call = World {
        names,
        network: json!([{"host": "**"}]),
        ..World::default()
    }
    .start();
    for url in ["https://empty.test/", "https://unknown.test/"] {
        let error = call.get(url).await.expect_err("no address");
        assert!(error.to_string().starts_with("dns"), "{error}");
    }
    assert!(call.granted.denials().is_empty());
}
