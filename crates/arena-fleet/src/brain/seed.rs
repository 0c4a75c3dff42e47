//! Seeds of what bots draw, so that the same bot in the same place does the same again.

/// A seed out of names: FNV-1a, which is the same on every machine and in every version.
pub(super) fn seed(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
