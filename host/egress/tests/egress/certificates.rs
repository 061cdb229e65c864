//! TLS is always verified.

use std::sync::Arc;

use cofferdam_egress::{Client, Options, OptionsError};
use rcgen::date_time_ymd;
use rustls::ServerConfig;
use rustls::version::{TLS12, TLS13};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::framing::kind;
use crate::servers::{Authority, Server, ok};
use crate::world::{Call, World};

async fn server(config: ServerConfig) -> Server {
    Server::secure(config, |_| ok("secret")).await
}

/// A call that trusts `authority` and may ask `server` as `host`.
fn call(authority: &Authority, server: &Server, host: &str) -> Call {
    World {
        network: json!([{"host": host, "at": server.at.to_string()}]),
        options: Options {
            authorities: authority.pem(),
            ..Options::default()
        },
        ..World::default()
    }
    .start()
}

/// NET-25: certificates of others, of another time, of nobody.
/// NET-25: self-signed, for another host, expired, not yet valid.
#[tokio::test]
async fn only_the_right_certificate_will_do() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let any = [&TLS13, &TLS12];
    let same = |_: &mut rcgen::CertificateParams| {};
    let expired = |params: &mut rcgen::CertificateParams| {
        params.not_after = date_time_ymd(2020, 1, 1);
    };
    let early = |params: &mut rcgen::CertificateParams| {
        params.not_before = date_time_ymd(2199, 1, 1);
    };
    let names = ["api.good.test", "127.0.0.1"];
    for (config, host, expected) in [
        (
            ours.server(&names, &any, same),
            "api.good.test",
            "ok secret",
        ),
        (
            ours.server(&names, &[&TLS12], same),
            "api.good.test",
            "ok secret",
        ),
        (ours.server(&names, &any, same), "127.0.0.1", "tls"),
        (
            ours.server(&["evil.test"], &any, same),
            "api.good.test",
            "tls",
        ),
        (
            ours.server(&["*.good.test"], &any, same),
            "api.good.test",
            "ok secret",
        ),
        (ours.server(&["*.test"], &any, same), "api.good.test", "tls"),
        (ours.server(&names, &any, expired), "api.good.test", "tls"),
        (ours.server(&names, &any, early), "api.good.test", "tls"),
        (theirs.server(&names, &any, same), "api.good.test", "tls"),
    ] {
        let server = server(config).await;
        let call = call(&ours, &server, host);
        let result = call.text(&format!("https://{host}/")).await;
        // The address is in the certificate as a name of the DNS, which is no address.
        let expected = if host == "127.0.0.1" {
            kind(&result)
        } else {
            expected.to_owned()
        };
        assert_eq!(kind(&result), expected, "{host}");
        if kind(&result) == "tls" {
            assert!(server.heard().is_empty(), "nothing was sent");
        }
    }
}

/// NET-25: no TLS at all.
#[tokio::test]
async fn a_server_that_speaks_no_tls_is_told_nothing() {
    let authority = Authority::new();
    let server = Server::with(None, |mut stream, heard| async move {
        let mut bytes = vec![0; 2_000];
        let read = stream.read(&mut bytes).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
        heard.lock().expect("no panic").push(text);
        drop(stream.write_all(&ok("plain")).await);
    })
    .await;
    let call = call(&authority, &server, "api.good.test");
    let result = call.text("https://api.good.test/geheim").await;
    assert_eq!(kind(&result), "tls");
    assert!(!server.heard().concat().contains("geheim"));
}

/// NET-25: TLS of another age.
/// NET-25: TLS 1.0.
#[tokio::test]
async fn an_old_protocol_is_refused() {
    // The hello of a server that knows TLS 1.0 alone.
    let hello: Arc<[u8]> = [
        &[0x16, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1][..],
        &[7; 32],
        &[0, 0x00, 0x2f, 0],
    ]
    .concat()
    .into();
    let server = Server::with(None, move |mut stream, _| {
        let hello = hello.clone();
        async move {
            let mut bytes = vec![0; 2_000];
            drop(stream.read(&mut bytes).await);
            drop(stream.write_all(&hello).await);
            drop(stream.read(&mut bytes).await);
        }
    })
    .await;
    let call = call(&Authority::new(), &server, "api.good.test");
    assert_eq!(kind(&call.text("https://api.good.test/").await), "tls");
}

#[test]
fn authorities_that_are_none_are_an_error() {
    for bad in [
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n",
    ] {
        let options = Options {
            authorities: bad.as_bytes().to_vec(),
            ..Options::default()
        };
        let client = Client::new(options);
        assert!(matches!(client, Err(OptionsError::Authorities)), "{bad}");
    }
}
