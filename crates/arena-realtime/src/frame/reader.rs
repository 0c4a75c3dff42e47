//! From what a socket gave to messages.

use super::header::{Header, MAX_CLIENT_HEADER, Opcode};
use super::{FrameError, closing, mask};
use std::ops::ControlFlow::{self, Break, Continue};

/// What a client sent, its payload unmasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// A complete message of text.
    Text(&'a str),
    /// A complete message of bytes.
    Binary(&'a [u8]),
    /// To be answered by a [pong](super::pong) with the same payload.
    Ping(&'a [u8]),
    /// An answer to a ping, or a sign of life that nobody asked for.
    Pong,
    /// The client ends the connection. Nothing is read after it.
    Close {
        /// Why, if it said so: 1000–1003, 1007–1014, or 3000–4999.
        code: Option<u16>,
        /// The same in words, 123 bytes at most.
        reason: &'a str,
    },
}

/// Reads the frames of one client. Costs 16 bytes between messages; what a message that has begun needs is allocated
/// for it and freed at its end. A message that arrives whole and unfragmented needs nothing.
#[derive(Debug, Default)]
pub struct FrameReader {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// Between two messages.
    #[default]
    Idle,
    /// Inside a frame, or between the fragments of a message.
    Begun(Box<Begun>),
    /// After a close frame, an error, or at its caller's wish.
    Ended,
}

/// Who is told of messages; says whether to go on.
type On<'a> = dyn FnMut(Incoming<'_>) -> ControlFlow<()> + 'a;

impl FrameReader {
    /// A reader at the beginning of a connection.
    pub fn new() -> FrameReader {
        FrameReader::default()
    }

    /// Takes what was read, in pieces of any size, unmasks it in place, and calls `on` once for each message and each
    /// control frame that is complete, in order. Keeps what is not complete yet: never more than about twice
    /// `max_message_bytes`, which bounds a message over all of its fragments.
    ///
    /// The reader ends after a close frame, after an error, and when `on` breaks: the rest of `bytes`, and whatever is
    /// fed later, is dropped.
    pub fn feed(
        &mut self,
        bytes: &mut [u8],
        max_message_bytes: usize,
        on: &mut dyn FnMut(Incoming<'_>) -> ControlFlow<()>,
    ) -> Result<(), FrameError> {
        let flow = self.read(bytes, max_message_bytes, on);
        if !matches!(flow, Ok(Continue(()))) {
            self.state = State::Ended;
        }
        flow.map(|_| ())
    }

    /// Whether it will read nothing more.
    pub fn is_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    fn read(&mut self, bytes: &mut [u8], max: usize, on: &mut On<'_>) -> Result<ControlFlow<()>, FrameError> {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &mut bytes[at..];
            match &mut self.state {
                State::Ended => break,
                State::Idle => match whole(rest, max)? {
                    Some((header, payload, used)) => {
                        if tell(on, header.opcode, payload)?.is_break() {
                            return Ok(Break(()));
                        }
                        at += used;
                    }
                    None => self.state = State::Begun(Box::default()),
                },
                State::Begun(begun) => {
                    let (flow, used) = begun.read(rest, max, on)?;
                    if flow.is_break() {
                        return Ok(Break(()));
                    }
                    if begun.is_over() {
                        self.state = State::Idle;
                    }
                    at += used;
                }
            }
        }
        Ok(Continue(()))
    }
}

/// The frame at the beginning, if it is there to its end and needs no other: its header, its payload unmasked, and
/// how many bytes it takes.
fn whole(bytes: &mut [u8], max: usize) -> Result<Option<(Header, &[u8], usize)>, FrameError> {
    let Some((header, start)) = Header::parse(bytes)? else { return Ok(None) };
    let len = check(&header, None, max)?;
    let end = start.saturating_add(len);
    if !header.fin || bytes.len() < end {
        return Ok(None);
    }
    let payload = &mut bytes[start..end];
    mask::apply(payload, header.key, 0);
    Ok(Some((header, payload, end)))
}

/// Whether this frame may come now, and the length of its payload. `message` is how many bytes the message that it
/// has to continue has so far.
fn check(header: &Header, message: Option<usize>, max: usize) -> Result<usize, FrameError> {
    let too_big = FrameError::TooBig { limit: max };
    let len = usize::try_from(header.len).map_err(|_| too_big)?;
    match (header.opcode, message) {
        (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => return Ok(len),
        (Opcode::Continuation, None) => return Err(FrameError::StrayContinuation),
        (Opcode::Text | Opcode::Binary, Some(_)) => return Err(FrameError::InterruptedMessage),
        _ => {}
    }
    match message.unwrap_or(0).checked_add(len) {
        Some(total) if total <= max => Ok(len),
        _ => Err(too_big),
    }
}

/// Tells of a message or a control frame. After a close there is nothing more.
fn tell(on: &mut On<'_>, opcode: Opcode, payload: &[u8]) -> Result<ControlFlow<()>, FrameError> {
    let incoming = match opcode {
        Opcode::Text => Incoming::Text(std::str::from_utf8(payload).map_err(|_| FrameError::NotUtf8)?),
        Opcode::Binary | Opcode::Continuation => Incoming::Binary(payload),
        Opcode::Ping => Incoming::Ping(payload),
        Opcode::Pong => Incoming::Pong,
        Opcode::Close => {
            let (code, reason) = closing::parse(payload)?;
            let _ = on(Incoming::Close { code, reason });
            return Ok(Break(()));
        }
    };
    Ok(on(incoming))
}

/// What is known of a frame or a message that has begun.
#[derive(Debug, Default)]
struct Begun {
    /// The beginning of a header that is not complete.
    header: [u8; MAX_CLIENT_HEADER],
    header_len: usize,
    /// The frame whose payload is being read.
    frame: Option<Frame>,
    /// The payload of a control frame, which may come in the middle of a message.
    control: Vec<u8>,
    /// The message so far, over all fragments.
    message: Option<Message>,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    header: Header,
    len: usize,
    /// Bytes of the payload so far.
    done: usize,
}

#[derive(Debug)]
struct Message {
    opcode: Opcode,
    payload: Vec<u8>,
    /// So much of a text is known to be UTF-8.
    checked: usize,
}

/// What a header alone may make us allocate. More is allocated as it arrives, so a length that is only claimed costs
/// its claimant more than us.
const RESERVE: usize = 16 * 1024;

impl Begun {
    /// Whether nothing has begun any more.
    fn is_over(&self) -> bool {
        self.header_len == 0 && self.frame.is_none() && self.message.is_none()
    }

    /// Reads up to the end of a frame, or all there is; says how much that was.
    fn read(
        &mut self,
        bytes: &mut [u8],
        max: usize,
        on: &mut On<'_>,
    ) -> Result<(ControlFlow<()>, usize), FrameError> {
        let start = if self.frame.is_none() { self.read_header(bytes, max)? } else { 0 };
        let Some(frame) = self.frame else { return Ok((Continue(()), start)) };
        let end = bytes.len().min(start.saturating_add(frame.len - frame.done));
        let payload = &mut bytes[start..end];
        mask::apply(payload, frame.header.key, frame.done);
        self.append(frame.header.opcode, payload)?;
        let done = frame.done + payload.len();
        if done < frame.len {
            self.frame = Some(Frame { done, ..frame });
            return Ok((Continue(()), end));
        }
        self.frame = None;
        Ok((self.end_frame(frame.header, on)?, end))
    }

    /// Reads the header, a byte at a time, until it is complete or there is no more; says how much it read.
    fn read_header(&mut self, bytes: &[u8], max: usize) -> Result<usize, FrameError> {
        for (used, byte) in bytes.iter().enumerate() {
            self.header[self.header_len] = *byte;
            self.header_len += 1;
            if let Some((header, _)) = Header::parse(&self.header[..self.header_len])? {
                self.header_len = 0;
                self.begin_frame(header, max)?;
                return Ok(used + 1);
            }
        }
        Ok(bytes.len())
    }

    fn begin_frame(&mut self, header: Header, max: usize) -> Result<(), FrameError> {
        let len = check(&header, self.message.as_ref().map(|message| message.payload.len()), max)?;
        self.frame = Some(Frame { header, len, done: 0 });
        match (header.opcode, &mut self.message) {
            (Opcode::Text | Opcode::Binary, _) => {
                let payload = Vec::with_capacity(len.min(RESERVE));
                self.message = Some(Message { opcode: header.opcode, payload, checked: 0 });
            }
            (Opcode::Continuation, Some(message)) => message.payload.reserve(len.min(RESERVE)),
            _ => self.control.reserve_exact(len),
        }
        Ok(())
    }

    fn append(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), FrameError> {
        match &mut self.message {
            Some(message) if !opcode.is_control() => message.append(payload),
            _ => {
                self.control.extend_from_slice(payload);
                Ok(())
            }
        }
    }

    /// Tells of what is complete with this frame.
    fn end_frame(&mut self, header: Header, on: &mut On<'_>) -> Result<ControlFlow<()>, FrameError> {
        if header.opcode.is_control() {
            let payload = std::mem::take(&mut self.control);
            return tell(on, header.opcode, &payload);
        }
        match self.message.take_if(|_| header.fin) {
            Some(message) => tell(on, message.opcode, &message.payload),
            None => Ok(Continue(())),
        }
    }
}

impl Message {
    /// Takes more of the message. A text that cannot become UTF-8 any more is refused at once, before its end.
    fn append(&mut self, payload: &[u8]) -> Result<(), FrameError> {
        self.payload.extend_from_slice(payload);
        if self.opcode != Opcode::Text {
            return Ok(());
        }
        match std::str::from_utf8(&self.payload[self.checked..]) {
            Ok(_) => self.checked = self.payload.len(),
            Err(error) if error.error_len().is_some() => return Err(FrameError::NotUtf8),
            // The last character is cut in two: the rest of it may follow.
            Err(error) => self.checked += error.valid_up_to(),
        }
        Ok(())
    }
}
