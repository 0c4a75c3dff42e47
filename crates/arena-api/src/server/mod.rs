//! The HTTP server: accepts, serves and drains.

use axum::http::Request;
use axum::{Extension, Router};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::util::MapRequest;

/// Connections at once. Beyond it nothing is accepted: the kernel's backlog holds the rest, and refuses when it is
/// full too.
const MAX_CONNECTIONS: usize = 4_096;

/// How long a client may take to send a request's head, and how long a connection may idle between requests.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client that does not read gets to take the rest of an answer without an end, when the server ends.
const ENDLESS_GRACE: Duration = Duration::from_secs(1);

/// How long accepting pauses when the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every request was answered and every change ran to its end.
    Whole,
    /// The deadline passed first; what was left is cut off.
    Cut,
}

/// Serves `router` on `listener` until `shutdown` is ready, then stops accepting, lets running requests finish and
/// cuts off what is left after `drain_deadline`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
    drain_deadline: Duration,
) -> Drained {
    let tasks = TaskTracker::new();
    let (closing, cut) = (CancellationToken::new(), CancellationToken::new());
    let router = router.layer(Extension(tasks.clone()));
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, slot) = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        let connection = serve_connection(stream, router.clone(), closing.clone());
        let cut = cut.clone();
        tasks.spawn(async move {
            let _slot = slot;
            cut.run_until_cancelled_owned(connection).await
        });
    }
    drop(listener);
    closing.cancel();
    tasks.close();
    match tokio::time::timeout(drain_deadline, tasks.wait()).await {
        Ok(()) => Drained::Whole,
        Err(_) => {
            cut.cancel();
            Drained::Cut
        }
    }
}

/// Waits for a slot, then for a connection. Errors of accepting are never fatal: they are a client that left
/// already, or a lack of file descriptors that passes.
async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    let slot = Arc::clone(slots).acquire_owned().await.expect("invariant: the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, slot),
            Err(error) if is_of_one_connection(error.kind()) => {}
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot accept connections; pausing"
                );
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_one_connection(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused)
}

/// Where a request comes from: the other end of its connection. In the extensions of every request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// How an answer without an end learns that the server ends. In the extensions of every request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ending {
    closing: CancellationToken,
    /// Whether the present answer of this connection has no end.
    endless: Arc<AtomicBool>,
}

impl Ending {
    /// Marks the answer as one without an end: it has to end by itself when the token is cancelled, and is cut off
    /// soon after that if its client does not take the rest.
    pub(crate) fn endless(&self) -> CancellationToken {
        self.endless.store(true, Ordering::Relaxed);
        self.closing.clone()
    }

    /// Cancelled when the server ends: for answers that wait for something, and are better given early then.
    pub(crate) fn closing(&self) -> CancellationToken {
        self.closing.clone()
    }
}

async fn serve_connection(stream: TcpStream, router: Router, closing: CancellationToken) {
    let Ok(peer) = stream.peer_addr().map(Peer) else { return };
    let ending = Ending { closing: closing.clone(), endless: Arc::default() };
    let endless = Arc::clone(&ending.endless);
    let router = MapRequest::new(router, move |mut request: Request<Incoming>| {
        ending.endless.store(false, Ordering::Relaxed);
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(ending.clone());
        request
    });
    // Answers are small; waiting to fill a packet would only delay them. If it fails they are merely later.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let cut = async {
                tokio::time::sleep(ENDLESS_GRACE).await;
                if !endless.load(Ordering::Relaxed) {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                ended = connection.as_mut() => ended,
                () = cut => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = &error as &dyn std::error::Error, "a connection broke off");
    }
}

#[cfg(test)]
mod tests;
