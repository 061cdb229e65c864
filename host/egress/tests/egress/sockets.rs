//! Raw connections: names first, then the addresses they answered; TLS that the host speaks.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cofferdam_egress::{Client, Error, Limit, Options, Peer, Resolve, Seat};
use cofferdam_policy::capability::network::Name;
use cofferdam_policy::capability::sockets::{Protocol, Tls};
use cofferdam_types::call::DenialCode;
use rustls::version::TLS13;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio_rustls::TlsAcceptor;

use crate::servers::{Authority, Server};
use crate::world::{Call, Granted, Names, World, session};

fn code<T>(result: Result<T, Error>) -> Option<DenialCode> {
    match result {
        Err(Error::Denied(denial)) => Some(denial.code),
        _ => None,
    }
}

fn at(place: &str) -> SocketAddr {
    place.parse().expect("an address and port")
}

#[tokio::test]
async fn a_name_opens_what_it_answered_and_nothing_else() {
    let names = Names::new(&[("db.good.test", &[&["8.8.8.8", "10.0.0.1"]])]);
    let sockets = json!([{"host": "db.good.test", "port": 5432, "connections": 2}]);
    let call = World {
        sockets,
        names,
        ..World::default()
    }
    .start();
    let open = |place: &str| call.session.may_open(Protocol::Tcp, at(place));
    assert_eq!(
        code(open("8.8.8.8:5432")),
        Some(DenialCode::NotGranted),
        "not looked up"
    );
    let other = "evil.test".parse().expect("a name");
    assert_eq!(
        code(call.session.look_up(&other).await),
        Some(DenialCode::NotGranted)
    );
    assert_eq!(call.names.asked(), 0);
    let name = "db.good.test".parse().expect("a name");
    assert_eq!(call.session.look_up(&name).await.expect("answers").len(), 2);
    assert!(open("8.8.8.8:5432").is_ok());
    assert_eq!(code(open("8.8.8.8:5433")), Some(DenialCode::NotGranted));
    assert_eq!(code(open("8.8.4.4:5432")), Some(DenialCode::NotGranted));
    assert_eq!(
        code(open("10.0.0.1:5432")),
        Some(DenialCode::ForbiddenAddress)
    );
    let udp = call.session.may_open(Protocol::Udp, at("8.8.8.8:5432"));
    assert_eq!(code(udp), Some(DenialCode::NotGranted));
    assert!(open("8.8.8.8:5432").is_ok());
    let limit = open("8.8.8.8:5432");
    assert!(matches!(
        limit,
        Err(Error::Limit {
            limit: Limit::Connections,
            ..
        })
    ));
}

/// A mail server that begins with TLS as it is told to, and then says what it hears.
async fn mail(authority: &Authority, greeting: &'static str, go: &'static str) -> Server {
    let config = authority.server(&["mail.good.test"], &[&TLS13], |_| {});
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Server::with(None, move |stream, heard| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = BufReader::new(stream);
            drop(stream.write_all(greeting.as_bytes()).await);
            let mut line = String::new();
            while !line.contains("STARTTLS") {
                line.clear();
                if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                    return;
                }
                heard.lock().expect("no panic").push(line.clone());
                if line.starts_with("EHLO") {
                    drop(stream.write_all(b"250-mail\r\n250 STARTTLS\r\n").await);
                }
            }
            drop(stream.write_all(go.as_bytes()).await);
            if let Ok(mut secure) = acceptor.accept(stream.into_inner()).await {
                let mut bytes = [0; 5];
                if secure.read_exact(&mut bytes).await.is_ok() {
                    drop(secure.write_all(&bytes).await);
                    drop(secure.shutdown().await);
                }
            }
        }
    })
    .await
}

fn post(authority: &Authority, server: &Server, tls: &str) -> Call {
    World {
        names: Names::new(&[("mail.good.test", &[&["127.0.0.1"]])]),
        sockets: json!([{"host": "mail.good.test", "port": server.at.port(), "tls": tls,
                         "addresses": ["127.0.0.1"], "sent_bytes": 8}]),
        options: Options {
            authorities: authority.pem(),
            ..Options::default()
        },
        ..World::default()
    }
    .start()
}

fn peer(server: &Server) -> Peer {
    Peer {
        host: "mail.good.test".parse().expect("a host"),
        port: server.at.port(),
    }
}

