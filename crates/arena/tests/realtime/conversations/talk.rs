//! One conversation, and one of the two doors to it.

use crate::gateway::Gateway;
use crate::plain::Plain;
use serde_json::{Value, json};

/// How a conversation is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Rest,
    Socket,
}

impl Door {
    /// Both.
    pub const ALL: [Door; 2] = [Door::Rest, Door::Socket];
}

/// What came of something that was asked.
#[derive(Debug)]
pub struct Answer {
    /// Of REST; the socket has none.
    pub status: Option<u16>,
    /// The header of that name, in seconds.
    pub retry_after: Option<u64>,
    /// Whether it was done.
    pub done: bool,
    /// A receipt, or whatever was asked for, or what is wrong.
    pub body: Value,
}

/// Asks REST.
pub fn rest(address: &str, method: &str, path: &str, token: Option<&str>, body: &str) -> Answer {
    let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build();
    let mut request = ureq::http::Request::builder().method(method).uri(format!("http://{address}{path}"));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.header("content-type", "application/json").body(body.to_owned()).unwrap();
    let mut answer = ureq::Agent::from(config).run(request).unwrap();
    let status = answer.status().as_u16();
    let retry_after =
        answer.headers().get("retry-after").map(|value| value.to_str().unwrap().parse().unwrap());
    let text = answer.body_mut().read_to_string().unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status: Some(status), retry_after, done: status < 300, body }
}

/// A conversation that is listened to and spoken to.
pub struct Talk<'a> {
    pub gateway: &'a Gateway,
    pub id: String,
    door: Door,
    /// A service's, which speaks for everybody.
    pub speaker: Plain,
    listener: Plain,
    heard: Vec<Value>,
    fences: u32,
}

