//! What the server answered.

use super::error::{ClientError, Problem};
use super::server_url::ServerUrl;
use serde::de::DeserializeOwned;

/// A successful answer.
#[derive(Debug, Clone)]
pub struct Answer {
    server: ServerUrl,
    text: String,
}

impl Answer {
    pub(super) fn new(server: &ServerUrl, status: u16, text: String) -> Result<Answer, ClientError> {
        if (200..300).contains(&status) {
            return Ok(Answer { server: server.clone(), text });
        }
        match serde_json::from_str::<Problem>(&text) {
            Ok(problem) if status >= 400 => Err(ClientError::Refused(Box::new(problem))),
            _ => {
                let why = format!("status {status} without a problem report");
                Err(ClientError::NotArena { server: server.clone(), why })
            }
        }
    }

    /// The body, untouched.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The body, parsed.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_json::from_str(&self.text)
            .map_err(|error| ClientError::NotArena { server: self.server.clone(), why: error.to_string() })
    }

    /// What is odd about it, though it is JSON of the right shape.
    pub fn refuse(&self, why: &str) -> ClientError {
        ClientError::NotArena { server: self.server.clone(), why: why.to_owned() }
    }
}
