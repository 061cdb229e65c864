//! Connections: accepted, bounded, drained.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Connections at once; further ones wait in the kernel's queue. An idle one costs some 10 KiB,
/// and each needs a file descriptor.
const CONNECTIONS_MAX: usize = 8_192;

/// From the moment a connection is idle to the whole of its next request's head. Short enough that
/// idle connections make room, long enough for clients that keep them.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// Most bytes of a request's head; also the read buffer's size.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// How long requests under way may take once the server stops: the default deadline of a call.
const DRAIN_TIME: Duration = Duration::from_secs(30);

/// Wait after a failed accept, as a rule for lack of file descriptors: others give theirs back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` is cancelled, then lets requests under way end, 30 s at most.
///
/// **Cancel**: dropping the future closes every connection at once, which stops the calls they
/// wait for.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    while let Some((stream, place)) = next(&listener, &places, &mut connections, &stop).await {
        let serving = connection(stream, router.clone(), stop.clone());
        connections.spawn(async move {
            serving.await;
            drop(place);
        });
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_TIME, drained).await.is_err() {
        let left = connections.len();
        tracing::warn!(left, "connections were closed before their requests ended");
        connections.shutdown().await;
    }
}

/// The next connection and its place; `None` once the server stops. Meanwhile forgets connections
/// that ended.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    connections: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let accept = async {
        // The semaphore is never closed.
        let place = Arc::clone(places).acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, _)) => return Some((stream, place)),
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    tokio::pin!(accept);
    loop {
        tokio::select! {
            accepted = &mut accept => return accepted,
            Some(_) = connections.join_next() => {}
            () = stop.cancelled() => return None,
        }
    }
}

/// Serves one connection to its end.
async fn connection(stream: TcpStream, router: Router, stop: CancellationToken) {
    // Without it, an answer in two writes waits 40 ms for the client's acknowledgement. A socket
    // that refuses is about to fail anyway.
    stream.set_nodelay(true).ok();
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}