impl<'a> Talk<'a> {
    /// Begins a conversation with this setup.
    pub fn begin(gateway: &'a Gateway, door: Door, setup: &Value) -> Talk<'a> {
        let made = gateway.post("/api/conversations", setup);
        let id = made["id"].as_str().unwrap().to_owned();
        let joined = || {
            let mut client = Plain::connect(&gateway.address(), Some(gateway.service()));
            client.join(&format!("conversation:{id}"), &json!({}));
            client
        };
        let (speaker, listener) = (joined(), joined());
        Talk { gateway, id, door, speaker, listener, heard: Vec::new(), fences: 0 }
    }

    /// Goes on through a door.
    pub fn through(&mut self, door: Door) -> &mut Self {
        self.door = door;
        self
    }

    /// Asks for something by the name that the socket knows it by.
    pub fn ask(&mut self, event: &str, payload: &Value) -> Answer {
        match self.door {
            Door::Rest => self.ask_rest(event, payload),
            Door::Socket => self.ask_socket(event, payload),
        }
    }

    fn ask_rest(&mut self, event: &str, payload: &Value) -> Answer {
        let (method, path) = match event {
            "message" => ("POST", "/messages"),
            "reserve" => ("POST", "/reservations"),
            "top_up" => ("POST", "/top-up"),
            "capacity" => ("GET", "/capacity"),
            "context" => ("GET", "/context?last=0&participant="),
            "configure" => ("PUT", ""),
            other => ("POST", &*format!("/{other}")),
        };
        let participant = if event == "context" { payload["participant"].as_str().unwrap() } else { "" };
        let path = format!("/api/conversations/{}{path}{participant}", self.id);
        rest(&self.gateway.address(), method, &path, None, &payload.to_string())
    }

    fn ask_socket(&mut self, event: &str, payload: &Value) -> Answer {
        let mut reply = self.speaker.ask(event, payload);
        let (done, body) = (reply["status"] == "ok", reply["response"].take());
        if !done {
            let code = body["code"].as_str().unwrap_or_else(|| panic!("no code: {body}"));
            assert!(body["reason"].as_str().unwrap().starts_with(&format!("{code}: ")), "{body}");
            let told = self.speaker.broadcast(|told| told["event"] == "refused");
            assert_eq!((&told["payload"]["code"], &told["payload"]["input"]), (&body["code"], &json!(event)));
        }
        Answer { status: None, retry_after: None, done, body }
    }

    /// Something that must be done; returns the receipt, or whatever was asked for.
    #[track_caller]
    pub fn done(&mut self, event: &str, payload: &Value) -> Value {
        let answer = self.ask(event, payload);
        assert!(answer.done, "{event} {payload}: {answer:?}");
        answer.body
    }

    /// A message that must be taken.
    #[track_caller]
    pub fn said(&mut self, author: &str) -> Value {
        self.done("message", &json!({ "author": author, "text": "hi" }))
    }

    /// A message that must be dropped, with this status and code.
    #[track_caller]
    pub fn dropped(&mut self, author: &str, status: u16, code: &str) -> Value {
        self.refused("message", &json!({ "author": author, "text": "more", "id": null }), status, code)
    }

    /// Something that must be refused, with this status and code, and with all that a machine has to know.
    #[track_caller]
    pub fn refused(&mut self, event: &str, payload: &Value, status: u16, code: &str) -> Value {
        let body = self.rejected(event, payload, status, code);
        for member in ["scope", "limit", "used", "remaining", "retry_after_ms", "message_id"] {
            assert!(body.get(member).is_some(), "no {member}: {body}");
        }
        if status == 429 || status == 409 && code != "not_your_turn" {
            assert_eq!(body["retry_after_ms"].is_u64(), status == 429, "{body}");
        }
        body
    }

    /// Something that must be refused, with this status and code.
    #[track_caller]
    pub fn rejected(&mut self, event: &str, payload: &Value, status: u16, code: &str) -> Value {
        let answer = self.ask(event, payload);
        assert_eq!((answer.done, answer.body["code"].as_str()), (false, Some(code)), "{event}: {answer:?}");
        if let Some(got) = answer.status {
            assert_eq!(got, status, "{answer:?}");
            assert_eq!(answer.retry_after.is_some(), matches!(status, 429 | 503), "{answer:?}");
        }
        answer.body
    }

    /// What is left to somebody, what is left to all, whether they may speak, and what the conversation ended by.
    pub fn left(&mut self, participant: &str) -> Value {
        let context = self.done("context", &json!({ "participant": participant }));
        let (share, total) = (&context["share"], &context["total"]);
        let messages = |budget: &Value| budget["remaining"]["messages"].clone();
        json!([messages(share), messages(total), share["may_send"], context["exhausted"]])
    }

    /// Messages that were charged to all.
    pub fn used(&mut self) -> u64 {
        self.done("capacity", &json!({}))["total"]["used"]["messages"].as_u64().unwrap()
    }

    /// The payloads of one event that were heard on the topic up to now.
    pub fn heard(&mut self, event: &str) -> Vec<Value> {
        // A line that is written now comes after all that came of what was asked before.
        self.fences += 1;
        let change = json!({ "metadata": { "fence": self.fences.to_string() } });
        let offset = self.speaker.ask("configure", &change)["response"]["offset"].take();
        assert!(offset.is_u64());
        self.heard.extend(self.listener.broadcasts_up_to(|told| told["meta"]["offset"] == offset));
        let of = self.heard.iter().filter(|told| told["event"] == event);
        of.map(|told| told["payload"].clone()).collect()
    }

    /// The lines of one event in the log.
    pub fn logged(&self, event: &str) -> Vec<Value> {
        let page = self.gateway.get(&format!("/api/conversations/{}/messages?limit=1000", self.id));
        let lines = page["items"].as_array().unwrap();
        assert!(lines.iter().map(|line| line["offset"].as_u64().unwrap()).eq(1..=lines.len() as u64));
        lines.iter().filter(|line| line["event"] == event).cloned().collect()
    }
}
