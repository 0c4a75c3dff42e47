//! A client of the REST API, as docs/rest.md describes it. Blocking: the CLI does one request at a time.

mod answer;
mod error;
mod events;
mod page;
mod path;
mod server_url;
pub mod wire;

pub use answer::Answer;
pub use error::{ClientError, Problem};
pub use events::{Event, Events};
pub use page::{Page, Pages};
pub use path::ApiPath;
pub use server_url::{BadServerUrl, ServerUrl};

use serde_json::Value;
use std::io;
use std::time::Duration;
use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::http::{Request, Response};
use ureq::typestate::AgentScope;
use uuid::Uuid;

/// How long a server may take to answer: longer than its own limits, so that it gets to say that it gave up.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(40);
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(320);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Largest answer, in bytes: a page of 1,000 bots with the longest personas takes 10 MB.
const MAX_ANSWER_BYTES: u64 = 64 * 1024 * 1024;

/// Whether a request may be sent again when the connection broke before its answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeat {
    /// Doing it twice is doing it once.
    Safe,
    /// Only the server can tell, by the key that both requests carry.
    ByKey,
    /// Not to be repeated.
    Never,
}

/// A client of one server.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    server: ServerUrl,
    actor: String,
}

impl Client {
    /// A client of this server. Nothing is sent yet.
    pub fn new(server: ServerUrl) -> Client {
        Client { agent: agent(&server, ANSWER_TIMEOUT), server, actor: actor() }
    }

    /// The server.
    pub fn server(&self) -> &ServerUrl {
        &self.server
    }

    /// Reads something.
    pub fn get(&self, path: &ApiPath) -> Result<Answer, ClientError> {
        self.send("GET", path, None, Repeat::Safe)
    }

    /// Does something that may be done twice, such as asking for a dry run.
    pub fn post(&self, path: &ApiPath, body: &Value) -> Result<Answer, ClientError> {
        self.send("POST", path, Some(("application/json", body.to_string().as_bytes())), Repeat::Never)
    }

    /// Does something once, even if it has to be said twice: the request carries an idempotency key.
    pub fn post_once(&self, path: &ApiPath, body: &Value) -> Result<Answer, ClientError> {
        self.send("POST", path, Some(("application/json", body.to_string().as_bytes())), Repeat::ByKey)
    }

    /// Uploads a file once, as [`Client::post_once`] does.
    pub fn upload_once(&self, path: &ApiPath, media_type: &str, body: &[u8]) -> Result<Answer, ClientError> {
        let patient = Client { agent: agent(&self.server, UPLOAD_TIMEOUT), ..self.clone() };
        patient.send("POST", path, Some((media_type, body)), Repeat::ByKey)
    }

    /// Sets something.
    pub fn put(&self, path: &ApiPath, body: &Value) -> Result<Answer, ClientError> {
        self.send("PUT", path, Some(("application/json", body.to_string().as_bytes())), Repeat::Safe)
    }

    /// Deletes something.
    pub fn delete(&self, path: &ApiPath) -> Result<Answer, ClientError> {
        self.send("DELETE", path, None, Repeat::Never)
    }

    fn send(
        &self,
        method: &str,
        path: &ApiPath,
        body: Option<(&str, &[u8])>,
        repeat: Repeat,
    ) -> Result<Answer, ClientError> {
        let key = (repeat == Repeat::ByKey).then(|| Uuid::new_v4().to_string());
        let once = || self.exchange(method, path, body, key.as_deref());
        let outcome = match once() {
            Err(error) if repeat != Repeat::Never && connection_broke(&error) => once(),
            outcome => outcome,
        };
        let (status, text) = outcome.map_err(|error| ClientError::of_transport(&self.server, error))?;
        Answer::new(&self.server, status, text)
    }

    fn exchange(
        &self,
        method: &str,
        path: &ApiPath,
        body: Option<(&str, &[u8])>,
        key: Option<&str>,
    ) -> Result<(u16, String), ureq::Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server))
            .header("Accept", "application/json")
            .header("X-Arena-Actor", &self.actor);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some((media_type, _)) = body {
            request = request.header("Content-Type", media_type);
        }
        let response = match body {
            Some((_, bytes)) => self.agent.run(request.body(bytes)?)?,
            None => self.agent.run(request.body(())?)?,
        };
        read(response)
    }
}

fn agent(server: &ServerUrl, timeout: Duration) -> Agent {
    agent_with(server, |config| config.timeout_global(Some(timeout)))
}

type AgentConfig = ConfigBuilder<AgentScope>;

fn agent_with(server: &ServerUrl, timeouts: impl FnOnce(AgentConfig) -> AgentConfig) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .user_agent(concat!("arena-cli/", env!("CARGO_PKG_VERSION")));
    let config = timeouts(config);
    // A proxy is for other machines; it would look for a loopback address on its own.
    let config = if server.is_loopback() { config.proxy(None) } else { config };
    config.build().new_agent()
}

fn read(mut response: Response<ureq::Body>) -> Result<(u16, String), ureq::Error> {
    let status = response.status().as_u16();
    let text = response.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_string()?;
    Ok((status, text))
}

/// Whether the server may never have seen the request, or its answer was lost.
fn connection_broke(error: &ureq::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    match error {
        ureq::Error::Io(error) => {
            matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
        }
        _ => false,
    }
}

/// Who acts, for the activity log: the CLI, and the person at the terminal where that is known.
fn actor() -> String {
    let user = std::env::var("USER").unwrap_or_default();
    let fits = (1..=32).contains(&user.len()) && user.bytes().all(|b| b.is_ascii_graphic());
    if fits { format!("cli:{user}") } else { "cli".to_owned() }
}
