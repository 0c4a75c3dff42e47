use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that differs at every call, in every process: the standard library seeds its hash maps from
/// the operating system, which is randomness enough for names and ports.
pub(crate) fn random() -> u64 {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u64(CALLS.fetch_add(1, Ordering::Relaxed));
    hasher.write_u32(std::process::id());
    hasher.finish()
}

/// Sixteen hexadecimal digits, for names that must not collide.
pub(crate) fn random_suffix() -> String {
    format!("{:016x}", random())
}
