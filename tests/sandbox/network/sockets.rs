use anyhow::{Result, ensure};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use super::Wall;
use super::server::Server;
use crate::settled;

/// NET-21: a grant of requests is none of sockets: no connection, datagram, listener or look-up.
#[tokio::test]
async fn requests_alone() -> Result<()> {
    let server = Server::ok("fine").await?;
    let wall = Wall::new(&server.entry("")).await?;
    let here = format!("127.0.0.1:{}", server.port);
    let places = json!([
        {"how": "tcp", "place": here},
        {"how": "udp", "place": "8.8.8.8:53"},
        {"how": "listen", "place": "127.0.0.1:0"},
        {"how": "listen", "place": "0.0.0.0:0"},
        {"how": "tcp", "place": "api.good.test:80"},
    ]);
    let came = wall.call("open", json!({"places": places})).await?;
    for (place, outcome) in came.result.iter().enumerate() {
        let text = outcome.as_str().unwrap_or_default();
        ensure!(
            !text.starts_with("hello") && text != "listening",
            "{place}: {text}"
        );
    }
    // The look-up; without any grant of sockets there is none to connect.
    ensure!(came.denials == ["not_granted"], "{came:?}");
    let secure = json!({"host": "mail.good.test", "port": 587, "start": "smtp"});
    let came = wall.call("secure", secure).await?;
    ensure!(came.result == ["denied"], "{came:?}");
    ensure!(server.heard().is_empty());
    settled(&wall.host, &wall.before).await
}

/// A grant of one place opens that place and its neighbours stay closed.
#[tokio::test]
async fn one_place() -> Result<()> {
    let tcp = TcpListener::bind("127.0.0.1:0").await?;
    let udp = UdpSocket::bind("127.0.0.1:0").await?;
    let (tcp_port, udp_port) = (tcp.local_addr()?.port(), udp.local_addr()?.port());
    let echo = tokio::spawn(async move {
        let (mut stream, _) = tcp.accept().await?;
        let mut line = [0; 6];
        stream.read_exact(&mut line).await?;
        stream.write_all(&line).await
    });
    let echo_udp = tokio::spawn(async move {
        let mut line = [0; 64];
        let (length, from) = udp.recv_from(&mut line).await?;
        udp.send_to(&line[..length], from).await
    });
    let entries = format!(
        "network: []\nsockets:\n  - {{host: 127.0.0.1, port: {tcp_port}}}\n  \
         - {{host: 127.0.0.1, port: {udp_port}, protocol: udp}}"
    );
    let wall = Wall::new(&entries).await?;
    let places = json!([
        {"how": "tcp", "place": format!("127.0.0.1:{tcp_port}")},
        {"how": "udp", "place": format!("127.0.0.1:{udp_port}")},
        {"how": "tcp", "place": format!("127.0.0.2:{tcp_port}")},
        {"how": "tcp", "place": "127.0.0.1:1"},
        {"how": "udp", "place": format!("127.0.0.1:{tcp_port}")},
        {"how": "listen", "place": "127.0.0.1:0"},
    ]);
    let came = wall.call("open", json!({"places": places})).await?;
    let hello = json!("hello\n");
    ensure!(came.result[..2] == [hello.clone(), hello], "{came:?}");
    ensure!(
        came.result[2..].iter().all(|outcome| outcome == "denied"),
        "{came:?}"
    );
    echo.await??;
    echo_udp.await??;
    settled(&wall.host, &wall.before).await
}

/// A call whose open socket is taken back ends, though it does nothing but wait for it.
#[tokio::test]
async fn a_place_that_is_taken_back() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let wall = Wall::new(&format!("sockets: [{{host: 127.0.0.1, port: {port}}}]")).await?;
    let places = json!([{"how": "tcp", "place": format!("127.0.0.1:{port}")}]);
    let call = wall
        .host
        .call("http-prober-open", json!({"places": places}), json!({}));
    let silent = async {
        let (mut stream, _) = listener.accept().await?;
        // It is connected and waits for an answer that never comes.
        stream.read_exact(&mut [0; 6]).await?;
        wall.revoke()?;
        // The end of the connection, by the host.
        anyhow::Ok(stream.read(&mut [0; 1]).await.unwrap_or(0))
    };
    let (answer, read) = tokio::join!(call, silent);
    ensure!(read? == 0, "the guest sent more");
    let answer = answer?;
    ensure!(answer.code() == Some("policy_denied"), "{}", answer.body);
    let denial = &answer.body["error"]["details"]["denials"][0];
    ensure!(denial["capability"] == "sockets", "{}", answer.body);
    settled(&wall.host, &wall.before).await
}
