//! What is sent to a chat endpoint, and what it answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A line of the talk, as a chat endpoint takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Message {
    pub(super) role: &'static str,
    pub(super) content: String,
}

/// The body of a request.
#[derive(Serialize)]
pub(super) struct Request<'a> {
    pub(super) model: &'a str,
    pub(super) messages: &'a [Message],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u64>,
    /// The newer name of the same thing; some models refuse the older one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_completion_tokens: Option<u64>,
    pub(super) stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stream_options: Option<StreamOptions>,
}

#[derive(Serialize)]
pub(super) struct StreamOptions {
    pub(super) include_usage: bool,
}

/// A chunk of a streamed answer, or a whole answer: they differ in `delta` and `message` only.
#[derive(Deserialize)]
pub(super) struct Chunk {
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(default)]
    usage: Option<Value>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: Option<u64>,
    #[serde(default)]
    delta: Option<Said>,
    #[serde(default)]
    message: Option<Said>,
    #[serde(default)]
    finish_reason: Option<Value>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    content: Option<Value>,
}

/// What an endpoint says that a call has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) prompt: u64,
    pub(super) reply: u64,
}

impl Chunk {
    /// The text that it brings.
    pub(super) fn text(&self) -> String {
        let first = self.choices.iter().flatten().filter(|choice| choice.index.unwrap_or(0) == 0);
        let said = first.filter_map(|choice| choice.delta.as_ref().or(choice.message.as_ref()));
        said.filter_map(|said| said.content.as_ref()).map(text_of).collect()
    }

    /// Whether the answer is whole with it.
    pub(super) fn is_last(&self) -> bool {
        let mut choices = self.choices.iter().flatten();
        choices.any(|choice| choice.finish_reason.as_ref().is_some_and(|reason| !reason.is_null()))
    }

    /// What the call has taken, if it says so. Nothing at all is no number: every call takes something.
    pub(super) fn usage(&self) -> Option<Usage> {
        let usage = self.usage.as_ref()?;
        let number = |key: &str| usage.get(key).and_then(Value::as_u64);
        let (prompt, reply) = (number("prompt_tokens"), number("completion_tokens"));
        let total = number("total_tokens").unwrap_or(0);
        let prompt = prompt.unwrap_or(0);
        let reply = reply.unwrap_or(0).max(total.saturating_sub(prompt));
        (prompt.saturating_add(reply) > 0).then_some(Usage { prompt, reply })
    }

    /// What went wrong, if it says so: the error's code, never its message, which may quote what was sent.
    pub(super) fn error(&self) -> Option<String> {
        let error = self.error.as_ref().filter(|error| !error.is_null())?;
        let code = [error.get("code"), error.get("type")].into_iter().flatten().find_map(plain);
        Some(code.unwrap_or_else(|| "error".to_owned()))
    }

    /// The error's message, to be looked into and never to be shown.
    pub(super) fn complaint(&self) -> Option<&str> {
        let error = self.error.as_ref()?;
        error.get("message").unwrap_or(error).as_str()
    }
}

/// Text, or a list of parts with text.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect()
        }
        _ => String::new(),
    }
}

/// A code that can be shown: short, and of letters, digits and `_-.` only.
fn plain(code: &Value) -> Option<String> {
    let text = match code {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!text.is_empty() && text.len() <= 48 && text.chars().all(fine)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(json: &str) -> Chunk {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn text_comes_from_chunks_and_from_whole_answers() {
        assert_eq!(chunk(r#"{"choices":[{"delta":{"content":"a"}}]}"#).text(), "a");
        assert_eq!(chunk(r#"{"choices":[{"message":{"content":"b"},"finish_reason":"stop"}]}"#).text(), "b");
        assert_eq!(chunk(r#"{"choices":[{"delta":{"content":[{"type":"text","text":"c"}]}}]}"#).text(), "c");
        assert_eq!(chunk(r#"{"choices":[{"delta":{"role":"assistant","content":null}}]}"#).text(), "");
        assert_eq!(chunk(r#"{"choices":[{"index":1,"delta":{"content":"other"}}]}"#).text(), "");
        assert_eq!(chunk(r#"{"choices":null,"x":1}"#).text(), "");
    }

    #[test]
    fn usage_is_what_is_said_and_never_nothing() {
        let usage = |json: &str| chunk(&format!(r#"{{"usage":{json}}}"#)).usage();
        assert_eq!(
            usage(r#"{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}"#),
            Some(Usage { prompt: 3, reply: 4 })
        );
        assert_eq!(
            usage(r#"{"prompt_tokens":3,"completion_tokens":4,"total_tokens":20}"#),
            Some(Usage { prompt: 3, reply: 17 })
        );
        assert_eq!(usage(r#"{"total_tokens":9}"#), Some(Usage { prompt: 0, reply: 9 }));
        assert_eq!(usage(r#"{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#), None);
        assert_eq!(usage("null"), None);
        assert_eq!(usage(r#"{"prompt_tokens":-1,"total_tokens":"many"}"#), None);
    }

    #[test]
    fn errors_are_told_by_their_code_only() {
        let error = |json: &str| chunk(&format!(r#"{{"error":{json}}}"#)).error();
        assert_eq!(
            error(r#"{"code":"invalid_api_key","message":"no: sk-123"}"#),
            Some("invalid_api_key".to_owned())
        );
        assert_eq!(error(r#"{"code":null,"type":"server_error"}"#), Some("server_error".to_owned()));
        assert_eq!(error(r#"{"code":"the key sk-123 is wrong"}"#), Some("error".to_owned()));
        assert_eq!(error(r#""out of memory""#), Some("error".to_owned()));
        assert_eq!(error("null"), None);
    }
}
