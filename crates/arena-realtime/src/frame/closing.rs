//! Close frames (RFC 6455, sections 5.5.1 and 7.4).

use super::error::FrameError;
use super::header::MAX_CONTROL;

/// The code and the reason in a close frame's payload.
pub(super) fn parse(payload: &[u8]) -> Result<(Option<u16>, &str), FrameError> {
    match payload {
        [] => Ok((None, "")),
        [_] => Err(FrameError::BadClose),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !may_be_sent(code) {
                return Err(FrameError::BadClose);
            }
            let reason = std::str::from_utf8(reason).map_err(|_| FrameError::NotUtf8)?;
            Ok((Some(code), reason))
        }
    }
}

/// 1004–1006 and 1015 never travel; 1012–1014 were registered with IANA after the RFC; 3000–4999 belong to libraries
/// and applications.
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// The longest beginning of `reason` that fits behind the code.
pub(super) fn fit(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(MAX_CONTROL - 2)]
}
