//! A matchmaker over a database of its own, and what must hold of its rows at the end.

use crate::support::{Db, actor, until};
use arena_bus::{Bus, BusSettings, Message, Payload, Rest, Sink};
use arena_control::{
    Control, ControlSettings, Matchmaking, MatchmakingSettings, ServiceError, Services, TicketView,
};
use arena_core::admission::AdmissionRules;
use arena_core::conversation::{Caps, Command, ConversationId, Limits, ParticipantId, Say, Setup};
use arena_core::matching::{
    Kind, MatchId, MatchState, Outcome, QueueName, Rules, TicketId, TicketState, Wish,
};
use arena_sim::{TownMap, WorldSettings};
use arena_store::{MatchRow, Store, StoreOptions};
use arena_testing::MATCHING_RULES;
use arena_worlds::native::{NativeHost, NativeSettings};
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One process's worth of matchmaking.
pub(crate) struct House {
    pub(crate) bus: Bus,
    pub(crate) store: Store,
    control: Control,
    pub(crate) services: Services,
    matchmaking: Matchmaking,
}

impl Deref for House {
    type Target = Matchmaking;

    fn deref(&self) -> &Matchmaking {
        &self.matchmaking
    }
}

/// Everything happens soon.
pub(crate) fn quick() -> MatchmakingSettings {
    MatchmakingSettings {
        gather: Duration::from_millis(5),
        every: Duration::from_millis(50),
        sweep_every: Duration::from_millis(30),
        ..MatchmakingSettings::default()
    }
}

/// Nothing is put together here: for tests that do something before that.
pub(crate) fn idle() -> MatchmakingSettings {
    MatchmakingSettings { matches: false, ..quick() }
}

/// Pairs of anybody who is not the last partner, with time to confirm.
pub(crate) fn pairs() -> Rules {
    Rules { confirm_ms: 60_000, ..Rules::default() }
}

impl House {
    /// With a queue `q` of these rules.
    pub(crate) async fn with(db: &Db, rules: Rules) -> House {
        let house = House::open(db, quick()).await;
        house.rules(rules).await;
        house
    }

    pub(crate) async fn open(db: &Db, settings: MatchmakingSettings) -> House {
        House::open_on(db, settings, Bus::default()).await
    }

    pub(crate) async fn open_on(db: &Db, matchmaking: MatchmakingSettings, bus: Bus) -> House {
        House::open_with(db, matchmaking, bus, AdmissionRules::default()).await
    }

    pub(crate) async fn open_with(
        db: &Db,
        matchmaking: MatchmakingSettings,
        bus: Bus,
        rules: AdmissionRules,
    ) -> House {
        let store = Store::open(&StoreOptions { rules, ..db.options() }).await.unwrap();
        let native = NativeHost::new(NativeSettings {
            map: TownMap::town(),
            world: WorldSettings::default(),
            mailbox: 64,
            seed: 7,
            bus: bus.clone(),
            talk: None,
        });
        let settings = ControlSettings { matchmaking, ..ControlSettings::default() };
        let control = Control::start(store.clone(), Arc::new(native.unwrap()), bus.clone(), settings);
        let services = control.services();
        House { bus, store, control, matchmaking: services.matchmaking.clone(), services }
    }

    /// Ends in good order. The rows must be in order then.
    pub(crate) async fn close(self, db: &Db) {
        assert!(self.control.shutdown(Duration::from_secs(20)).await, "not in time");
        self.store.close().await;
        in_order(db).await;
    }

    /// Ends as by a crash.
    pub(crate) async fn crash(self) {
        drop(self.control);
        self.store.close().await;
    }

    pub(crate) async fn rules(&self, rules: Rules) {
        self.put_queue(&actor(), &q(), rules).await.unwrap();
    }

    pub(crate) async fn joins(&self, user: &str) -> TicketId {
        self.wishes(human(user)).await
    }

    pub(crate) async fn wishes(&self, wish: Wish) -> TicketId {
        self.enqueue(&q(), None, wish).await.unwrap().ticket.id
    }

    pub(crate) async fn state(&self, ticket: TicketId) -> TicketState {
        self.ticket(ticket).await.unwrap().ticket.state
    }

    /// Waits until a ticket is in this state.
    pub(crate) async fn until(&self, ticket: TicketId, state: TicketState) -> TicketView {
        until(&format!("{ticket} is {}", state.as_str()), async || self.state(ticket).await == state).await;
        self.ticket(ticket).await.unwrap()
    }

    /// Waits until a ticket is proposed a match.
    pub(crate) async fn proposed(&self, ticket: TicketId) -> MatchRow {
        self.until(ticket, TicketState::Proposed).await.in_match.unwrap()
    }

