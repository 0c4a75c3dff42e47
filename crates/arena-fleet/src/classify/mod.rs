//! What the words of the dialect mean: statuses and bodies of refused handshakes, reasons of refused joins and pushes,
//! `system` messages, close codes, errors of the system. All of it is in [`table`]; here is how it is looked up.
//!
//! What the table does not know is tried again: a reason that is new must not end a bot, and one that never changes
//! ends it by its number of attempts.

mod table;

use arena_core::fleet::{Fault, FaultClass};
use serde_json::Value;
use std::io;
use std::time::{Duration, SystemTime};
use table::{CLOSES, CODES, HANDSHAKES, IO_KINDS, Means, OWN, PHRASES};

/// Words of an endpoint are kept up to here.
const MAX_DETAIL: usize = 200;
/// The longest thing that is taken for a code.
const MAX_CODE: usize = 48;
/// What codes that an endpoint has made up are counted as.
pub(crate) const OTHER: &str = "other";
/// The code of a reason that the table does not know and that begins with none of its own.
const UNKNOWN: &str = "unknown_reason";

/// What is waited for, with a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    /// A connection with its handshake.
    Connect,
    /// The answer to a join.
    Join,
    /// The answer to a heartbeat.
    Heartbeat,
    /// That the endpoint takes what is written.
    Write,
}

/// The code under which failures are counted: its own if it is one of the table's or ours, so that there is an end of
/// them, else [`OTHER`].
pub(crate) fn counted_as(code: &str) -> &str {
    let of_ranges = HANDSHAKES.iter().chain(CLOSES).map(|row| row.code);
    let all = CODES.iter().map(|(code, _)| *code);
    let all = all.chain(PHRASES.iter().map(|row| row.code)).chain(of_ranges);
    let mut all = all.chain(IO_KINDS.iter().map(|(_, code, _)| *code)).chain(OWN.iter().copied());
    let is_status = |digits: &str| digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let known = all.any(|known| known == code) || code.strip_prefix("http_").is_some_and(is_status);
    if known { code } else { OTHER }
}

/// A handshake that was answered with this status.
pub(crate) fn handshake(status: u16, retry_after: Option<&str>, body: &[u8]) -> Fault {
    let text = error_of(body);
    let asked = retry_after.and_then(|text| wait_of(text, SystemTime::now()));
    // What the endpoint says is surer than its status: a proxy's 403 and a limit's 403 are different things.
    if let Some((code, class)) = known(&text) {
        // A connection has no topic yet: who is not permitted to connect at all has the wrong key.
        let class = if class == FaultClass::Permission { FaultClass::Authentication } else { class };
        return fault(class, code, &format!("status {status}: {text}")).retry_after(asked);
    }
    let row = HANDSHAKES.iter().find(|row| row.from <= status && status <= row.to);
    let (class, code) = row.map_or((FaultClass::Protocol, "handshake_status"), |row| (row.class, row.code));
    fault(class, code, &format!("status {status}: {text}")).retry_after(asked)
}

/// The `response` of a refused join or push.
pub(crate) fn refusal(response: &Value) -> Fault {
    let text = ["reason", "error", "message"].iter().find_map(|field| response.get(field)?.as_str());
    let code = response.get("code").and_then(Value::as_str);
    let asked = response.get("retry_after_ms").and_then(Value::as_u64).map(Duration::from_millis);
    let reason = text.or(code).unwrap_or_default();
    let mut found = self::reason(reason);
    if let Some(class) = code.filter(|_| found.code == UNKNOWN).and_then(class_of_code) {
        found.class = class;
    }
    if let Some(code) = code.filter(|code| found.code == UNKNOWN && is_code(code)) {
        found.code = code.to_owned();
    }
    found.retry_after(asked)
}

/// A reason, `Code: text` or text alone.
pub(crate) fn reason(text: &str) -> Fault {
    match known(text) {
        Some((code, class)) => fault(class, code, text),
        None => fault(FaultClass::Network, leading_code(text).unwrap_or(UNKNOWN), text),
    }
}

/// What a `system` message or a broadcast of the endpoint's own means, if it is a failure that the table knows.
pub(crate) fn system(text: &str) -> Option<Fault> {
    known(text).map(|(code, class)| fault(class, code, text))
}

/// The end of a connection by a close frame, or by none.
pub(crate) fn closed(code: Option<u16>, text: &str) -> Fault {
    let number = code.unwrap_or(1006);
    if let Some((code, class)) = known(text) {
        return fault(class, code, &format!("closed with {number}: {text}"));
    }
    let row = CLOSES.iter().find(|row| row.from <= number && number <= row.to);
    let (class, code) = row.map_or((FaultClass::Network, "closed"), |row| (row.class, row.code));
    fault(class, code, &format!("closed with {number}: {text}"))
}

/// An error of the system, or of TLS.
pub(crate) fn io_error(error: &io::Error) -> Fault {
    let is_tls = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
    let row = IO_KINDS.iter().find(|(kind, ..)| *kind == error.kind()).filter(|_| !is_tls);
    let (class, code) = match row {
        Some((_, code, class)) => (*class, *code),
        None if is_tls => (FaultClass::Network, "tls_failed"),
        None => (FaultClass::Network, "io_error"),
    };
    fault(class, code, &error.to_string())
}

/// Nothing came in time.
pub(crate) fn timeout(waited: Waited, limit: Duration) -> Fault {
    let (code, what) = match waited {
        Waited::Connect => ("connect_timeout", "no connection"),
        Waited::Join => ("join_timeout", "no answer to the join"),
        Waited::Heartbeat => ("heartbeat_timeout", "no answer to the heartbeat"),
        Waited::Write => ("write_timeout", "nothing could be written"),
    };
    fault(FaultClass::Timeout, code, &format!("{what} within {limit:?}"))
}

fn fault(class: FaultClass, code: &str, detail: &str) -> Fault {
    let detail: String = detail.chars().filter(|char| !char.is_control()).take(MAX_DETAIL).collect();
    Fault::new(class, code, detail)
}

/// By its code, or else by a phrase in it.
fn known(text: &str) -> Option<(&str, FaultClass)> {
    let by_code = leading_code(text).and_then(|code| Some((code, class_of_code(code)?)));
    by_code.or_else(|| {
        let lower = text.to_lowercase();
        let found = PHRASES.iter().find(|row: &&Means| lower.contains(row.says));
        found.map(|row| (row.code, row.class))
    })
}

/// Codes that are about rates all end alike, also those that are still to come.
fn class_of_code(code: &str) -> Option<FaultClass> {
    let row = CODES.iter().find(|(known, _)| *known == code);
    row.map(|(_, class)| *class)
        .or_else(|| code.ends_with("RateLimitReached").then_some(FaultClass::RateLimit))
}

/// What stands before the colon, or all of it, if it looks like a code.
fn leading_code(text: &str) -> Option<&str> {
    let code = text.split(':').next().unwrap_or_default().trim();
    is_code(code).then_some(code)
}

fn is_code(text: &str) -> bool {
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (3..=MAX_CODE).contains(&text.len()) && fits
}

/// The words in the body of a refused handshake.
fn error_of(body: &[u8]) -> String {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let fields = ["error", "message", "msg", "detail", "reason"];
    let said = json.as_ref().and_then(|json| fields.iter().find_map(|field| json.get(field)?.as_str()));
    said.map_or_else(|| String::from_utf8_lossy(body).trim().to_owned(), str::to_owned)
}

/// `Retry-After`: seconds, or a date.
fn wait_of(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(secs) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(secs).ok();
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests;
