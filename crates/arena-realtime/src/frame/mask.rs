//! Masking (RFC 6455, section 5.3).

use super::header::{MASK_BIT, MAX_CLIENT_HEADER, Opcode, write_any_header};

/// Masks or unmasks in place. `done` bytes of the payload came before these.
pub(super) fn apply(bytes: &mut [u8], key: [u8; 4], done: usize) {
    let mut key = key;
    key.rotate_left(done % 4);
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, tail) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in tail.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

/// A client's frame: `payload` behind a header with this key. `fin` is false for all but the last of a message's
/// fragments. For tests and load generators; a server never masks.
pub fn masked(fin: bool, opcode: Opcode, payload: &[u8], key: [u8; 4]) -> Vec<u8> {
    let mut out = Vec::with_capacity(MAX_CLIENT_HEADER + payload.len());
    write_any_header(&mut out, fin, opcode, payload.len(), MASK_BIT);
    out.extend_from_slice(&key);
    let start = out.len();
    out.extend_from_slice(payload);
    apply(&mut out[start..], key, 0);
    out
}

/// A whole message as a client sends it.
pub fn mask(opcode: Opcode, payload: &[u8], key: [u8; 4]) -> Vec<u8> {
    masked(true, opcode, payload, key)
}
