//! What is written down: neither prompts nor keys.

use super::*;
use serde_json::json;
use std::fmt::{Debug, Write};
use std::sync::Mutex;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

/// Keeps everything that anybody logs, at any level.
#[derive(Clone, Default)]
struct Notebook(Arc<Mutex<String>>);

struct Words<'a>(&'a mut String);

impl Visit for Words<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

impl Subscriber for Notebook {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        attributes.record(&mut Words(&mut self.0.lock().unwrap()));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut Words(&mut self.0.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Words(&mut self.0.lock().unwrap()));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn nothing_of_a_talk_or_a_key_is_logged_whatever_goes_wrong() {
    let notebook = Notebook::default();
    let _kept = tracing::subscriber::set_default(notebook.clone());
    let secret = "my garden gate is green";
    let quotes = json!({"message": format!("{KEY} may not ask {secret:?}"), "code": format!("bad {KEY}")});
    let stub = Stub::start(streams("Green as grass, I think.", (1, 1))).await;
    let brains = brains(LlmSettings { stall_timeout: Duration::from_secs(1), ..settings(&stub) });
    let (_, purse) = Book::open();
    for does in [
        streams("Green as grass, I think.", (1, 1)),
        Does::ErrorInStream,
        streams("Green as grass, I think.", (1, 1)),
        Does::Malformed,
        streams("Green as grass, I think.", (1, 1)),
        Does::Stalls,
        Does::Refuses(401, None, quotes),
    ] {
        stub.plan([does]);
        Talk::new(&brains, "bot-1", &purse).hear(secret).await;
    }
    let written = notebook.0.lock().unwrap().clone();
    assert!(written.contains("left alone") && written.contains("http_401"), "{written}");
    for word in [KEY, "garden", "grass", "puzzles"] {
        assert!(!written.contains(word), "{word} is logged: {written}");
    }
    let told = format!("{:?}", stats(&brains));
    assert!(!told.contains(KEY) && !told.contains("garden"), "{told}");
}
