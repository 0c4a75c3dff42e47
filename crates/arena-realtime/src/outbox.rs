//! What goes out to one client: written at once if the socket takes it, else queued within bounds.

use bytes::{Buf, Bytes};
use rustix::io::Errno;
use rustix::net::{SendFlags, send};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// Queued frames that go into one write.
const VECTORED: usize = 16;

/// What is sent because it was asked for may make a queue so many times as long as its limit.
const EXTRA: usize = 4;

/// What became of frames that were to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Written, or queued behind others.
    Taken,
    /// There is no room for them. Nothing of them was taken.
    Full,
    /// Nothing more goes out to this client.
    Closed,
}

/// The writing half of a session. Any thread may send; frames keep the order in which they were handed in.
///
/// The queue is bounded in bytes. What happens to one that is full depends on the topic, so it is decided by those
/// who send. While it is not empty, the session's task waits until the socket takes more.
#[derive(Debug)]
pub(crate) struct Outbox {
    socket: TcpStream,
    limit_bytes: usize,
    queue: Mutex<Queue>,
    /// Wakes the session's task: there is something to write, or to end.
    wake: Notify,
    /// Whether the queue is not empty; read without the lock.
    waiting: AtomicBool,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    bytes: usize,
    /// What of them does not count, at most all of them.
    extra: usize,
    /// Nothing may follow: a close frame is the last.
    sealed: bool,
    /// The socket failed.
    broken: bool,
}

impl Outbox {
    pub(crate) fn new(socket: TcpStream, limit_bytes: usize) -> Outbox {
        Outbox {
            socket,
            limit_bytes,
            queue: Mutex::default(),
            wake: Notify::new(),
            waiting: AtomicBool::new(false),
        }
    }

    /// The socket, for reading.
    pub(crate) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Sends whole frames.
    pub(crate) fn send(&self, frames: Bytes) -> Sent {
        let mut queue = self.lock();
        if queue.sealed || queue.broken {
            return Sent::Closed;
        }
        if !queue.frames.is_empty() {
            if queue.bytes - queue.extra + frames.len() > self.limit_bytes {
                return Sent::Full;
            }
            queue.push(frames);
            return Sent::Taken;
        }
        self.write_or_queue(&mut queue, frames)
    }

    /// Sends what somebody has asked for, which does not count as long as it is bounded: whoever is given much that it
    /// missed must not be taken for slow because of it.
    pub(crate) fn send_extra(&self, frames: Bytes) -> Sent {
        let len = frames.len();
        let mut queue = self.lock();
        if queue.sealed || queue.broken {
            return Sent::Closed;
        }
        if queue.frames.is_empty() {
            let sent = self.write_or_queue(&mut queue, frames);
            queue.extra = queue.bytes;
            return sent;
        }
        // Somebody who asks again and again and reads nothing of it is slow.
        if queue.bytes + len > self.limit_bytes.saturating_mul(EXTRA) {
            return Sent::Full;
        }
        queue.push(frames);
        queue.extra += len;
        Sent::Taken
    }

    /// Sends a last frame, whatever the queue holds; nothing follows it.
    pub(crate) fn seal(&self, last: Bytes) {
        let mut queue = self.lock();
        if queue.sealed || queue.broken {
            return;
        }
        queue.sealed = true;
        // What waits besides is of no use to a client that is told to go; a frame that is half written has to be
        // finished, or the close frame could not be read.
        queue.frames.truncate(1);
        queue.bytes = queue.frames.iter().map(Bytes::len).sum();
        queue.extra = queue.extra.min(queue.bytes);
        if queue.frames.is_empty() {
            self.write_or_queue(&mut queue, last);
        } else {
            queue.push(last);
        }
        drop(queue);
        self.wake.notify_one();
    }

    /// Whether everything was written after which nothing follows, or nothing more can be written.
    pub(crate) fn is_done(&self) -> bool {
        let queue = self.lock();
        queue.broken || (queue.sealed && queue.frames.is_empty())
    }

    /// Whether nothing can be written any more.
    pub(crate) fn is_broken(&self) -> bool {
        self.lock().broken
    }

