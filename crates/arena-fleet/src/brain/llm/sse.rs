//! Server-sent events, out of bytes that arrive in any pieces.

use serde::de::IgnoredAny;

/// The longest line and the longest event, in bytes: a chunk of an answer has a few hundred.
const MAX_EVENT: usize = 256 * 1024;

/// A line or an event is longer than anything sensible.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Takes bytes and gives the data of events.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Option<String>,
    /// The last byte was a carriage return: a line feed that follows belongs to it.
    after_cr: bool,
    begun: bool,
}

impl Events {
    /// Takes the next bytes; gives the data of the events that are whole now.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<String>, TooLong> {
        let mut events = Vec::new();
        for &byte in bytes {
            let feed_of_pair = byte == b'\n' && std::mem::take(&mut self.after_cr);
            self.after_cr = byte == b'\r';
            match byte {
                b'\n' if feed_of_pair => {}
                b'\n' | b'\r' => self.end_line(&mut events)?,
                _ if self.line.len() >= MAX_EVENT => return Err(TooLong),
                _ => self.line.push(byte),
            }
        }
        Ok(events)
    }

    /// The bytes are at their end: what is left of an event, as many servers end without an empty line.
    pub(super) fn end(&mut self) -> Result<Vec<String>, TooLong> {
        let mut events = Vec::new();
        self.end_line(&mut events)?;
        events.extend(self.data.take());
        Ok(events)
    }

    fn end_line(&mut self, events: &mut Vec<String>) -> Result<(), TooLong> {
        let bytes = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        let line = if self.begun { &*text } else { text.trim_start_matches('\u{feff}') };
        self.begun = true;
        if line.is_empty() {
            events.extend(self.data.take());
            return Ok(());
        }
        // Comments begin with a colon, and `event`, `id` and `retry` say nothing that is needed.
        let Some(value) = line.strip_prefix("data:") else { return Ok(()) };
        let value = value.strip_prefix(' ').unwrap_or(value);
        // Some servers leave the empty line between events out.
        if self.data.as_deref().is_some_and(is_whole) {
            events.extend(self.data.take());
        }
        match &mut self.data {
            Some(data) if data.len() + value.len() > MAX_EVENT => return Err(TooLong),
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
            None => self.data = Some(value.to_owned()),
        }
        Ok(())
    }
}

fn is_whole(data: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(data).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STREAM: &str = "\u{feff}: hello\r\n\r\ndata: {\"a\":\"ü\"}\r\n\r\nevent: x\ndata:{\"b\":\ndata: 2}\n\n:ping\n\ndata: [DONE]\n\n";

    fn all(pieces: &[&[u8]]) -> Vec<String> {
        let mut events = Events::default();
        let mut found: Vec<String> = pieces.iter().flat_map(|piece| events.feed(piece).unwrap()).collect();
        found.extend(events.end().unwrap());
        found
    }

    proptest! {
        #[test]
        fn events_do_not_depend_on_where_the_pieces_are_cut(cuts in proptest::collection::vec(0usize..STREAM.len(), 0..12)) {
            let mut cuts = cuts;
            cuts.extend([0, STREAM.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &STREAM.as_bytes()[pair[0]..pair[1]]).collect();
            prop_assert_eq!(all(&pieces), ["{\"a\":\"ü\"}", "{\"b\":\n2}", "[DONE]"]);
        }
    }

    #[test]
    fn events_without_empty_lines_between_them_and_without_an_end_are_found() {
        assert_eq!(all(&[b"data: {}\ndata: {\"x\":1}\ndata: [DONE]"]), ["{}", "{\"x\":1}", "[DONE]"]);
        assert_eq!(all(&[b"data: {}\rdata: {\"x\":1}\r\r"]), ["{}", "{\"x\":1}"]);
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut events = Events::default();
        let line = vec![b'x'; MAX_EVENT];
        assert_eq!(events.feed(&line), Ok(vec![]));
        assert_eq!(events.feed(b"x"), Err(TooLong));
    }
}