    /// Two users in a match that stands.
    pub(crate) async fn pair(&self, one: Wish, other: Wish) -> (TicketId, TicketId, MatchRow) {
        let users = [one.user.clone(), other.user.clone()];
        let (one, other) = (self.wishes(one).await, self.wishes(other).await);
        let row = self.proposed(one).await;
        for user in &users {
            self.confirm(row.id, user).await.unwrap();
        }
        let row = self.get_match(row.id).await.unwrap();
        assert_eq!(row.state, MatchState::Standing);
        (one, other, row)
    }

    /// Waits until the conversation of a match that is over agrees with it.
    pub(crate) async fn until_settled(&self) {
        let settled = async || self.store.unsettled_matches(10).await.unwrap().is_empty();
        until("matches are settled", settled).await;
    }

    /// What is told to a user from now on.
    pub(crate) fn ear(&self, topic: &str) -> Arc<Ear> {
        let ear = Arc::new(Ear::default());
        let stream = self.bus.open(&topic.parse().unwrap()).unwrap();
        stream.attach(Arc::clone(&ear) as Arc<dyn Sink>);
        ear
    }

    pub(crate) async fn says(
        &self,
        conversation: &ConversationId,
        author: &str,
        text: &str,
    ) -> Result<(), String> {
        let said = self.services.conversations.submit(&actor(), conversation, say(author, text)).await;
        said.map(drop).map_err(|error| error.to_string())
    }

    /// The log's events.
    pub(crate) async fn log(&self, conversation: &ConversationId) -> Vec<(String, serde_json::Value)> {
        let page = self.services.conversations.messages(conversation, 0, 500).await.unwrap();
        let read = |line: &arena_control::LogLine| serde_json::from_slice(&line.body).unwrap();
        page.lines.iter().map(|line| (line.event.to_string(), read(line))).collect()
    }
}

/// What must hold of the rows, whatever happened.
pub(crate) async fn in_order(db: &Db) {
    let mut raw = db.raw().await;
    for (rule, breaches) in MATCHING_RULES {
        let found = sqlx::query(*breaches).fetch_all(&mut raw).await.unwrap();
        assert!(found.is_empty(), "broken {} times: {rule}", found.len());
    }
    sqlx::Connection::close(raw).await.unwrap();
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
    /// The payloads of one kind.
    pub(crate) fn of(&self, event: &str) -> Vec<serde_json::Value> {
        let heard = self.heard.lock().unwrap().clone();
        let payload = |message: &Arc<Message>| {
            let Payload::Json(json) = &message.payload else { panic!("no JSON: {message:?}") };
            serde_json::from_slice(json).unwrap()
        };
        heard.iter().filter(|message| &*message.event == event).map(payload).collect()
    }

    /// The states of the tickets that it was told of, each once in a row.
    pub(crate) fn states(&self) -> Vec<String> {
        let mut states: Vec<String> =
            self.of("ticket").iter().map(|ticket| ticket["state"].as_str().unwrap().to_owned()).collect();
        states.dedup();
        states
    }
}

/// A bus that takes next to nothing.
pub(crate) fn narrow_bus() -> Bus {
    Bus::new(BusSettings { max_pending: 0, ..BusSettings::default() })
}

pub(crate) fn q() -> QueueName {
    "q".parse().unwrap()
}

pub(crate) fn who(user: &str) -> ParticipantId {
    user.parse().unwrap()
}

pub(crate) fn human(user: &str) -> Wish {
    Wish::of(who(user), Kind::Human)
}

pub(crate) fn bot(user: &str) -> Wish {
    Wish::of(who(user), Kind::Bot)
}

pub(crate) fn say(author: &str, text: &str) -> Command {
    Command::Say(Say {
        author: who(author),
        id: None,
        text: text.to_owned(),
        data: None,
        tokens: 0,
        cost_micros: 0,
        reservation: None,
    })
}

/// Rules whose matches end after so many messages.
pub(crate) fn talk_of(messages: u64) -> Outcome {
    let total = Caps { messages: Some(messages), ..Caps::default() };
    let limits = Limits { total, ..Limits::default() };
    Outcome::Talk(Box::new(Setup { limits, ..Setup::default() }))
}

pub(crate) fn code(error: ServiceError) -> &'static str {
    error.code()
}

/// The matches of these tickets: what they are in, or were in last.
pub(crate) async fn match_of(house: &House, ticket: TicketId) -> Option<MatchId> {
    house.ticket(ticket).await.unwrap().ticket.in_match
}

impl House {
    /// The match that a ticket is proposed, unless that was missed.
    pub(crate) async fn ticket_row_of_match(&self, ticket: TicketId) -> Option<MatchRow> {
        until("there was a match", async || match_of(self, ticket).await.is_some()).await;
        self.ticket(ticket).await.unwrap().in_match
    }
}

impl House {
    pub(crate) async fn close_by_operator(&self, id: MatchId) -> MatchRow {
        Matchmaking::close(self, &actor(), id).await.unwrap()
    }
}