    /// Whether frames wait for the socket.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Acquire)
    }

    /// Writes as much as the socket takes. Returns whether the queue has become empty.
    pub(crate) fn flush(&self) -> io::Result<bool> {
        let mut queue = self.lock();
        while !queue.frames.is_empty() {
            let mut slices = [IoSlice::new(&[]); VECTORED];
            for (slice, frame) in slices.iter_mut().zip(&queue.frames) {
                *slice = IoSlice::new(frame);
            }
            let filled = queue.frames.len().min(VECTORED);
            match self.socket.try_write_vectored(&slices[..filled]) {
                Ok(written) => queue.written(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => {
                    queue.fail();
                    self.waiting.store(false, Ordering::Release);
                    return Err(error);
                }
            }
        }
        queue.frames.shrink_to(VECTORED);
        self.waiting.store(false, Ordering::Release);
        Ok(true)
    }

    /// Gives up: nothing is written any more.
    pub(crate) fn break_off(&self) {
        self.lock().fail();
        self.waiting.store(false, Ordering::Release);
        self.wake.notify_one();
    }

    /// Tells the other side that nothing follows.
    pub(crate) fn shutdown(&self) -> io::Result<()> {
        socket2::SockRef::from(&self.socket).shutdown(std::net::Shutdown::Write)
    }

    /// Waits until there is something to write, or to end.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Wakes the session's task.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    fn write_or_queue(&self, queue: &mut Queue, mut frames: Bytes) -> Sent {
        // Straight to the socket: the runtime's bookkeeping of what is writable costs as much as all else here, and is
        // only needed once the socket is full. Then the session's task asks it, and finds out itself.
        match send(&self.socket, &frames, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
            Ok(written) if written == frames.len() => return Sent::Taken,
            Ok(written) => frames.advance(written),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => {
                queue.fail();
                self.wake.notify_one();
                return Sent::Closed;
            }
        }
        // One message is always taken, whatever its size: frames are never cut.
        queue.push(frames);
        self.waiting.store(true, Ordering::Release);
        self.wake.notify_one();
        Sent::Taken
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn push(&mut self, frames: Bytes) {
        self.bytes += frames.len();
        self.frames.push_back(frames);
    }

    fn written(&mut self, mut bytes: usize) {
        self.bytes -= bytes;
        self.extra = self.extra.min(self.bytes);
        while let Some(first) = self.frames.front_mut() {
            if bytes < first.len() {
                first.advance(bytes);
                return;
            }
            bytes -= first.len();
            self.frames.pop_front();
        }
    }

    fn fail(&mut self) {
        self.broken = true;
        self.frames.clear();
        (self.bytes, self.extra) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    async fn pair(limit_bytes: usize) -> (Outbox, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Outbox::new(listener.accept().await.unwrap().0, limit_bytes), client)
    }

    /// Writes or reads, whichever can be done.
    async fn pump(outbox: &Outbox, client: &mut TcpStream, got: &mut Vec<u8>, buffer: &mut [u8]) {
        tokio::select! {
            writable = outbox.socket().writable(), if outbox.is_waiting() => {
                writable.unwrap();
                outbox.flush().unwrap();
            }
            read = client.read(buffer) => got.extend_from_slice(&buffer[..read.unwrap()]),
        }
    }

    #[tokio::test]
    async fn what_the_socket_does_not_take_is_queued_in_order_and_never_cut() {
        let (outbox, mut client) = pair(10 << 20).await;
        let frames: Vec<Bytes> = (0..200u8).map(|n| Bytes::from(vec![n; 60_000])).collect();
        for frame in &frames {
            assert_eq!(outbox.send(frame.clone()), Sent::Taken);
        }
        assert!(outbox.is_waiting());
        let (mut got, mut buffer) = (Vec::new(), vec![0; 65_536]);
        while got.len() < 200 * 60_000 {
            pump(&outbox, &mut client, &mut got, &mut buffer).await;
        }
        assert_eq!(got, frames.concat());
        assert!(!outbox.is_waiting() && !outbox.is_done());
    }

    #[tokio::test]
    async fn what_was_asked_for_leaves_room_for_the_rest() {
        let (outbox, mut client) = pair(100_000).await;
        let missed = Bytes::from(vec![1; 20_000_000]);
        assert_eq!(outbox.send_extra(missed.clone()), Sent::Taken);
        let frame = Bytes::from(vec![2; 60_000]);
        assert_eq!((outbox.send(frame.clone()), outbox.send(frame.clone())), (Sent::Taken, Sent::Full));
        let (mut got, mut buffer) = (Vec::new(), vec![0; 65_536]);
        while got.len() < missed.len() + frame.len() {
            pump(&outbox, &mut client, &mut got, &mut buffer).await;
        }
        assert_eq!(got.iter().filter(|byte| **byte == 2).count(), frame.len());
        // Nothing of it is left over: the queue is bounded as before.
        let taken = (0..10_000).take_while(|_| outbox.send(frame.clone()) == Sent::Taken).count();
        assert!(outbox.lock().bytes <= 100_000 && taken < 10_000);
    }

    #[tokio::test]
    async fn who_asks_again_and_again_and_reads_nothing_fills_the_queue() {
        let (outbox, _client) = pair(100_000).await;
        let missed = Bytes::from(vec![1; 90_000]);
        let taken = (0..10_000).take_while(|_| outbox.send_extra(missed.clone()) == Sent::Taken).count();
        assert!(taken < 10_000 && outbox.lock().bytes <= 400_000);
    }

    #[tokio::test]
    async fn a_full_queue_refuses_whole_frames_and_a_sealed_one_ends_with_the_last() {
        let (outbox, mut client) = pair(100_000).await;
        let frame = Bytes::from(vec![1; 60_000]);
        let taken = (0..10_000).take_while(|_| outbox.send(frame.clone()) == Sent::Taken).count();
        assert!(taken < 10_000, "the queue has no bound");
        assert_eq!(outbox.send(frame.clone()), Sent::Full);
        outbox.seal(Bytes::from_static(b"bye"));
        assert_eq!(outbox.send(frame.clone()), Sent::Closed);
        let (mut got, mut buffer) = (Vec::new(), vec![0; 65_536]);
        while !got.ends_with(b"bye") {
            pump(&outbox, &mut client, &mut got, &mut buffer).await;
        }
        assert_eq!(got.len() % 60_000, 3, "no frame is cut");
        assert!(got.len() <= taken * 60_000 + 3);
        assert!(outbox.is_done());
    }
}
