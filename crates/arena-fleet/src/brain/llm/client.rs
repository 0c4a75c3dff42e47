//! One request to a chat endpoint, and its answer.

use super::fault;
use super::sse::{Events, TooLong};
use super::wire::{Chunk, Message, Request, StreamOptions, Usage};
use crate::brain::error::BrainsError;
use crate::settings::LlmSettings;
use arena_core::fleet::{Fault, FaultClass};
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Response, StatusCode, Url};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

/// The longest text that is taken: what comes after it is not waited for. Four times what a conversation takes in a line.
const MAX_TEXT: usize = 64 * 1024;
/// The longest answer, in bytes, with everything around the text.
const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// The longest answer to a request that is refused.
const MAX_COMPLAINT: usize = 16 * 1024;

/// Speaks with one chat endpoint.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    url: Url,
    key: Option<HeaderValue>,
    model: String,
    max_reply: u64,
    stall: Duration,
    /// The endpoint refused `max_tokens` for `max_completion_tokens`.
    newer_limit: AtomicBool,
    /// The endpoint refused `stream_options`.
    no_usage: AtomicBool,
}

/// How a request is worded: some endpoints do not know all words.
#[derive(Debug, Clone, Copy)]
struct Words {
    newer_limit: bool,
    no_usage: bool,
}

/// What came back.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) text: String,
    pub(super) usage: Option<Usage>,
}

/// Why nothing came back.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) fault: Fault,
    /// Whether the same may go well a little later.
    pub(super) again: bool,
    /// What it has taken all the same.
    pub(super) taken: Taken,
}

/// What a failed request has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Nothing: it did not get there, or was refused.
    Nothing,
    /// So much, as the endpoint said.
    Known(Usage),
    /// Nobody knows.
    Unknown,
}

fn failure(class: FaultClass, code: &str, detail: &str, again: bool, taken: Taken) -> Failure {
    Failure { fault: fault::of(class, code, detail), again, taken }
}

