//! A bot with a language model, which is a stub here, in a conversation with a budget of tokens.

use super::client::Kind;
use super::gateway::Gateway;
use super::lobby::Visitor;
use super::service::{Fleet, QuickBots, key};
use super::support::PATIENCE;
use arena_testing::wait_until;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;

const TOPIC: &str = "conversation:model";

/// Tokens that the stub says a reply takes.
const PROMPT: u64 = 40;
const REPLY: u64 = 5;

/// A chat endpoint as OpenAI's: it streams the words that it is told to, and the second half of them when it may.
struct Stub {
    address: String,
    held: Arc<RwLock<()>>,
    asked: Arc<AtomicUsize>,
    down: Arc<AtomicBool>,
}

impl Stub {
    fn start() -> Stub {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let stub = Stub { address, held: Arc::default(), asked: Arc::default(), down: Arc::default() };
        let (held, asked, down) = (Arc::clone(&stub.held), Arc::clone(&stub.asked), Arc::clone(&stub.down));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (held, asked, down) = (Arc::clone(&held), Arc::clone(&asked), Arc::clone(&down));
                // A client that goes away in the middle of it is no failure of the stub's.
                thread::spawn(move || answer(stream, &held, &asked, &down).ok());
            }
        });
        stub
    }

    fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(
    mut stream: TcpStream,
    held: &RwLock<()>,
    asked: &AtomicUsize,
    down: &AtomicBool,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    asked.fetch_add(1, Ordering::SeqCst);
    if down.load(Ordering::SeqCst) {
        return stream.write_all(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")?;
    let word = |text: &str| json!({ "choices": [{ "index": 0, "delta": { "content": text } }] });
    let end = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
    let usage =
        json!({ "prompt_tokens": PROMPT, "completion_tokens": REPLY, "total_tokens": PROMPT + REPLY });
    event(&mut stream, &word("A model"))?;
    drop(held.read().unwrap_or_else(PoisonError::into_inner));
    event(&mut stream, &word(" says so."))?;
    event(&mut stream, &end)?;
    event(&mut stream, &json!({ "choices": [], "usage": usage }))?;
    stream.write_all(b"data: [DONE]\n\n")
}

fn event(stream: &mut TcpStream, data: &Value) -> std::io::Result<()> {
    stream.write_all(format!("data: {data}\n\n").as_bytes())
}

/// One bot with a model, in a conversation with ann, who sees it come.
fn begin(gateway: &Gateway, stub: &Stub, limits: &Value) -> (Fleet, Visitor, String, QuickBots) {
    let bots = QuickBots::new(1, "llm");
    let model =
        [("ARENA_FLEET__LLM_BASE_URL", stub.base_url()), ("ARENA_FLEET__LLM_MODEL", "stub".to_owned())];
    let settings = [bots.settings(), model].concat();
    let fleet = Fleet::with(1, &gateway.endpoint(), &key(gateway), &settings);
    let mut ann = Visitor::enter(gateway, Kind::RealtimeJs2, "ann");
    let bot = ann.until_bots(1).into_keys().next().unwrap();
    let setup = json!({ "id": "model", "participants": ["ann", bot], "limits": limits });
    gateway.post("/api/conversations", &setup);
    ann.client.join(TOPIC, json!({ "broadcast": { "ack": true } }));
    (fleet, ann, bot, bots)
}

fn total(gateway: &Gateway) -> Value {
    gateway.get("/api/conversations/model/capacity")["total"].clone()
}

fn said(ann: &mut Visitor, bot: &str) -> Value {
    let what = "the bot speaks";
    ann.client.expect(what, |seen| seen["event"] == "message" && seen["payload"]["author"] == bot)
}

#[test]
fn tokens_are_held_while_a_model_writes_and_charged_when_the_bot_has_spoken() {
    let (gateway, stub) = (Gateway::start(), Stub::start());
    let writing = stub.held.write().unwrap();
    let limits = json!({ "max_total_tokens": 100_000 });
    let (fleet, mut ann, bot, _roster) = begin(&gateway, &stub, &limits);
    fleet.send("model", Some(&bot));
    ann.client.send(TOPIC, "message", json!({ "text": "What do models say?" }));
    wait_until(PATIENCE, "the model writes", || stub.asked() > 0);
    let held = total(&gateway);
    assert!(held["held"]["tokens"].as_u64() > Some(0), "{held}");

    drop(writing);
    let line = ann.client.expect("the model's words", |seen| seen["payload"]["text"] == "A model says so.");
    assert_eq!((&line["payload"]["author"], &line["payload"]["data"]["bot"]), (&json!(bot), &json!(true)));
    assert_eq!(line["payload"]["tokens"], PROMPT + REPLY, "{line}");
    wait_until(PATIENCE, "nothing is held any more", || total(&gateway)["held"]["tokens"] == 0);
    let used = total(&gateway)["used"]["tokens"].as_u64().unwrap();
    assert!(used >= PROMPT + REPLY && used.is_multiple_of(PROMPT + REPLY), "{used}");
}

#[test]
fn a_bot_whose_model_is_down_talks_all_the_same_and_holds_nothing() {
    let (gateway, stub) = (Gateway::start(), Stub::start());
    stub.down.store(true, Ordering::SeqCst);
    let (fleet, mut ann, bot, _roster) = begin(&gateway, &stub, &json!({ "max_total_tokens": 100_000 }));
    fleet.send("model", Some(&bot));
    said(&mut ann, &bot);
    ann.client.send(TOPIC, "message", json!({ "text": "Are you there?" }));
    let line = said(&mut ann, &bot);
    assert_eq!(line["payload"]["data"]["bot"], true);
    assert!(stub.asked() > 0, "it was tried");
    let left = total(&gateway);
    assert_eq!((&left["held"]["tokens"], &left["used"]["tokens"]), (&json!(0), &json!(0)), "{left}");
}
