//! Seats in the worlds of an Arena server, over its REST.

use super::around::TokenFor;
use super::seat::{Seat, Seats};
use crate::endpoint::Endpoint;
use crate::identity::Identity;
use crate::token::{Token, TokenSource};
use arena_core::fleet::{Fault, FaultClass};
use async_trait::async_trait;
use reqwest::{Client, Response, StatusCode, Url, header::RETRY_AFTER};
use serde::Deserialize;
use serde_json::json;
use std::fmt;
use std::time::Duration;
use tokio::time::Instant;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer, in bytes; a reservation takes one or two thousand.
const MAX_BODY: usize = 64 * 1024;
/// The longest wait that is believed; a server that asks for a year is mistaken.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// What a world shows behind the name of a bot: to it the bot is a player, and people have nothing but the name to tell.
const MARK: &str = " (bot)";
/// The longest name that a player may have, in characters (docs/rest.md).
const MAX_NAME: usize = 64;

/// Reserves seats as players do: `POST /api/channels/{id}/join` with the bot's own token.
pub struct RestSeats {
    client: Client,
    server: String,
    tokens: TokenFor,
}

impl fmt::Debug for RestSeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestSeats").field("server", &self.server).finish_non_exhaustive()
    }
}

/// What a reservation answers, as far as it is needed.
#[derive(Deserialize)]
struct Reserved {
    player: String,
    topic: String,
    token: String,
}

/// A refusal.
#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
}

impl RestSeats {
    /// Seats of the server that the endpoint belongs to.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn at(endpoint: &Endpoint, tokens: TokenFor) -> Result<RestSeats, reqwest::Error> {
        // Redirects would carry the token elsewhere; the socket goes by no proxy either.
        let client =
            Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).no_proxy();
        let client = client.build()?;
        Ok(RestSeats { client, server: endpoint.origin(), tokens })
    }

    fn url(&self, channel: &str) -> Option<Url> {
        let mut url = Url::parse(&self.server).ok()?;
        url.path_segments_mut().ok()?.extend(["api", "channels", channel, "join"]);
        Some(url)
    }
}

#[async_trait]
impl Seats for RestSeats {
    async fn take(&self, me: &Identity, channel: &str) -> Result<Seat, Fault> {
        let url = self.url(channel).ok_or_else(|| {
            Fault::new(FaultClass::TenantMissing, "channel_unusable", format!("no URL has `{channel}` in it"))
        })?;
        let token = (self.tokens)(me).current();
        let body = json!({ "name": shown_name(&me.name) }).to_string();
        let request = self.client.post(url).bearer_auth(&*token.text).body(body);
        let request = request.header("content-type", "application/json").header("x-arena-actor", "fleet");
        let mut response = request.send().await.map_err(|error| unsent(&error))?;
        if !response.status().is_success() {
            return Err(refused(response).await);
        }
        let bytes = body_of(&mut response).await?;
        let reserved: Reserved = serde_json::from_slice(&bytes).map_err(|error| {
            Fault::new(FaultClass::Protocol, "seat_unreadable", format!("no reservation: {error}"))
        })?;
        Ok(Seat {
            topic: reserved.topic,
            token: join_token(&reserved.token, token.ttl),
            body: reserved.player,
        })
    }
}

/// The name, cut where that takes it, with what it is behind it.
fn shown_name(name: &str) -> String {
    let room = MAX_NAME - MARK.len();
    let name: String = name.chars().take(room).collect();
    format!("{}{MARK}", name.trim_end())
}

/// A join token ends with the token that it was got with, at the latest.
fn join_token(text: &str, ttl: Option<Duration>) -> TokenSource {
    let (text, ends) = (text.into(), ttl.map(|ttl| Instant::now() + ttl));
    TokenSource::new(move || Token {
        text: std::sync::Arc::clone(&text),
        ttl: ends.map(|ends| ends.saturating_duration_since(Instant::now())),
    })
}

fn unsent(error: &reqwest::Error) -> Fault {
    let class = if error.is_timeout() { FaultClass::Timeout } else { FaultClass::Network };
    Fault::new(class, "seat_unanswered", error.to_string())
}

