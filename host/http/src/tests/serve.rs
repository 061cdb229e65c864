//! Real connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::serve;

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

async fn start(router: Router) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let stop = CancellationToken::new();
    let task = tokio::spawn(serve(listener, router, stop.clone()));
    Server {
        address,
        stop,
        task,
    }
}

impl Server {
    async fn send(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        stream.write_all(text.as_bytes()).await.expect("sent");
        stream
    }
}

async fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    // A connection that is reset has ended, too.
    drop(stream.read_to_string(&mut text).await);
    text
}

/// Tells when it is dropped.
struct OnDrop(Arc<Notify>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// `/wait` tells when it is entered and when it is dropped, and answers when it is told to.
struct Waiting {
    entered: Arc<Notify>,
    left: Arc<Notify>,
    go: Arc<Notify>,
}

fn waiting() -> (Router, Waiting) {
    let waiting = Waiting {
        entered: Arc::default(),
        left: Arc::default(),
        go: Arc::default(),
    };
    let (entered, left, go) = (
        waiting.entered.clone(),
        waiting.left.clone(),
        waiting.go.clone(),
    );
    let handler = move || async move {
        let _guard = OnDrop(left);
        entered.notify_one();
        go.notified().await;
        "done"
    };
    (Router::new().route("/wait", get(handler)), waiting)
}

const WAIT: &str = "GET /wait HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn a_client_that_goes_away_drops_its_request() {
    let (router, waiting) = waiting();
    let server = start(router).await;
    let stream = server.send(WAIT).await;
    waiting.entered.notified().await;
    drop(stream);
    let left = tokio::time::timeout(Duration::from_secs(10), waiting.left.notified()).await;
    assert!(left.is_ok(), "the handler is still there");
}

#[tokio::test]
async fn stopping_lets_requests_end_and_closes_the_rest() {
    let (router, waiting) = waiting();
    let server = start(router).await;
    let idle = TcpStream::connect(server.address)
        .await
        .expect("it listens");
    let busy = server.send(WAIT).await;
    waiting.entered.notified().await;
    server.stop.cancel();
    assert_eq!(rest(idle).await, "");
    assert!(!server.task.is_finished());
    waiting.go.notify_one();
    let answer = rest(busy).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"),
        "{answer}"
    );
    server.task.await.expect("no panic");
    assert!(
        TcpStream::connect(server.address).await.is_err(),
        "it still listens"
    );
}

#[tokio::test(start_paused = true)]
async fn stopping_does_not_wait_for_ever() {
    let (router, waiting) = waiting();
    let server = start(router).await;
    let busy = server.send(WAIT).await;
    waiting.entered.notified().await;
    server.stop.cancel();
    server.task.await.expect("no panic");
    assert_eq!(rest(busy).await, "");
}

#[tokio::test(start_paused = true)]
async fn a_head_that_never_comes_is_given_up() {
    let (router, _) = waiting();
    let server = start(router).await;
    for head in ["", "G", "GET /wait HTTP/1.1\r\nhost: x\r\n"] {
        let stream = server.send(head).await;
        let text = rest(stream).await;
        assert!(
            text.is_empty() || text.starts_with("HTTP/1.1 408"),
            "{head:?} {text}"
        );
    }
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let (router, _) = waiting();
    let server = start(router).await;
    for request in [
        format!(
            "GET /wait HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n",
            "a".repeat(1 << 20)
        ),
        format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(1 << 20)),
        "nonsense\r\n\r\n".to_owned(),
    ] {
        let mut stream = TcpStream::connect(server.address)
            .await
            .expect("it listens");
        // The server may stop reading before all of it is sent.
        drop(stream.write_all(request.as_bytes()).await);
        let text = rest(stream).await;
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{text}");
    }
}
