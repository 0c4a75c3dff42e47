//! Many connections under one epoll set, cut into frames.

use anyhow::Context;
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::OwnedFd;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

/// A connection's place in [`Sockets`].
pub type Id = usize;

/// Events taken at once: few, so that what is due in between is sent in time.
const EVENTS: usize = 64;
/// Most that is read from a connection at once.
const READ: usize = 64 * 1024;

/// Connections that are read whenever something has arrived.
pub struct Sockets {
    epoll: OwnedFd,
    open: Vec<Option<Socket>>,
    free: Vec<Id>,
    events: Vec<epoll::Event>,
    buffer: Vec<u8>,
}

struct Socket {
    stream: TcpStream,
    /// The beginning of a frame whose end has not arrived. Bounded by the largest frame the server sends.
    rest: Vec<u8>,
}

impl Sockets {
    /// No connections.
    pub fn new() -> anyhow::Result<Sockets> {
        Ok(Sockets {
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            open: Vec::new(),
            free: Vec::new(),
            events: Vec::with_capacity(EVENTS),
            buffer: vec![0; READ],
        })
    }

    /// Takes a connection over; `rest` is what has been read of it and belongs to the first frame.
    pub fn add(&mut self, stream: TcpStream, rest: Vec<u8>) -> anyhow::Result<Id> {
        stream.set_nonblocking(true)?;
        let id = self.free.pop().unwrap_or(self.open.len());
        epoll::add(&self.epoll, &stream, EventData::new_u64(id as u64), EventFlags::IN)?;
        if id == self.open.len() {
            self.open.push(None);
        }
        self.open[id] = Some(Socket { stream, rest });
        Ok(id)
    }

    /// Closes a connection; its id is used again.
    pub fn close(&mut self, id: Id) {
        if self.open.get_mut(id).and_then(Option::take).is_some() {
            self.free.push(id);
        }
    }

    /// Sends a whole frame. A server that is so far behind that it does not fit anymore is an error.
    pub fn send(&mut self, id: Id, frame: &[u8]) -> anyhow::Result<()> {
        let socket = self.open.get_mut(id).and_then(Option::as_mut).context("the connection is closed")?;
        socket.stream.write_all(frame).context("send a message")
    }

    /// Waits until something arrives or `until` has come, and hands over each complete frame.
    ///
    /// `length` tells a frame's length from its beginning, `None` while that is too short. `take` gets the connection,
    /// the frame and the time at which it was read.
    pub fn wait(
        &mut self,
        until: Instant,
        length: impl Fn(&[u8]) -> anyhow::Result<Option<usize>>,
        mut take: impl FnMut(Id, &[u8], Instant) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let timeout = Timespec::try_from(until.saturating_duration_since(Instant::now()))?;
        self.events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&timeout)) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        for event in &self.events {
            let id = event.data.u64() as Id;
            let Some(Some(socket)) = self.open.get_mut(id) else { continue };
            let read = match socket.stream.read(&mut self.buffer) {
                Ok(0) => anyhow::bail!("the server has closed connection {id}"),
                Ok(read) => read,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                    continue;
                }
                Err(error) => return Err(error).with_context(|| format!("read from connection {id}")),
            };
            let now = Instant::now();
            socket.cut(&self.buffer[..read], &length, |frame| take(id, frame, now))?;
        }
        Ok(())
    }
}

impl Socket {
    fn cut(
        &mut self,
        arrived: &[u8],
        length: &impl Fn(&[u8]) -> anyhow::Result<Option<usize>>,
        mut take: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let joined;
        let mut input = if self.rest.is_empty() {
            arrived
        } else {
            self.rest.extend_from_slice(arrived);
            joined = std::mem::take(&mut self.rest);
            &joined
        };
        while let Some(frame) = length(input)?.and_then(|length| input.get(..length)) {
            take(frame)?;
            input = &input[frame.len()..];
        }
        self.rest.extend_from_slice(input);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpListener};
    use std::time::Duration;

    fn length(input: &[u8]) -> anyhow::Result<Option<usize>> {
        Ok(input.first().map(|length| usize::from(*length)))
    }

    #[test]
    fn frames_are_whole_however_they_arrive() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let mut sockets = Sockets::new().unwrap();
        let id = sockets.add(stream, vec![3, 1]).unwrap();
        let mut frames = Vec::new();
        for part in [&[1, 2, 9, 4][..], &[0, 0], &[0, 1, 1]] {
            server.write_all(part).unwrap();
            let until = Instant::now() + Duration::from_secs(5);
            sockets
                .wait(until, length, |from, frame, _| {
                    assert_eq!(from, id);
                    frames.push(frame.to_vec());
                    Ok(())
                })
                .unwrap();
        }
        assert_eq!(frames, [vec![3, 1, 1], vec![2, 9], vec![4, 0, 0, 0], vec![1], vec![1]]);
    }
}
