//! What a player hears, told apart without parsing it.

use memchr::memmem::find;

/// A frame's text that matters to the benchmark.
#[derive(Debug, PartialEq)]
pub enum News {
    /// A message of the world's stream.
    World {
        /// Its offset.
        offset: u64,
    },
    /// The answer to an input.
    Input {
        /// The tick that carried it out; none if it was refused.
        tick: Option<u64>,
    },
    /// Anything else: heartbeats, pings.
    Other,
}

/// The ref of every input.
pub const INPUT_REF: &str = "3";
/// What comes first in a frame: join ref, ref, topic, event.
const HEAD: usize = 160;

/// Looks at a text frame's payload.
pub fn look(text: &[u8]) -> News {
    let head = &text[..text.len().min(HEAD)];
    if find(head, br#""broadcast""#).is_some() {
        return number(text, br#""offset":"#).map_or(News::Other, |offset| News::World { offset });
    }
    if head.starts_with(br#"["1","3","#) && find(head, br#""phx_reply""#).is_some() {
        let done = find(text, br#""status":"ok""#).is_some();
        return News::Input { tick: tick(text).filter(|_| done) };
    }
    News::Other
}

/// The epoch of a message of a world.
pub fn epoch(text: &[u8]) -> &[u8] {
    const KEY: &[u8] = br#""epoch":""#;
    let Some(at) = find(text, KEY) else { return &[] };
    let rest = &text[at + KEY.len()..];
    memchr::memchr(b'"', rest).map_or(&[], |end| &rest[..end])
}

/// The tick that a delta or an answer tells.
pub fn tick(text: &[u8]) -> Option<u64> {
    number(text, br#""tick":"#)
}

/// The number behind `key`. What people say cannot hold a key: its quotes would be escaped.
fn number(text: &[u8], key: &[u8]) -> Option<u64> {
    let at = find(text, key)? + key.len();
    let digits = text[at..].iter().map_while(|byte| char::from(*byte).to_digit(10));
    Some(digits.fold(0, |sum, digit| sum * 10 + u64::from(digit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_told_apart() {
        for (text, news) in [
            (
                r#"[null,null,"realtime:world:bench-2","broadcast",{"type":"broadcast","event":"delta","payload":{"tick":3},"meta":{"id":"x","offset":41,"epoch":"e"}}]"#,
                News::World { offset: 41 },
            ),
            (
                r#"["1","3","realtime:world:bench-2","phx_reply",{"status":"ok","response":{"tick":3}}]"#,
                News::Input { tick: Some(3) },
            ),
            (
                r#"["1","3","realtime:world:bench-2","phx_reply",{"status":"error","response":{"code":"blocked"}}]"#,
                News::Input { tick: None },
            ),
            (r#"[null,"2","phoenix","phx_reply",{"status":"ok","response":{}}]"#, News::Other),
        ] {
            assert_eq!(look(text.as_bytes()), news, "{text}");
        }
        assert_eq!(epoch(br#""meta":{"id":"x","offset":41,"epoch":"e7"}}]"#), b"e7");
    }
}
