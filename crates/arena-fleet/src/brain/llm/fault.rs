//! What the answers of a chat endpoint mean. Nothing of what was sent, and no words of the endpoint's, go into a fault:
//! they may quote prompts and keys.

use arena_core::fleet::{Fault, FaultClass};
use std::time::Duration;

/// The class of a status that is no success.
pub(super) fn class_of(status: u16) -> FaultClass {
    match status {
        401 => FaultClass::Authentication,
        403 => FaultClass::Permission,
        404 => FaultClass::TenantMissing,
        408 | 504 => FaultClass::Timeout,
        429 => FaultClass::RateLimit,
        500..=599 => FaultClass::Network,
        _ => FaultClass::Protocol,
    }
}

/// Whether the same request may do better a little later.
pub(super) fn may_retry(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..=599)
}

/// A status that is no success, with the code that the endpoint gave.
pub(super) fn of_status(status: u16, code: Option<&str>, retry_after: Option<Duration>) -> Fault {
    let detail = match code {
        Some(code) => format!("the model's endpoint answered {status} ({code})"),
        None => format!("the model's endpoint answered {status}"),
    };
    Fault::new(class_of(status), format!("http_{status}"), detail).retry_after(retry_after)
}

/// A failure that has no status.
pub(super) fn of(class: FaultClass, code: &str, detail: &str) -> Fault {
    Fault::new(class, code, detail)
}

/// `Retry-After` in seconds; as a date it is not understood, and the back-off's own delay has to do.
pub(super) fn retry_after(value: Option<&str>) -> Option<Duration> {
    let secs: f64 = value?.trim().parse().ok()?;
    Duration::try_from_secs_f64(secs).ok().filter(|delay| *delay <= Duration::from_secs(86_400))
}

#[cfg(test)]
mod tests {
    use super::*;
    use FaultClass::*;

    #[test]
    fn each_status_has_its_class_and_only_what_passes_is_tried_again() {
        for (status, class, again) in [
            (400, Protocol, false),
            (401, Authentication, false),
            (403, Permission, false),
            (404, TenantMissing, false),
            (408, Timeout, true),
            (413, Protocol, false),
            (422, Protocol, false),
            (429, RateLimit, true),
            (500, Network, true),
            (502, Network, true),
            (503, Network, true),
            (504, Timeout, true),
            (302, Protocol, false),
        ] {
            assert_eq!((class_of(status), may_retry(status)), (class, again), "{status}");
        }
    }

    #[test]
    fn retry_after_is_a_number_of_seconds_and_nothing_absurd() {
        assert_eq!(retry_after(Some("2")), Some(Duration::from_secs(2)));
        assert_eq!(retry_after(Some(" 0.5 ")), Some(Duration::from_millis(500)));
        for text in ["-1", "soon", "NaN", "inf", "1e30", "Wed, 21 Oct 2015 07:28:00 GMT"] {
            assert_eq!(retry_after(Some(text)), None, "{text}");
        }
        assert_eq!(retry_after(None), None);
    }
}
