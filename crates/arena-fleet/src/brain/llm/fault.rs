//! What the answers of a chat endpoint mean. Nothing of what was sent, and no words of the endpoint's, go into a fault:
//! they may quote prompts and keys.

use arena_core::fleet::{Fault, FaultClass};
use std::time::{Duration, SystemTime};

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

/// The longest wait that an endpoint is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

/// `Retry-After`, in seconds or as a date. What is neither, or absurd, leaves it to the back-off's own delay.
pub(super) fn retry_after(value: Option<&str>, now: SystemTime) -> Option<Duration> {
    let text = value?.trim();
    let delay = match text.parse::<f64>() {
        Ok(secs) => Duration::try_from_secs_f64(secs).ok()?,
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default(),
    };
    (delay <= LONGEST_WAIT).then_some(delay)
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
    fn retry_after_is_seconds_or_a_date_and_nothing_absurd() {
        let now = httpdate::parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT").unwrap();
        for (text, secs) in [
            ("2", Some(2.0)),
            (" 0.5 ", Some(0.5)),
            ("Wed, 21 Oct 2015 07:28:30 GMT", Some(30.0)),
            ("Wed, 21 Oct 2015 07:00:00 GMT", Some(0.0)),
            ("Wed, 21 Oct 2016 07:28:00 GMT", None),
            ("-1", None),
            ("soon", None),
            ("NaN", None),
            ("inf", None),
            ("1e30", None),
        ] {
            assert_eq!(retry_after(Some(text), now), secs.map(Duration::from_secs_f64), "{text}");
        }
        assert_eq!(retry_after(None, now), None);
    }
}
