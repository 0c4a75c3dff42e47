//! Between the clients and the gateway: it writes down every connection, to the microsecond, and changes nothing.

use super::arrivals::{Arrivals, Outcome};
use anyhow::Context;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

/// Connections that wait to be accepted: more than there are clients, so that none waits for its SYN's second try.
const BACKLOG: u32 = 4_096;
/// What is forwarded at once. Buffers are two for each connection.
const CHUNK: usize = 2 * 1024;

/// Forwards connections to a gateway that may go and come back. Ends when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    arrivals: Arc<Arrivals>,
    _listening: JoinSet<()>,
}

impl Proxy {
    /// In front of the gateway at this address.
    pub fn start(runtime: &Handle, gateway: SocketAddr) -> anyhow::Result<Proxy> {
        let _entered = runtime.enter();
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let listener = socket.listen(BACKLOG).context("listen for clients")?;
        let address = listener.local_addr()?;
        let arrivals = Arc::new(Arrivals::default());
        let log = Arc::clone(&arrivals);
        let mut listening = JoinSet::new();
        listening.spawn_on(
            async move {
                let mut lines = JoinSet::new();
                while let Ok((client, _)) = listener.accept().await {
                    let place = log.knock();
                    lines.spawn(forward(client, gateway, Arc::clone(&log), place));
                    while lines.try_join_next().is_some() {}
                }
            },
            runtime,
        );
        Ok(Proxy { address, arrivals, _listening: listening })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Who has.
    pub fn arrivals(&self) -> &Arrivals {
        &self.arrivals
    }
}

/// One connection, from its first byte to the end of either side. A gateway that is down is a connection that breaks
/// off at once.
async fn forward(client: TcpStream, gateway: SocketAddr, log: Arc<Arrivals>, place: usize) {
    let Ok(server) = TcpStream::connect(gateway).await else {
        return log.settle(place, Outcome::Unreachable);
    };
    let (_, _) = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // Whoever ends first ends both.
    tokio::select! {
        () = copy(from_client, to_server, |_| {}) => {}
        () = copy(from_server, to_client, |first| log.settle(place, outcome(first))) => {}
    }
}

/// Copies until either end is no more; `first` gets what came first.
async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut first: impl FnMut(&[u8]),
) {
    let (mut chunk, mut fresh) = (vec![0; CHUNK], true);
    while let Ok(read @ 1..) = from.read(&mut chunk).await {
        if std::mem::take(&mut fresh) {
            first(&chunk[..read]);
        }
        if to.write_all(&chunk[..read]).await.is_err() {
            break;
        }
    }
}

/// What the first bytes of an answer say.
fn outcome(answer: &[u8]) -> Outcome {
    let status =
        answer.split(|byte| *byte == b' ').nth(1).and_then(|status| std::str::from_utf8(status).ok());
    match status.and_then(|status| status.parse().ok()) {
        Some(101) => Outcome::Accepted,
        other => Outcome::Refused(other.unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_tells_whether_the_handshake_was_taken() {
        assert_eq!(outcome(b"HTTP/1.1 101 Switching Protocols\r\n"), Outcome::Accepted);
        assert_eq!(outcome(b"HTTP/1.1 503 Service Unavailable\r\n"), Outcome::Refused(503));
        assert_eq!(outcome(b"what?"), Outcome::Refused(0));
    }
}
