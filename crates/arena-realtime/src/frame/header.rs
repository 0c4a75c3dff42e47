//! The header of a frame (RFC 6455, section 5.2).

use super::error::FrameError;

/// The longest payload of a control frame, in bytes.
pub(super) const MAX_CONTROL: usize = 125;
/// The longest header of a server's frame: no mask.
pub(super) const MAX_SERVER_HEADER: usize = 10;
/// The longest header of a client's frame.
pub(super) const MAX_CLIENT_HEADER: usize = 14;

const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// Goes on with the message that was begun.
    Continuation,
    /// A message of text, or its beginning.
    Text,
    /// A message of bytes, or its beginning.
    Binary,
    /// The connection ends.
    Close,
    /// Asks for a pong.
    Ping,
    /// Answers a ping.
    Pong,
}

impl Opcode {
    fn of(bits: u8) -> Result<Opcode, FrameError> {
        Ok(match bits {
            0x0 => Opcode::Continuation,
            0x1 => Opcode::Text,
            0x2 => Opcode::Binary,
            0x8 => Opcode::Close,
            0x9 => Opcode::Ping,
            0xA => Opcode::Pong,
            unknown => return Err(FrameError::UnknownOpcode(unknown)),
        })
    }

    fn bits(self) -> u8 {
        match self {
            Opcode::Continuation => 0x0,
            Opcode::Text => 0x1,
            Opcode::Binary => 0x2,
            Opcode::Close => 0x8,
            Opcode::Ping => 0x9,
            Opcode::Pong => 0xA,
        }
    }

    /// Whether it is about the connection and not part of a message.
    pub fn is_control(self) -> bool {
        matches!(self, Opcode::Close | Opcode::Ping | Opcode::Pong)
    }
}

/// The header of a client's frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) fin: bool,
    pub(super) opcode: Opcode,
    pub(super) len: u64,
    pub(super) key: [u8; 4],
}

impl Header {
    /// Reads the header at the beginning of `bytes` and says how long it is; `None` if some of it is missing. What
    /// can be refused after two bytes is refused then.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Header, usize)>, FrameError> {
        let [first, second, rest @ ..] = bytes else { return Ok(None) };
        let (fin, opcode) = (first & FIN != 0, Opcode::of(first & 0x0F)?);
        let short = second & !MASKED;
        if first & RESERVED != 0 {
            return Err(FrameError::ReservedBit);
        }
        if second & MASKED == 0 {
            return Err(FrameError::Unmasked);
        }
        if opcode.is_control() {
            refuse_control(fin, short)?;
        }
        let Some((len, rest)) = length(short, rest)? else { return Ok(None) };
        let Some((key, rest)) = rest.split_first_chunk() else { return Ok(None) };
        Ok(Some((Header { fin, opcode, len, key: *key }, bytes.len() - rest.len())))
    }
}

fn refuse_control(fin: bool, short: u8) -> Result<(), FrameError> {
    if !fin {
        return Err(FrameError::FragmentedControl);
    }
    if usize::from(short) > MAX_CONTROL {
        return Err(FrameError::LongControl);
    }
    Ok(())
}

/// The payload's length and what follows it.
fn length(short: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, FrameError> {
    let (len, rest, smallest) = match short {
        LENGTH_16 => match rest.split_first_chunk() {
            Some((len, rest)) => (u64::from(u16::from_be_bytes(*len)), rest, 126),
            None => return Ok(None),
        },
        LENGTH_64 => match rest.split_first_chunk() {
            Some((len, rest)) => (u64::from_be_bytes(*len), rest, 0x1_0000),
            None => return Ok(None),
        },
        short => (u64::from(short), rest, 0),
    };
    if len < smallest || len >> 63 != 0 {
        return Err(FrameError::BadLength);
    }
    Ok(Some((len, rest)))
}

/// Appends the header of a whole (final, unmasked) frame whose payload has `len` bytes.
pub fn write_header(out: &mut Vec<u8>, opcode: Opcode, len: usize) {
    write_any_header(out, true, opcode, len, 0);
}

/// Appends a header without the masking key.
pub(super) fn write_any_header(out: &mut Vec<u8>, fin: bool, opcode: Opcode, len: usize, masked: u8) {
    out.push(if fin { FIN } else { 0 } | opcode.bits());
    match len {
        0..=125 => out.push(masked | len as u8),
        126..=0xFFFF => {
            out.push(masked | LENGTH_16);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            out.push(masked | LENGTH_64);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

/// The bit that says that a key follows the length.
pub(super) const MASK_BIT: u8 = MASKED;
