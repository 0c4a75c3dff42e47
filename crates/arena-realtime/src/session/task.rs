//! The task of one session: reads what the client sends, writes what waits, and tidies up at the end.

use super::Session;
use crate::frame::FrameReader;
use crate::gateway::Gateway;
use std::cell::RefCell;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::Interest;

/// Bytes read at once. One buffer per thread: thousands of sessions wait for most of their life.
const BUFFER: usize = 16 * 1024;

/// Buffers read from one client before the others of this thread have their turn.
const IN_ONE_GO: usize = 4;

/// How long a client may take to close its side after ours.
const LINGER: Duration = Duration::from_secs(2);

thread_local! {
    static READ: RefCell<Box<[u8; BUFFER]>> = RefCell::new(Box::new([0; BUFFER]));
}

/// Serves a session until it ends, however it ends. `early` is what the client sent with its handshake.
pub(crate) async fn run(gateway: Gateway, session: Arc<Session>, mut early: Vec<u8>) {
    let ended = Ended { gateway: &gateway, session: &session };
    let mut reader = FrameReader::new();
    let fed = feed(&gateway, &session, &mut reader, &mut early);
    drop(early);
    if fed.is_continue() {
        // A socket that fails and one that is closed come to the same: the client is gone.
        let _ = serve(&gateway, &session, &mut reader).await;
    }
    drop(ended);
    part(&session).await;
}

/// Tells the gateway that a session is over, even if its task panics or is dropped.
struct Ended<'a> {
    gateway: &'a Gateway,
    session: &'a Arc<Session>,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.gateway.ended(self.session);
    }
}

async fn serve(gateway: &Gateway, session: &Arc<Session>, reader: &mut FrameReader) -> io::Result<()> {
    let outbox = &session.outbox;
    while !outbox.is_done() {
        let interest =
            if outbox.is_waiting() { Interest::READABLE.add(Interest::WRITABLE) } else { Interest::READABLE };
        tokio::select! {
            ready = outbox.socket().ready(interest) => {
                let ready = ready?;
                if ready.is_writable() && outbox.is_waiting() && outbox.flush()? && session.take_behind() {
                    gateway.catch_up(session);
                }
                if ready.is_readable() {
                    // Readiness does not count against the runtime's budget: a socket that always has more would
                    // never let go of this thread.
                    match read(gateway, session, reader)? {
                        ControlFlow::Break(()) => return Ok(()),
                        ControlFlow::Continue(Left::Something) => tokio::task::yield_now().await,
                        ControlFlow::Continue(Left::Nothing) => tokio::task::consume_budget().await,
                    }
                }
            }
            () = outbox.woken() => {
                if !outbox.is_waiting() && session.take_behind() {
                    gateway.catch_up(session);
                }
            }
        }
    }
    Ok(())
}

/// What a round of reading has left in the socket.
enum Left {
    Nothing,
    /// There is probably more.
    Something,
}

/// Reads what there is, within bounds, and acts on it.
fn read(
    gateway: &Gateway,
    session: &Arc<Session>,
    reader: &mut FrameReader,
) -> io::Result<ControlFlow<(), Left>> {
    READ.with_borrow_mut(|buffer| {
        for _ in 0..IN_ONE_GO {
            match session.outbox.socket().try_read(&mut buffer[..]) {
                Ok(0) => return Ok(ControlFlow::Break(())),
                Ok(read) => {
                    session.hear(gateway.now());
                    if feed(gateway, session, reader, &mut buffer[..read]).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                    if read < BUFFER {
                        return Ok(ControlFlow::Continue(Left::Nothing));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(ControlFlow::Continue(Left::Nothing));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(ControlFlow::Continue(Left::Something))
    })
}

/// Acts on bytes. Breaks when the session is over.
fn feed(
    gateway: &Gateway,
    session: &Arc<Session>,
    reader: &mut FrameReader,
    bytes: &mut [u8],
) -> ControlFlow<()> {
    let limit = gateway.limits().frame_bytes;
    let mut over = false;
    let mut receive = |incoming: crate::frame::Incoming<'_>| {
        let flow = gateway.receive(session, incoming);
        over = flow.is_break();
        flow
    };
    if let Err(error) = reader.feed(bytes, limit, &mut receive) {
        gateway.count(|counters| &counters.broken_frames);
        session.close(error.close_code(), &error.to_string(), gateway.now());
        over = true;
    }
    if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Writes what is left, closes our side and waits a moment for theirs: a socket that is dropped with unread bytes
/// takes our last frame with it.
async fn part(session: &Session) {
    let outbox = &session.outbox;
    if outbox.is_broken() {
        return;
    }
    let farewell = async {
        while outbox.is_waiting() {
            outbox.socket().writable().await?;
            outbox.flush()?;
        }
        outbox.shutdown()?;
        let mut ignored = [0; 512];
        loop {
            outbox.socket().readable().await?;
            match outbox.socket().try_read(&mut ignored) {
                Ok(0) => return Ok(()),
                // However much it sends, the clock and the others have their turn.
                Ok(_) => tokio::task::yield_now().await,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err::<(), io::Error>(error),
            }
        }
    };
    // Whether they close or not, we are done.
    let _ = tokio::time::timeout(LINGER, farewell).await;
}
