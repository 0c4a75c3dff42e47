//! Conversations over a database of their own.

use arena_bus::{Bus, Message, Payload, Rest, Sink};
use arena_control::{
    Control, ControlSettings, ConversationSettings, Conversations, LogLine, Receipt, SubmitError, Summary,
};
use arena_core::conversation::{
    Caps, Code, Command, ConversationId, Limits, MessageId, ParticipantId, Refusal, Say, Setup,
};
use arena_sim::{TownMap, WorldSettings};
use arena_store::{Actor, Store, StoreOptions};
use arena_testing::TestDatabase;
use arena_worlds::native::{NativeHost, NativeSettings};
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Long enough for a busy machine; nothing waits that long when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// An empty database.
pub(crate) struct Db(pub(crate) TestDatabase);

/// Runs a check on a database that is gone afterwards.
pub(crate) fn run(database: TestDatabase, check: impl AsyncFnOnce(&Db)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(check(&Db(database)));
}

/// One process's worth of conversations.
pub(crate) struct House {
    pub(crate) bus: Bus,
    pub(crate) store: Store,
    control: Control,
    conversations: Conversations,
}

impl Deref for House {
    type Target = Conversations;

    fn deref(&self) -> &Conversations {
        &self.conversations
    }
}

impl House {
    pub(crate) async fn open(db: &Db) -> House {
        House::open_with(db, ConversationSettings::default()).await
    }

    pub(crate) async fn open_with(db: &Db, conversations: ConversationSettings) -> House {
        let options = StoreOptions { max_connections: 6, ..StoreOptions::new(db.0.url()) };
        let store = Store::open(&options).await.unwrap();
        let bus = Bus::default();
        let native = NativeHost::new(NativeSettings {
            map: TownMap::town(),
            world: WorldSettings::default(),
            mailbox: 64,
            seed: 7,
            bus: bus.clone(),
            talk: None,
        });
        let settings = ControlSettings { conversations, ..ControlSettings::default() };
        let control = Control::start(store.clone(), Arc::new(native.unwrap()), bus.clone(), settings);
        let conversations = control.services().conversations;
        House { bus, store, control, conversations }
    }

    /// Ends in good order.
    pub(crate) async fn close(self) {
        assert!(self.control.shutdown(Duration::from_secs(20)).await, "not in time");
        self.store.close().await;
    }

    /// Ends as by a crash.
    pub(crate) async fn crash(self) {
        drop(self.control);
        self.store.close().await;
    }

    pub(crate) async fn begin(&self, conversation: &str, setup: Setup) -> Summary {
        self.create(&actor(), Some(id(conversation)), setup, None).await.unwrap()
    }

    pub(crate) async fn order(&self, conversation: &str, command: Command) -> Result<Receipt, SubmitError> {
        self.submit(&actor(), &id(conversation), command).await
    }

    pub(crate) async fn said(&self, conversation: &str, author: &str, text: &str) -> Receipt {
        self.order(conversation, say(author, text)).await.unwrap()
    }

    /// Waits until everything that was answered so far is told as well: an answer comes first.
    pub(crate) async fn told(&self, conversation: &str) {
        self.get(&id(conversation)).await.unwrap();
    }

    /// A message that must be refused.
    pub(crate) async fn refused(&self, conversation: &str, command: Command) -> Refusal {
        match self.order(conversation, command).await {
            Err(SubmitError::Refused(refusal)) => *refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    pub(crate) async fn code(&self, conversation: &str, author: &str) -> Code {
        self.refused(conversation, say(author, "?")).await.code
    }

    /// The whole log.
    pub(crate) async fn log(&self, conversation: &str) -> Vec<LogLine> {
        let mut lines: Vec<LogLine> = Vec::new();
        loop {
            let after = lines.last().map_or(0, |line| line.position);
            let page = self.messages(&id(conversation), after, 500).await.unwrap();
            lines.extend(page.lines);
            if !page.more {
                let positions: Vec<u64> = lines.iter().map(|line| line.position).collect();
                let gapless: Vec<u64> = (1..=lines.len() as u64).collect();
                assert_eq!(positions, gapless, "offsets have no gaps");
                return lines;
            }
        }
    }

    /// How many lines of one kind the log has.
    pub(crate) async fn count(&self, conversation: &str, event: &str) -> usize {
        self.log(conversation).await.iter().filter(|line| &*line.event == event).count()
    }

    /// Everything that is said on a conversation's topic from now on.
    pub(crate) async fn ear(&self, conversation: &str) -> Arc<Ear> {
        let listening = self.listen(&id(conversation)).await.unwrap();
        let ear = Arc::new(Ear::default());
        listening.stream.attach(Arc::clone(&ear) as Arc<dyn Sink>);
        ear
    }

    /// What operators hear from now on.
    pub(crate) fn operator(&self) -> Arc<Ear> {
        let ear = Arc::new(Ear::default());
        let stream = self.bus.open(&"operator:conversations".parse().unwrap()).unwrap();
        stream.attach(Arc::clone(&ear) as Arc<dyn Sink>);
        ear
    }
}

/// Writes down what it hears.
#[derive(Default)]
pub(crate) struct Ear {
    heard: Mutex<Vec<Arc<Message>>>,
}

impl Sink for Ear {
    fn deliver(&self, messages: &[Arc<Message>]) -> Option<Rest> {
        self.heard.lock().unwrap().extend(messages.iter().cloned());
        None
    }
}

impl Ear {
    pub(crate) fn heard(&self) -> Vec<Arc<Message>> {
        self.heard.lock().unwrap().clone()
    }

    /// The payloads of one kind.
    pub(crate) fn of(&self, event: &str) -> Vec<serde_json::Value> {
        let heard = self.heard();
        heard.iter().filter(|message| &*message.event == event).map(|message| json(message)).collect()
    }

    /// The events, in order.
    pub(crate) fn events(&self) -> Vec<String> {
        self.heard().iter().map(|message| message.event.to_string()).collect()
    }
}

pub(crate) fn json(message: &Message) -> serde_json::Value {
    let Payload::Json(json) = &message.payload else { panic!("no JSON: {message:?}") };
    serde_json::from_slice(json).unwrap()
}

pub(crate) fn actor() -> Actor {
    Actor::parse("tester").unwrap()
}

pub(crate) fn id(text: &str) -> ConversationId {
    text.parse().unwrap()
}

pub(crate) fn who(text: &str) -> ParticipantId {
    text.parse().unwrap()
}

pub(crate) fn message(text: &str) -> MessageId {
    text.parse().unwrap()
}

pub(crate) fn say(author: &str, text: &str) -> Command {
    Command::Say(line(author, text))
}

/// The same under an id.
pub(crate) fn say_as(author: &str, text: &str, message_id: &str) -> Command {
    Command::Say(Say { id: Some(message(message_id)), ..line(author, text) })
}

pub(crate) fn line(author: &str, text: &str) -> Say {
    Say {
        author: who(author),
        id: None,
        text: text.to_owned(),
        data: None,
        tokens: 0,
        cost_micros: 0,
        reservation: None,
    }
}

/// So many messages for each, and in all.
pub(crate) fn limits(replies: Option<u64>, total: Option<u64>) -> Limits {
    Limits { per_participant: caps(replies), total: caps(total), ..Limits::default() }
}

pub(crate) fn caps(messages: Option<u64>) -> Caps {
    Caps { messages, ..Caps::default() }
}

/// With a roster, and limits.
pub(crate) fn setup(participants: &[&str], limits: Limits) -> Setup {
    Setup { participants: participants.iter().map(|name| who(name)).collect(), limits, ..Setup::default() }
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
