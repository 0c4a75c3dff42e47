//! When a message was due, written into it and found again without parsing it.

use std::time::{Duration, Instant};

/// What a stamp begins with; nothing else in a message contains it.
const MARK: &[u8] = b"@due=";
/// Hexadecimal digits after the mark: nanoseconds.
const DIGITS: usize = 16;
/// Bytes of a stamp; none of them needs escaping in JSON.
pub const STAMP_LEN: usize = MARK.len() + DIGITS;

/// A moment, as nanoseconds since the load began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp(pub u64);

impl Stamp {
    /// The stamp of a moment, which is not before `origin`.
    pub fn of(origin: Instant, moment: Instant) -> Stamp {
        Stamp(moment.saturating_duration_since(origin).as_nanos() as u64)
    }

    /// Time from the stamp to `now`.
    pub fn age(self, origin: Instant, now: Instant) -> Duration {
        now.saturating_duration_since(origin + Duration::from_nanos(self.0))
    }

    /// Appends it.
    pub fn write(self, to: &mut Vec<u8>) {
        to.extend_from_slice(MARK);
        to.extend_from_slice(format!("{:0DIGITS$x}", self.0).as_bytes());
    }
}

/// Finds stamps; remembers where the last one was, because messages of one connection look alike.
#[derive(Debug, Clone, Copy, Default)]
pub struct StampReader {
    at: u16,
}

impl StampReader {
    /// The stamp in a frame, if it has one.
    pub fn read(&mut self, frame: &[u8]) -> Option<Stamp> {
        if let Some(stamp) = stamp_at(frame, usize::from(self.at)) {
            return Some(stamp);
        }
        let at = memchr::memmem::find(frame, MARK)?;
        self.at = u16::try_from(at).unwrap_or(0);
        stamp_at(frame, at)
    }
}

fn stamp_at(frame: &[u8], at: usize) -> Option<Stamp> {
    let digits = frame.get(at..at + STAMP_LEN)?.strip_prefix(MARK)?;
    let digit = |sum: Option<u64>, byte: &u8| Some(sum? << 4 | u64::from(char::from(*byte).to_digit(16)?));
    digits.iter().fold(Some(0), digit).map(Stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_found_wherever_it_is() {
        let mut reader = StampReader::default();
        for (before, nanos) in [("", 1), ("[null,", 0xfedc_ba98_7654_3210), ("[null,", 7), ("{", 8)] {
            let mut frame = before.as_bytes().to_vec();
            Stamp(nanos).write(&mut frame);
            assert_eq!(frame.len(), before.len() + STAMP_LEN);
            frame.extend_from_slice(b"\"}]");
            assert_eq!(reader.read(&frame), Some(Stamp(nanos)));
        }
        for frame in ["", "phx_reply", "@due=00", "@due=000000000000000g"] {
            assert_eq!(reader.read(frame.as_bytes()), None, "{frame}");
        }
    }

    #[test]
    fn a_stamp_tells_its_age() {
        let origin = Instant::now();
        let due = origin + Duration::from_millis(5);
        assert_eq!(
            Stamp::of(origin, due).age(origin, due + Duration::from_micros(7)),
            Duration::from_micros(7)
        );
    }
}
