//! The floor of `fanout`: a server that does nothing but what no server can leave out. One thread, one epoll set, one
//! write per delivery; bytes go out as they came in. It is a process of its own and ends with its standard input.

use crate::dialect::raw;
use anyhow::Context;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::OwnedFd;
use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write, stdin};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

/// Arguments of the floor's server.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Port on the loopback interface
    #[arg(long)]
    port: u16,
}

const LISTENER: u64 = u64::MAX;
const STDIN: u64 = u64::MAX - 1;

/// Serves until standard input ends.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, args.port)))?;
    listener.set_nonblocking(true)?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    epoll::add(&epoll, stdin(), EventData::new_u64(STDIN), EventFlags::IN | EventFlags::HUP)?;
    let mut server = Server { epoll, members: Vec::new(), rooms: HashMap::new() };
    let mut events = Vec::with_capacity(1024);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        events.clear();
        match epoll::wait(&server.epoll, spare_capacity(&mut events), None) {
            Err(rustix::io::Errno::INTR) => continue,
            waited => waited?,
        };
        for event in &events {
            match event.data.u64() {
                LISTENER => server.accept(&listener)?,
                STDIN => return Ok(()),
                id => server.read(id as usize, &mut buffer)?,
            }
        }
    }
}

struct Server {
    epoll: OwnedFd,
    /// By id; ids are never used again.
    members: Vec<Option<Member>>,
    rooms: HashMap<u32, Vec<usize>>,
}

struct Member {
    stream: TcpStream,
    room: Option<u32>,
    /// The beginning of a frame; its length is bounded by [`raw::MOST`].
    rest: Vec<u8>,
}

impl Server {
    fn accept(&mut self, listener: &TcpListener) -> anyhow::Result<()> {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error).context("accept a connection"),
        };
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        epoll::add(&self.epoll, &stream, EventData::new_u64(self.members.len() as u64), EventFlags::IN)?;
        self.members.push(Some(Member { stream, room: None, rest: Vec::new() }));
        Ok(())
    }

    fn read(&mut self, id: usize, buffer: &mut [u8]) -> anyhow::Result<()> {
        let Some(Some(member)) = self.members.get_mut(id) else { return Ok(()) };
        let read = match member.stream.read(buffer) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                return Ok(());
            }
            Ok(0) | Err(_) => {
                self.close(id);
                return Ok(());
            }
            Ok(read) => read,
        };
        let kept = std::mem::take(&mut member.rest);
        let joined;
        let mut input = &buffer[..read];
        if !kept.is_empty() {
            joined = [&kept, input].concat();
            input = &joined;
        }
        while let Some(frame) = raw::length(input)?.and_then(|length| input.get(..length)) {
            self.frame(id, frame);
            input = &input[frame.len()..];
        }
        if let Some(member) = &mut self.members[id] {
            member.rest = input.to_vec();
        }
        Ok(())
    }

    fn frame(&mut self, id: usize, frame: &[u8]) {
        let Some(Some(member)) = self.members.get_mut(id) else { return };
        let slow = match (member.room, frame[raw::HEADER..].first_chunk()) {
            (Some(room), _) => self.deliver(room, frame),
            (None, Some(room)) => {
                let room = u32::from_be_bytes(*room);
                member.room = Some(room);
                let confirmed = whole(&mut member.stream, frame);
                self.rooms.entry(room).or_default().push(id);
                if confirmed { Vec::new() } else { vec![id] }
            }
            (None, None) => vec![id],
        };
        slow.into_iter().for_each(|id| self.close(id));
    }

    /// Writes a frame to everybody in a room; returns who is too slow to take it.
    fn deliver(&mut self, room: u32, frame: &[u8]) -> Vec<usize> {
        let mut slow = Vec::new();
        for &id in self.rooms.get(&room).into_iter().flatten() {
            if let Some(member) = &mut self.members[id]
                && !whole(&mut member.stream, frame)
            {
                slow.push(id);
            }
        }
        slow
    }

    fn close(&mut self, id: usize) {
        let Some(member) = self.members[id].take() else { return };
        if let Some(members) = member.room.and_then(|room| self.rooms.get_mut(&room)) {
            members.retain(|member| *member != id);
        }
    }
}

/// Whether all of it went into the socket's buffer.
fn whole(stream: &mut TcpStream, frame: &[u8]) -> bool {
    stream.write(frame).is_ok_and(|written| written == frame.len())
}
