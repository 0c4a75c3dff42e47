use std::thread;
use std::time::{Duration, Instant};

/// Calls `condition` until it holds, at first every millisecond, later every 50 ms.
///
/// # Panics
/// When the condition does not hold within `timeout`; the message names `what` was waited for.
#[track_caller]
pub fn wait_until(timeout: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let holds = poll(timeout, || condition().then_some(())).is_some();
    assert!(holds, "waited {timeout:?} in vain for: {what}");
}

/// Asks until there is an answer or the time is up. Asks at least once.
pub(crate) fn poll<T>(timeout: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + timeout;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}