#[tokio::test]
async fn the_host_speaks_tls_for_mail() {
    let ours = Authority::new();
    for (how, word, greeting, go) in [
        (
            Tls::StarttlsSmtp,
            "starttls-smtp",
            "220 hi\r\n",
            "220 go\r\n",
        ),
        (
            Tls::StarttlsImap,
            "starttls-imap",
            "* OK hi\r\n",
            "a OK go\r\n",
        ),
    ] {
        let server = mail(&ours, greeting, go).await;
        let call = post(&ours, &server, word);
        let mut stream = call
            .session
            .connect(&peer(&server), how)
            .await
            .expect("a connection");
        stream.write_all(b"hello").await.expect("room");
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await.expect("an echo");
        assert_eq!(&answer, b"hello");
        let beyond = stream.write_all(b"more than eight").await;
        assert!(beyond.is_err(), "the bytes of the call are used up");
        let other = call.session.connect(&peer(&server), Tls::Required).await;
        assert_eq!(
            code(other),
            Some(DenialCode::ForbiddenAddress),
            "only as it is granted"
        );
        let raw = call.session.may_open(Protocol::Tcp, server.at);
        assert!(code(raw).is_some(), "not in the clear");
    }
}

#[tokio::test]
async fn who_opened_a_socket_hears_when_it_is_taken_back() {
    let sockets = json!([{"host": "8.8.8.8", "port": 53, "protocol": "udp"}]);
    let call = World {
        sockets,
        ..World::default()
    }
    .start();
    call.session
        .may_open(Protocol::Udp, at("8.8.8.8:53"))
        .expect("granted");
    let mut taken = std::pin::pin!(call.session.taken_back());
    let soon = std::time::Duration::from_millis(700);
    let while_granted = tokio::time::timeout(soon, &mut taken).await;
    assert!(while_granted.is_err(), "{while_granted:?}");
    call.granted.revoke();
    let denial = taken.await;
    assert_eq!(denial.resource, "udp:8.8.8.8:53");
    assert_eq!(call.granted.denials(), [denial]);
}

#[tokio::test]
async fn an_upgrade_that_is_not_clean_is_refused() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    for (authority, go) in [
        (&ours, "454 no\r\n"),
        (&ours, "220 go\r\n250 slipped in\r\n"),
        (&theirs, "220 go\r\n"),
    ] {
        let server = mail(authority, "220 hi\r\n", go).await;
        let call = post(&ours, &server, "starttls-smtp");
        let error = call
            .session
            .connect(&peer(&server), Tls::StarttlsSmtp)
            .await;
        let error = error.expect_err("no connection");
        assert!(error.to_string().starts_with("tls"), "{go:?} {error}");
    }
}

/// Name servers that don't answer: every look-up goes on, whoever waits for it.
#[derive(Debug, Default)]
struct Silent(Mutex<Vec<Seat>>);

#[async_trait]
impl Resolve for Silent {
    async fn resolve(&self, _: &Name, seat: Seat) -> io::Result<Vec<IpAddr>> {
        self.0.lock().expect("no panic").push(seat);
        std::future::pending().await
    }
}

/// A call that gives its look-ups up can't have more of them under way than one that waits.
#[tokio::test]
async fn look_ups_that_were_given_up_count_for_their_call() {
    let silent = Arc::new(Silent::default());
    let client = Client::with_resolver(Options::default(), silent.clone()).expect("a client");
    let granted = Granted::new(json!([]), json!([{"host": "db.good.test", "port": 5432}]));
    let name: Name = "db.good.test".parse().expect("a name");
    let under_way = || silent.0.lock().expect("no panic").len();
    let (one, other) = ["one", "other"]
        .map(|tenant| session(&client, &granted, tenant, Duration::from_secs(20)))
        .into();
    for tried in 1..=6 {
        assert!(futures::poll!(std::pin::pin!(one.look_up(&name))).is_pending());
        assert_eq!(under_way(), tried.min(4));
    }
    assert!(futures::poll!(std::pin::pin!(other.look_up(&name))).is_pending());
    assert_eq!(under_way(), 5, "another call has places of its own");
    silent.0.lock().expect("no panic").clear();
    assert!(futures::poll!(std::pin::pin!(one.look_up(&name))).is_pending());
    assert_eq!(under_way(), 1);
}