impl Client {
    /// Checks the settings.
    pub(super) fn new(settings: &LlmSettings) -> Result<Client, BrainsError> {
        let wrong = |key, problem: &str| BrainsError::Model { key, problem: problem.to_owned() };
        let url = address(&settings.base_url)
            .ok_or_else(|| wrong("base_url", "a URL is needed that begins with http:// or https://"))?;
        let key = match settings.api_key.trim() {
            "" => None,
            key => {
                let mut value = HeaderValue::from_str(&format!("Bearer {key}"))
                    .map_err(|_| wrong("api_key", "it has characters that no key has"))?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        // A redirect could carry the talk elsewhere.
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        // A proxy knows nothing of this machine's own ports.
        let http = if is_local(&url) { http.no_proxy() } else { http };
        let http = http.build().map_err(|_| wrong("base_url", "this system has no means for requests"))?;
        Ok(Client {
            http,
            url,
            key,
            model: settings.model.clone(),
            max_reply: settings.max_reply_tokens,
            stall: settings.stall_timeout,
            newer_limit: AtomicBool::new(false),
            no_usage: AtomicBool::new(false),
        })
    }

    /// Asks once. The caller sets the deadline.
    pub(super) async fn ask(&self, messages: &[Message]) -> Result<Reply, Failure> {
        let mut words = self.words();
        let mut response = self.send(messages, words).await?;
        // Twice at most: each of the two words that some endpoints refuse is left out after the first refusal.
        for _ in 0..2 {
            let status = response.status();
            if status == StatusCode::OK {
                break;
            }
            let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let retry_after = fault::retry_after(retry_after, SystemTime::now());
            let complaint = self.complaint(response).await;
            if matches!(status.as_u16(), 400 | 422) && self.adapt(words, complaint.as_ref()) {
                words = self.words();
                response = self.send(messages, words).await?;
                continue;
            }
            return Err(refused(status, complaint.as_ref(), retry_after));
        }
        match response.status() {
            StatusCode::OK => self.read(response).await,
            status => Err(refused(status, None, None)),
        }
    }

    /// How the next request is worded.
    fn words(&self) -> Words {
        Words {
            newer_limit: self.newer_limit.load(Ordering::Relaxed),
            no_usage: self.no_usage.load(Ordering::Relaxed),
        }
    }

    async fn send(&self, messages: &[Message], words: Words) -> Result<Response, Failure> {
        let (newer, usage) = (words.newer_limit, !words.no_usage);
        let body = Request {
            model: &self.model,
            messages,
            max_tokens: (!newer).then_some(self.max_reply),
            max_completion_tokens: newer.then_some(self.max_reply),
            stream: true,
            stream_options: usage.then_some(StreamOptions { include_usage: true }),
        };
        let body = serde_json::to_vec(&body).expect("invariant: messages are plain text");
        let mut request =
            self.http.post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        if let Some(key) = &self.key {
            request = request.header(reqwest::header::AUTHORIZATION, key.clone());
        }
        request.send().await.map_err(|error| match error.is_connect() {
            true => {
                failure(FaultClass::Network, "connect", "the model cannot be reached", true, Taken::Nothing)
            }
            false => failure(FaultClass::Network, "broken", "the connection broke", true, Taken::Unknown),
        })
    }

    /// What the endpoint says to a request that it refuses.
    async fn complaint(&self, mut response: Response) -> Option<Chunk> {
        let mut bytes = Vec::new();
        let reading = async {
            while let Ok(Some(chunk)) = response.chunk().await {
                bytes.extend_from_slice(&chunk);
                if bytes.len() > MAX_COMPLAINT {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(self.stall, reading).await;
        serde_json::from_slice(&bytes).ok()
    }

    /// Leaves out from now on what the endpoint does not know. Gives whether the request that it refused had that: others
    /// may have found out meanwhile.
    fn adapt(&self, sent: Words, complaint: Option<&Chunk>) -> bool {
        let words = complaint.and_then(Chunk::complaint).unwrap_or_default();
        if words.contains("max_completion_tokens") {
            self.newer_limit.store(true, Ordering::Relaxed);
            return !sent.newer_limit;
        }
        let refused = words.contains("stream_options");
        self.no_usage.fetch_or(refused, Ordering::Relaxed);
        refused && !sent.no_usage
    }

    /// Reads the answer: a stream, or one piece of JSON from endpoints that do not stream.
    async fn read(&self, mut response: Response) -> Result<Reply, Failure> {
        let kind =
            response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let mut answer = Answer { whole: kind.contains("json").then(Vec::new), ..Answer::default() };
        loop {
            match tokio::time::timeout(self.stall, response.chunk()).await {
                // All of it has come; what is missing is at most the count of its tokens.
                Err(_) | Ok(Err(_)) if answer.complete => return answer.end(),
                Err(_) => return Err(answer.broken(FaultClass::Timeout, "stalled", "the answer stalled")),
                Ok(Err(_)) => return Err(answer.broken(FaultClass::Network, "cut", "the answer broke off")),
                Ok(Ok(None)) => return answer.end(),
                Ok(Ok(Some(bytes))) => answer.take(&bytes)?,
            }
            if answer.enough() {
                return answer.end();
            }
        }
    }
}

fn refused(status: StatusCode, complaint: Option<&Chunk>, retry_after: Option<Duration>) -> Failure {
    let code = complaint.and_then(Chunk::error);
    Failure {
        fault: fault::of_status(status.as_u16(), code.as_deref(), retry_after),
        again: fault::may_retry(status.as_u16()),
        taken: Taken::Nothing,
    }
}

/// An answer that is being read.
#[derive(Default)]
struct Answer {
    /// The bytes of an answer in one piece; `None` of a stream.
    whole: Option<Vec<u8>>,
    events: Events,
    reply: Reply,
    bytes: usize,
    /// The endpoint said that the answer ends here, or there is more of it than anybody wants.
    complete: bool,
    done: bool,
}

impl Answer {
    fn take(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.bytes += bytes.len();
        if self.bytes > MAX_ANSWER {
            return Err(self.broken(FaultClass::Protocol, "too_long", "the answer is too long"));
        }
        if let Some(whole) = &mut self.whole {
            whole.extend_from_slice(bytes);
            return Ok(());
        }
        let events = self.events.feed(bytes);
        self.events(events)
    }

    fn events(&mut self, events: Result<Vec<String>, TooLong>) -> Result<(), Failure> {
        let nonsense =
            |answer: &Answer| answer.broken(FaultClass::Protocol, "malformed", "the answer is no answer");
        for data in events.map_err(|_| nonsense(self))? {
            if data.trim() == "[DONE]" {
                (self.complete, self.done) = (true, true);
                continue;
            }
            let chunk: Chunk = serde_json::from_str(&data).map_err(|_| nonsense(self))?;
            self.chunk(&chunk)?;
        }
        Ok(())
    }

    fn chunk(&mut self, chunk: &Chunk) -> Result<(), Failure> {
        if let Some(code) = chunk.error() {
            let detail = format!("the model's endpoint broke off ({code})");
            let class = if code.contains("rate_limit") || code == "429" {
                FaultClass::RateLimit
            } else {
                FaultClass::Network
            };
            return Err(self.broken(class, "stream_error", &detail));
        }
        self.reply.text.push_str(&chunk.text());
        self.reply.usage = chunk.usage().or(self.reply.usage);
        self.complete |= chunk.is_last();
        if self.reply.text.len() > MAX_TEXT {
            (self.complete, self.done) = (true, true);
        }
        Ok(())
    }

    /// Whether nothing else is to be waited for.
    fn enough(&self) -> bool {
        self.done
    }

    /// The bytes are at their end.
    fn end(mut self) -> Result<Reply, Failure> {
        if let Some(whole) = self.whole.take() {
            let chunk: Chunk = serde_json::from_slice(&whole)
                .map_err(|_| self.broken(FaultClass::Protocol, "malformed", "the answer is no answer"))?;
            self.chunk(&chunk)?;
            self.complete = true;
        } else if !self.done {
            let events = self.events.end();
            self.events(events)?;
        }
        if !self.complete {
            return Err(self.broken(FaultClass::Network, "cut", "the answer broke off"));
        }
        Ok(self.reply)
    }

    /// What was begun is paid for, so it is tried again only where nothing of it came.
    fn broken(&self, class: FaultClass, code: &str, detail: &str) -> Failure {
        let taken = self.reply.usage.map_or(Taken::Unknown, Taken::Known);
        let again = self.reply.text.is_empty() && class == FaultClass::Network;
        failure(class, code, detail, again, taken)
    }
}

/// `{base}/chat/completions`; a query of the base's is kept.
fn address(base: &str) -> Option<Url> {
    let mut url = Url::parse(base.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return None;
    }
    url.path_segments_mut().ok()?.pop_if_empty().extend(["chat", "completions"]);
    Some(url)
}

fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_added_to_the_base() {
        for (base, url) in [
            ("https://api.example.com/v1", "https://api.example.com/v1/chat/completions"),
            ("http://127.0.0.1:11434/v1/", "http://127.0.0.1:11434/v1/chat/completions"),
            (
                "https://x.example/openai?api-version=1",
                "https://x.example/openai/chat/completions?api-version=1",
            ),
        ] {
            assert_eq!(address(base).unwrap().as_str(), url);
        }
        for base in ["", "api.example.com", "ftp://x.example", "file:///tmp"] {
            assert!(address(base).is_none(), "{base}");
        }
    }

    #[test]
    fn only_this_machine_is_reached_without_a_proxy() {
        let local = |base: &str| is_local(&address(base).unwrap());
        assert!(
            local("http://localhost:1/v1") && local("http://127.0.0.1/v1") && local("http://[::1]:80/v1")
        );
        assert!(!local("https://api.example.com/v1"));
    }

    #[test]
    fn the_key_is_in_no_debug_output() {
        let settings =
            LlmSettings { api_key: "sk-secret".to_owned(), ..LlmSettings::new("http://127.0.0.1/v1", "m") };
        let shown = format!("{:?} {settings:?}", Client::new(&settings).unwrap());
        assert!(!shown.contains("sk-secret"), "{shown}");
    }
}