/// The body, as long as it is no longer than any is.
async fn body_of(response: &mut Response) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| unsent(&error))? {
        if body.len() + part.len() > MAX_BODY {
            return Err(Fault::new(FaultClass::Protocol, "seat_unreadable", "the answer is too long"));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

async fn refused(mut response: Response) -> Fault {
    let status = response.status();
    let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let text = body_of(&mut response).await.unwrap_or_default();
    let refusal: Refusal = serde_json::from_slice(&text).unwrap_or_default();
    let code = if refusal.code.is_empty() { format!("http_{}", status.as_u16()) } else { refusal.code };
    let detail = if refusal.detail.is_empty() { status.to_string() } else { refusal.detail };
    Fault::new(class_of(status), code, detail)
        .retry_after(after.map(|secs| Duration::from_secs(secs).min(LONGEST_WAIT)))
}

/// A full channel is like a rate limit: it passes, and fewer should ask.
fn class_of(status: StatusCode) -> FaultClass {
    match status.as_u16() {
        401 => FaultClass::Authentication,
        403 => FaultClass::Permission,
        404 | 410 => FaultClass::TenantMissing,
        409 | 429 => FaultClass::RateLimit,
        500.. => FaultClass::Network,
        _ => FaultClass::Protocol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::Arc;

    /// Answers one request with this, and gives back what was asked.
    fn server(answer: String) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut text = Vec::new();
            let mut part = [0; 4_096];
            while !text.ends_with(b"}") {
                let read = stream.read(&mut part).unwrap();
                text.extend_from_slice(&part[..read]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(text).unwrap()
        });
        (url, asked)
    }

    fn ada() -> Identity {
        Identity {
            id: "bot-ada".to_owned(),
            name: "Ada".to_owned(),
            persona: "host".to_owned(),
            brain: crate::BrainKind::Wanderer,
            world: Some("main".to_owned()),
        }
    }

    async fn take(head: &str, body: &str) -> (Result<Seat, Fault>, String) {
        let length = body.len();
        let (url, asked) = server(format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\n\r\n{body}"));
        let endpoint = Endpoint::parse(&url, None).unwrap();
        let seats =
            RestSeats::at(&endpoint, Arc::new(|me| TokenSource::fixed(&format!("token-of-{}", me.id))));
        let taken = seats.unwrap().take(&ada(), "main").await;
        (taken, asked.join().unwrap())
    }

    #[tokio::test]
    async fn a_seat_is_asked_for_in_the_bots_own_name() {
        let body = r#"{"player":"p-1","topic":"world:main","token":"join","expires_at_ms":1,"more":true}"#;
        let (seat, asked) = take("201 Created", body).await;
        let seat = seat.unwrap();
        assert_eq!((seat.topic.as_str(), seat.body.as_str()), ("world:main", "p-1"));
        assert_eq!(&*seat.token.current().text, "join");
        assert!(asked.starts_with("POST /api/channels/main/join HTTP/1.1\r\n"), "{asked}");
        assert!(asked.contains("authorization: Bearer token-of-bot-ada\r\n"), "{asked}");
        assert!(asked.ends_with(r#"{"name":"Ada (bot)"}"#), "{asked}");
    }

    #[test]
    fn the_longest_name_still_says_that_it_is_a_bots() {
        let shown = shown_name(&"ü".repeat(MAX_NAME));
        assert_eq!(shown.chars().count(), MAX_NAME);
        assert!(shown.ends_with("ü (bot)"));
    }

    #[tokio::test]
    async fn refusals_are_faults_with_their_codes() {
        let body = r#"{"code":"channel_full","detail":"no seat"}"#;
        let (full, _) = take("409 Conflict\r\nRetry-After: 3", body).await;
        let full = full.unwrap_err();
        assert_eq!((full.class, full.code.as_str()), (FaultClass::RateLimit, "channel_full"));
        assert_eq!(full.retry_after, Some(Duration::from_secs(3)));
        let (gone, _) = take("404 Not Found", "").await;
        assert_eq!(gone.unwrap_err().class, FaultClass::TenantMissing);
        let (patient, _) = take("429 Too Many Requests\r\nRetry-After: 31536000", "").await;
        assert_eq!(patient.unwrap_err().retry_after, Some(LONGEST_WAIT));
        let (endless, _) = take("200 OK", &" ".repeat(MAX_BODY + 1)).await;
        assert_eq!(endless.unwrap_err().detail, "the answer is too long");
        let (odd, _) = take("200 OK", "{}").await;
        assert_eq!(odd.unwrap_err().class, FaultClass::Protocol);
    }

    #[tokio::test]
    async fn a_server_that_is_away_is_the_networks_fault() {
        let url = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
        let endpoint = Endpoint::parse(&url, None).unwrap();
        let seats = RestSeats::at(&endpoint, Arc::new(|_| TokenSource::fixed("t"))).unwrap();
        assert_eq!(seats.take(&ada(), "main").await.unwrap_err().class, FaultClass::Network);
    }
}
