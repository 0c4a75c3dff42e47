//! The data of a message: any JSON value, within bounds.

use super::WireError;
use serde_json::Value;
use serde_json::value::RawValue;

/// How deep arrays and objects may lie in each other. Readers give up at some depth, serde_json at 128; what nobody
/// could read again must not stand in a log.
const MAX_DEPTH: usize = 64;

/// The value without the white space between its parts, if it is not longer than `max` bytes then.
pub(super) fn bounded(value: &RawValue, max: usize) -> Result<Box<RawValue>, WireError> {
    let text = compact(value.get())?;
    if text.len() > max {
        return Err(WireError::TooLong { field: "data", got: text.len(), max });
    }
    // Raw JSON may hold numbers that no type holds, and halves of characters: no reader would take the line again.
    if let Err(error) = serde_json::from_str::<Value>(&text) {
        return Err(WireError::Invalid(format!("data: {error}")));
    }
    RawValue::from_string(text).map_err(|error| WireError::Malformed(error.to_string()))
}

/// The text is JSON already, so that only strings and brackets have to be told apart.
fn compact(json: &str) -> Result<String, WireError> {
    let (mut out, mut depth) = (String::with_capacity(json.len()), 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else {
            match c {
                ' ' | '\t' | '\r' | '\n' => continue,
                '"' => in_string = true,
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > MAX_DEPTH {
                return Err(WireError::Invalid(format!("data: nested deeper than {MAX_DEPTH}")));
            }
        }
        out.push(c);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str, max: usize) -> Result<String, WireError> {
        let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
        bounded(&raw, max).map(|raw| raw.get().to_owned())
    }

    #[test]
    fn white_space_goes_and_strings_stay() {
        let json = "{ \"a \\\\\\\" b\" :\r\n[ 1 , \"\\\\\" , \" [ \" ] }";
        assert_eq!(of(json, 100).unwrap(), r#"{"a \\\" b":[1,"\\"," [ "]}"#);
    }

    #[test]
    fn what_no_reader_takes_is_refused_and_everything_else_stays_as_it_is() {
        for json in ["1e999", "[-1e400]", r#""\ud800""#, r#"{"\udc00": 1}"#, r#"{"a": ["\ud83d x"]}"#] {
            assert!(matches!(of(json, 100), Err(WireError::Invalid(_))), "{json}");
        }
        for json in
            [r#"{"a":1,"a":2}"#, "123456789012345678901234567890", r#""\ud83d\ude00""#, "1e-999", "-0"]
        {
            assert_eq!(of(json, 100).unwrap(), json);
        }
    }

    #[test]
    fn what_is_too_long_or_too_deep_is_refused() {
        assert!(of("\"123\"", 5).is_ok());
        assert!(matches!(of("\"1234\"", 5), Err(WireError::TooLong { got: 6, max: 5, .. })));
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(of(&nested(64), 1_000).is_ok());
        assert!(matches!(of(&nested(65), 1_000), Err(WireError::Invalid(_))));
        assert!(matches!(of(&nested(100_000), 1_000_000), Err(WireError::Invalid(_))));
    }
}
