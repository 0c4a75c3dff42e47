use super::*;
use crate::brain::{Act, Brain, Scene, Sensed, Spent};
use crate::channel::{ChannelEvent, Reply};
use crate::identity::{BrainKind, Identity};
use crate::monitor::{BotState, Monitor};
use crate::testkit::{Hall, pass, settle};
use crate::token::TokenSource;
use arena_core::fleet::{Fault, FaultClass};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

const LOBBY: &str = "lobby:main";
const TALK: &str = "conversation:c";

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn say(text: &str) -> Act {
    Act::Say { text: text.to_owned(), typing: secs(1), spent: None }
}

/// A brain that is given what to do.
struct Given(Arc<dyn Fn(&Sensed) -> Vec<Act> + Send + Sync>);

#[async_trait]
impl Brain for Given {
    fn kind(&self) -> BrainKind {
        BrainKind::Scripted
    }

    async fn think(&mut self, scene: Scene<'_>, sensed: Sensed) -> Vec<Act> {
        if let Sensed::Heard { line, .. } = &sensed {
            match line.text.as_str() {
                "panic" => panic!("as the test wants it"),
                "hang" => std::future::pending().await,
                "pay" => {
                    let reservation = scene.purse.reserve(10, 100).await;
                    return vec![say(&format!("{reservation:?}"))];
                }
                "pay and hang" => {
                    let _ = scene.purse.reserve(10, 100).await;
                    std::future::pending().await
                }
                "pay and type" => {
                    let reservation = scene.purse.reserve(10, 100).await.unwrap();
                    let spent = Some(Spent { reservation, tokens: 1, cost_micros: 1 });
                    return vec![Act::Say { text: "long".to_owned(), typing: secs(30), spent }];
                }
                _ => {}
            }
        }
        (self.0)(&sensed)
    }
}

fn polite(sensed: &Sensed) -> Vec<Act> {
    match sensed {
        Sensed::Entered { history } => vec![say(&format!("hello after {}", history.len()))],
        Sensed::Heard { line, last_word: false } if line.text == "go" => vec![say("as you like"), Act::Leave],
        Sensed::Heard { line, last_word: false } => vec![say(&format!("you said {}", line.text))],
        Sensed::Heard { last_word: true, .. } => vec![say("last word"), Act::Leave],
        Sensed::Quiet { lasted } => vec![say(&format!("quiet for {}", lasted.as_secs()))],
        Sensed::Leaving => vec![say("bye")],
        Sensed::World { body, .. } => {
            vec![Act::Input { event: "look".to_owned(), payload: json!({ "body": body }) }]
        }
        Sensed::Delta { delta } => vec![Act::Input { event: "move".to_owned(), payload: delta.clone() }],
        Sensed::Refused { .. } | Sensed::Idle => vec![],
    }
}

struct Stage {
    hall: Hall,
    monitor: Monitor,
    around: Around,
    leave: watch::Sender<Option<Leave>>,
    takes_on: watch::Sender<bool>,
    orders: Option<mpsc::Sender<Order>>,
    bots: JoinSet<BotEnd>,
    notes: Option<mpsc::Receiver<Note>>,
}

fn stage_with(brain: impl Fn(&Sensed) -> Vec<Act> + Send + Sync + 'static) -> Stage {
    let monitor = Monitor::default();
    let hall = Hall::new(&monitor);
    let brain: Arc<dyn Fn(&Sensed) -> Vec<Act> + Send + Sync> = Arc::new(brain);
    let around = Around {
        open: hall.open(),
        brains: Arc::new(move |_, _| Box::new(Given(brain.clone()))),
        tokens: Arc::new(|me| TokenSource::fixed(&me.id)),
        seats: None,
        monitor: monitor.clone(),
        instance: "fleet-1".into(),
        lobby: LOBBY.into(),
        queues: Vec::new(),
        settings: BotSettings::default(),
    };
    let (leave, takes_on) = (watch::channel(None).0, watch::channel(true).0);
    Stage { hall, monitor, around, leave, takes_on, orders: None, bots: JoinSet::new(), notes: None }
}

fn stage() -> Stage {
    stage_with(polite)
}

impl Stage {
    async fn start(&mut self) {
        self.start_in(None).await;
    }

    async fn start_in(&mut self, world: Option<&str>) {
        self.start_as(BrainKind::Scripted, world).await;
    }

    async fn start_as(&mut self, brain: BrainKind, world: Option<&str>) {
        let me = Arc::new(Identity {
            id: "bot-ada".to_owned(),
            name: "Ada".to_owned(),
            persona: "guide".to_owned(),
            brain,
            world: world.map(str::to_owned),
        });
        let (orders, taken) = mpsc::channel(4);
        let (notes, told) = mpsc::channel(16);
        self.monitor.bot_started(me.clone());
        let around = Arc::new(self.around.clone());
        let takes_on = self.takes_on.subscribe();
        let bot = Bot { around, me, orders: taken, leave: self.leave.subscribe(), takes_on, notes };
        self.bots.spawn(bot.live());
        (self.orders, self.notes) = (Some(orders), Some(told));
        pass(Duration::from_millis(250)).await;
    }

    async fn talk(&self) -> Result<(), Fault> {
        let (answer, answered) = oneshot::channel();
        let order = Order::Talk { conversation: "c".to_owned(), answer };
        self.orders.as_ref().unwrap().try_send(order).unwrap();
        answered.await.unwrap()
    }

    fn ann_says(&self, text: &str) {
        self.hall.say(TALK, "message", json!({ "author": "ann", "text": text }));
    }

    fn state(&self) -> BotState {
        self.monitor.bots_now()[0].state
    }

    fn shown(&self) -> Vec<(String, Value)> {
        self.hall.present(LOBBY)
    }

    async fn ended(&mut self) -> BotEnd {
        tokio::time::timeout(secs(1), self.bots.join_next())
            .await
            .expect("the bot has ended")
            .unwrap()
            .unwrap()
    }

    fn is_nowhere(&self) -> bool {
        self.hall.members(LOBBY).is_empty() && self.hall.members(TALK).is_empty() && self.shown().is_empty()
    }
}

#[tokio::test(start_paused = true)]
async fn a_bot_shows_in_the_lobby_what_it_is_and_what_it_does() {
    let mut stage = stage();
    stage.start().await;
    let idle = json!({
        "bot": true, "name": "Ada", "persona": "guide", "brain": "scripted", "state": "idle", "fleet": "fleet-1"
    });
    assert_eq!(stage.shown(), [("bot-ada".to_owned(), idle)]);
    assert_eq!(stage.state(), BotState::Idle);
    assert!(matches!(stage.notes.as_mut().unwrap().try_recv(), Ok(Note::Active { .. })));

    stage.talk().await.unwrap();
    settle().await;
    assert_eq!(stage.shown()[0].1["state"], "talking");
    assert_eq!(stage.state(), BotState::Talking);
    let there = stage.hall.present(TALK);
    assert_eq!((there[0].0.as_str(), &there[0].1["bot"]), ("bot-ada", &json!(true)));
}

const OWN: &str = "user:bot-ada";
const MATCH: &str = "00000000-0000-0000-0000-00000000000a";

impl Stage {
    /// A bot that waits in a queue, and its ticket's id.
    async fn start_waiting(&mut self) -> String {
        self.around.queues = vec!["strangers".to_owned()];
        self.hall.answer("match_status", true, json!({ "ticket": null }));
        self.hall.answer_by("match_enqueue", |wish| {
            let id = wish["id"].as_str().unwrap();
            Reply { ok: true, response: ticket(id, 1, "waiting") }
        });
        self.start().await;
        let wish = self.matchmaker_heard("match_enqueue").pop().unwrap();
        assert_eq!(
            (&wish["queue"], &wish["kind"], &wish["name"]),
            (&json!("strangers"), &json!("bot"), &json!("Ada"))
        );
        wish["id"].as_str().unwrap().to_owned()
    }

    /// What the bot has said to the matchmaker.
    fn matchmaker_heard(&self, event: &str) -> Vec<Value> {
        let said = self.hall.said().into_iter().filter(|said| said.topic == OWN && said.event == event);
        said.map(|said| said.payload).collect()
    }

    /// The matchmaker tells of the ticket, and so much time passes.
    async fn ticket_is(&self, id: &str, version: i64, state: &str) {
        self.hall.say(OWN, "ticket", ticket(id, version, state));
        pass(secs(2)).await;
    }
}

fn ticket(id: &str, version: i64, state: &str) -> Value {
    let met = (state != "waiting").then(|| json!({ "id": MATCH, "state": "standing", "conversation": "c" }));
    json!({ "id": id, "version": version, "state": state, "match": met })
}

#[tokio::test(start_paused = true)]
async fn an_idle_bot_is_matched_talks_says_goodbye_and_waits_again() {
    let mut stage = stage();
    let id = stage.start_waiting().await;
    assert_eq!(stage.hall.members(OWN), ["bot-ada"]);
    stage.ticket_is(&id, 2, "proposed").await;
    assert_eq!(stage.matchmaker_heard("match_confirm"), [json!({ "match": MATCH })]);
    assert_eq!(stage.talk().await.unwrap_err().code, "bot_busy", "somebody counts on it");
    assert_eq!(stage.state(), BotState::Idle);
    stage.ticket_is(&id, 3, "matched").await;
    assert_eq!(
        (stage.state(), stage.hall.texts(TALK)),
        (BotState::Talking, vec!["hello after 0".to_owned()])
    );
    stage.ticket_is(&id, 4, "over").await;
    assert_eq!(stage.hall.texts(TALK), ["hello after 0", "bye"]);
    assert!(stage.hall.members(TALK).is_empty());
    assert_eq!(stage.state(), BotState::Idle);
    let wishes = stage.matchmaker_heard("match_enqueue");
    assert_eq!(wishes.len(), 2, "it waits again");
    assert_ne!(wishes[0]["id"], wishes[1]["id"]);
}

#[tokio::test(start_paused = true)]
async fn a_talk_that_ends_by_itself_ends_the_match() {
    let mut stage = stage();
    let id = stage.start_waiting().await;
    stage.ticket_is(&id, 2, "matched").await;
    stage.ann_says("go");
    pass(secs(2)).await;
    assert_eq!(stage.matchmaker_heard("match_leave"), [json!({ "match": MATCH })]);
    assert!(stage.matchmaker_heard("match_decline").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_is_wanted_elsewhere_or_rests_takes_its_ticket_back() {
    for leaves in [false, true] {
        let mut stage = stage();
        let id = stage.start_waiting().await;
        if leaves {
            stage.takes_on.send_replace(false);
        } else {
            stage.talk().await.unwrap();
        }
        settle().await;
        assert_eq!(stage.matchmaker_heard("match_cancel").len(), 1);
        stage.hall.answer("match_status", true, json!({ "ticket": ticket(&id, 2, "proposed") }));
        // A proposal that was under way is declined.
        stage.ticket_is(&id, 2, "proposed").await;
        assert!(!stage.matchmaker_heard("match_decline").is_empty());
        assert!(stage.matchmaker_heard("match_confirm").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_leaves_takes_its_ticket_back_first() {
    let mut stage = stage();
    stage.start_waiting().await;
    stage.leave.send_replace(Some(Leave::within(secs(60))));
    assert_eq!(stage.ended().await.fault, None);
    assert_eq!(stage.matchmaker_heard("match_cancel").len(), 1);
    assert!(stage.is_nowhere() && stage.hall.members(OWN).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_bot_whose_own_topic_is_closed_to_it_goes_on_without_matches() {
    let mut stage = stage();
    stage.around.queues = vec!["strangers".to_owned()];
    stage.hall.refuse("bot-ada", OWN, Fault::new(FaultClass::Permission, "Unauthorized", "no"));
    stage.start().await;
    stage.talk().await.unwrap();
    assert_eq!(stage.state(), BotState::Talking);
}

#[tokio::test(start_paused = true)]
async fn a_bot_shows_that_it_types_and_stops_when_it_has_spoken() {
    let mut stage = stage();
    stage.start().await;
    stage.talk().await.unwrap();
    settle().await;
    let typing = |stage: &Stage| stage.hall.present(TALK)[0].1["typing"].clone();
    assert_eq!(typing(&stage), true);
    assert_eq!(stage.hall.present(TALK)[0].1["bot"], true, "and still says what it is");
    pass(secs(2)).await;
    assert_eq!((stage.hall.texts(TALK).len(), typing(&stage)), (1, Value::Null));
}

#[tokio::test(start_paused = true)]
async fn a_talk_goes_from_greeting_to_goodbye_and_leaves_an_idle_bot() {
    let mut stage = stage();
    stage.start().await;
    stage.talk().await.unwrap();
    pass(secs(2)).await;
    stage.ann_says("tea?");
    pass(secs(2)).await;
    stage.ann_says("go");
    pass(secs(2)).await;
    assert_eq!(stage.hall.texts(TALK), ["hello after 0", "you said tea?", "as you like"]);
    let line = stage.hall.said().into_iter().find(|said| said.event == "message").unwrap();
    assert_eq!((&line.payload["author"], &line.payload["bot"]), (&json!("bot-ada"), &json!(true)));
    assert_eq!(stage.state(), BotState::Idle);
    assert!(stage.hall.members(TALK).is_empty());
    assert_eq!(stage.shown()[0].1["state"], "idle");

    stage.talk().await.unwrap();
    assert_eq!(stage.talk().await.unwrap_err().code, "bot_busy");
}

#[tokio::test(start_paused = true)]
async fn a_conversation_with_budgets_is_read_first_and_paid_from_a_reservation() {
    let mut stage = stage();
    stage.hall.respond(TALK, json!({ "position": { "offset": 3, "epoch": "e" } }));
    let said = json!({ "payload": { "author": "ann", "text": "before" } });
    stage.hall.answer("context", true, json!({ "exhausted": null, "last": [said] }));
    stage.hall.answer("reserve", true, json!({ "reservation": { "id": "r", "until_ms": 1 } }));
    stage.start().await;
    stage.talk().await.unwrap();
    pass(secs(2)).await;
    stage.ann_says("pay");
    pass(secs(2)).await;
    let texts = stage.hall.texts(TALK);
    assert_eq!(texts[0], "hello after 1");
    assert!(texts[1].starts_with("Ok(Some("), "{texts:?}");
    let line = stage.hall.said().into_iter().find(|said| said.event == "message").unwrap();
    assert_eq!(line.payload["data"]["bot"], true);

    stage.hall.answer("reserve", false, json!({ "code": "token_limit", "reason": "token_limit: none left" }));
    stage.ann_says("pay");
    pass(secs(2)).await;
    assert_eq!(stage.hall.texts(TALK)[2], r#"Err(Unpaid { code: "token_limit" })"#);
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_waits_for_what_was_said_before_hears_that_it_has_to_leave() {
    let mut stage = stage();
    stage.hall.respond(TALK, json!({ "position": {} }));
    stage.hall.ignore("context");
    stage.start().await;
    let (answer, answered) = oneshot::channel();
    let order = Order::Talk { conversation: "c".to_owned(), answer };
    stage.orders.as_ref().unwrap().try_send(order).unwrap();
    pass(secs(1)).await;
    stage.ann_says("hello?");
    stage.leave.send_replace(Some(Leave::now(secs(3))));
    pass(secs(1)).await;
    assert_eq!(answered.await.unwrap().unwrap_err().code, "leaving");
    assert_eq!(stage.ended().await.fault, None);
    assert!(stage.is_nowhere() && stage.hall.texts(TALK).is_empty());
}

#[tokio::test(start_paused = true)]
async fn bots_that_name_it_are_answered_three_times_until_a_human_speaks() {
    let mut stage = stage();
    stage.start().await;
    stage.talk().await.unwrap();
    pass(secs(2)).await;
    let bot_says = |n: u32| {
        let said = json!({ "author": "bo", "text": format!("@bot-ada {n}"), "data": { "bot": true } });
        stage.hall.say(TALK, "message", said);
    };
    let answers = || stage.hall.texts(TALK).iter().filter(|text| text.starts_with("you said @")).count();
    for n in 0..6 {
        bot_says(n);
        pass(secs(2)).await;
    }
    assert_eq!(answers(), 3);
    stage.ann_says("go on");
    bot_says(7);
    pass(secs(4)).await;
    assert_eq!(answers(), 4);
}

/// A brain whose model is there, or not.
struct Modelled(Arc<AtomicBool>);

#[async_trait]
impl Brain for Modelled {
    fn kind(&self) -> BrainKind {
        if self.0.load(Ordering::Relaxed) { BrainKind::Llm } else { BrainKind::Scripted }
    }

    async fn think(&mut self, _: Scene<'_>, _: Sensed) -> Vec<Act> {
        vec![]
    }
}

#[tokio::test(start_paused = true)]
async fn the_lobby_shows_what_makes_a_bot_speak_at_present() {
    let model = Arc::new(AtomicBool::new(false));
    let mut stage = stage();
    let up = model.clone();
    stage.around.brains = Arc::new(move |_, _| Box::new(Modelled(up.clone())));
    stage.start_as(BrainKind::Llm, None).await;
    assert_eq!(stage.shown()[0].1["brain"], "scripted");
    model.store(true, Ordering::Relaxed);
    pass(secs(61)).await;
    assert_eq!(stage.shown()[0].1["brain"], "llm");
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_charged_nothing_is_reserved() {
    let mut stage = stage();
    stage.start().await;
    stage.talk().await.unwrap();
    stage.ann_says("pay");
    pass(secs(4)).await;
    assert_eq!(stage.hall.texts(TALK)[1], "Ok(None)");
    assert!(stage.hall.said().iter().all(|said| said.event == "message"));
}

/// The reservations that were asked for, and those that were given back.
fn reservations(hall: &Hall) -> (Vec<Value>, Vec<Value>) {
    let of = |event: &str| {
        let said = hall.said().into_iter().filter(|said| said.event == event);
        said.map(|said| said.payload["id"].clone()).collect::<Vec<_>>()
    };
    (of("reserve"), of("release"))
}

#[tokio::test(start_paused = true)]
async fn what_is_reserved_is_given_back_before_the_bot_goes_whatever_it_was_doing() {
    let ends: [fn(&Stage, u64); 2] = [
        |stage, ann| stage.hall.vanish(TALK, ann),
        |stage, _| {
            stage.leave.send_replace(Some(Leave::now(secs(3))));
        },
    ];
    for (n, end) in ends.into_iter().enumerate() {
        for line in ["pay and hang", "pay and type"] {
            let mut stage = stage();
            stage.hall.respond(TALK, json!({ "position": {} }));
            stage.hall.answer("reserve", true, json!({ "reservation": { "id": "r" } }));
            stage.start().await;
            let ann = stage.hall.appear(TALK, "ann", json!({}));
            stage.talk().await.unwrap();
            pass(secs(2)).await;
            stage.ann_says(line);
            pass(secs(1)).await;
            end(&stage, ann);
            pass(secs(20)).await;
            assert!(stage.hall.members(TALK).is_empty());
            let (reserved, released) = reservations(&stage.hall);
            assert_eq!((reserved.len(), &released), (1, &reserved), "{line} {n}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_said_is_not_given_back() {
    let mut stage = stage();
    stage.hall.respond(TALK, json!({ "position": {} }));
    stage.hall.answer("reserve", true, json!({ "reservation": { "id": "r" } }));
    stage.start().await;
    stage.talk().await.unwrap();
    stage.ann_says("pay and type");
    pass(secs(40)).await;
    assert_eq!(stage.hall.texts(TALK).last().unwrap(), "long");
    stage.leave.send_replace(Some(Leave::now(secs(3))));
    stage.ended().await;
    let (reserved, released) = reservations(&stage.hall);
    assert_eq!((reserved.len(), released.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_is_exhausted_or_closed_to_the_bot_is_not_entered() {
    let mut stage = stage();
    stage.hall.respond(TALK, json!({ "position": {} }));
    stage.hall.answer("context", true, json!({ "exhausted": "total_limit" }));
    stage.start().await;
    assert_eq!(stage.talk().await.unwrap_err().code, "exhausted");
    pass(secs(1)).await;
    stage.hall.refuse("", TALK, Fault::new(FaultClass::Permission, "Unauthorized", "no"));
    assert_eq!(stage.talk().await.unwrap_err().code, "Unauthorized");
    pass(secs(1)).await;
    assert_eq!((stage.state(), stage.hall.texts(TALK).len()), (BotState::Idle, 0));
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_nobody_answers_for_is_given_up() {
    let mut stage = stage();
    stage.start().await;
    stage.hall.join_takes(secs(3600));
    assert_eq!(stage.talk().await.unwrap_err().code, "entry_timeout");
    pass(secs(10)).await;
    assert_eq!(stage.state(), BotState::Idle);
}

#[tokio::test(start_paused = true)]
async fn a_spent_budget_ends_the_talk_and_a_throttle_does_not() {
    let mut stage = stage();
    stage.start().await;
    stage.talk().await.unwrap();
    pass(secs(2)).await;
    stage.hall.answer("message", false, json!({ "code": "loop_detected", "retry_after_ms": 9_000 }));
    stage.ann_says("again");
    pass(secs(2)).await;
    assert_eq!(stage.state(), BotState::Talking);
    stage.hall.answer("message", false, json!({ "code": "participant_limit", "retry_after_ms": null }));
    stage.ann_says("again");
    pass(secs(2)).await;
    assert_eq!(stage.state(), BotState::Idle);
    assert!(stage.hall.members(TALK).is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_last_word_is_a_goodbye() {
    let mut stage = stage();
    stage.start().await;
    stage.talk().await.unwrap();
    pass(secs(2)).await;
    stage.hall.say(TALK, "notice", json!({ "level": "last_message", "participant": "bot-ada" }));
    stage.ann_says("tea?");
    pass(secs(2)).await;
    assert_eq!(stage.hall.texts(TALK).last().unwrap(), "last word");
    assert_eq!(stage.state(), BotState::Idle);
}

#[tokio::test(start_paused = true)]
async fn a_last_word_is_none_any_more_when_somebody_has_paid_for_others() {
    let mut stage = stage();
    stage.start().await;
    stage.talk().await.unwrap();
    pass(secs(2)).await;
    stage.hall.say(TALK, "notice", json!({ "level": "last_message" }));
    stage.hall.say(TALK, "topped_up", json!({}));
    stage.ann_says("tea?");
    pass(secs(2)).await;
    assert_eq!(stage.hall.texts(TALK).last().unwrap(), "you said tea?");
}

#[tokio::test(start_paused = true)]
async fn a_partner_who_leaves_may_come_back_for_a_while() {
    let mut stage = stage();
    stage.start().await;
    let ann = stage.hall.appear(TALK, "ann", json!({}));
    stage.talk().await.unwrap();
    pass(secs(2)).await;
    stage.hall.vanish(TALK, ann);
    pass(secs(10)).await;
    let ann = stage.hall.appear(TALK, "ann", json!({}));
    pass(secs(30)).await;
    assert_eq!(stage.state(), BotState::Talking);
    stage.hall.vanish(TALK, ann);
    pass(secs(14)).await;
    assert_eq!(stage.state(), BotState::Talking);
    pass(secs(2)).await;
    assert_eq!(stage.state(), BotState::Idle);
}

#[tokio::test(start_paused = true)]
async fn a_silent_partner_is_asked_ever_more_rarely_and_left_with_a_goodbye_after_five_minutes() {
    let mut stage = stage();
    stage.start().await;
    stage.hall.appear(TALK, "ann", json!({}));
    stage.talk().await.unwrap();
    pass(secs(299)).await;
    assert_eq!(stage.state(), BotState::Talking);
    let asked = stage.hall.texts(TALK).iter().filter(|text| text.starts_with("quiet")).count();
    assert!((2..=4).contains(&asked), "{asked}");
    pass(secs(10)).await;
    assert_eq!(stage.hall.texts(TALK).last().unwrap(), "bye");
    assert_eq!(stage.state(), BotState::Idle);
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_was_called_to_where_nobody_is_leaves_after_a_minute() {
    let mut stage = stage();
    stage.start().await;
    stage.talk().await.unwrap();
    pass(secs(59)).await;
    assert_eq!(stage.state(), BotState::Talking);
    pass(secs(10)).await;
    assert_eq!(stage.state(), BotState::Idle);
}

#[tokio::test(start_paused = true)]
async fn an_idle_bot_that_is_told_to_leave_is_gone_at_once() {
    let mut stage = stage();
    stage.start().await;
    stage.leave.send_replace(Some(Leave::within(secs(60))));
    assert_eq!(stage.ended().await.fault, None);
    assert!(stage.is_nowhere());
}

#[tokio::test(start_paused = true)]
async fn a_talker_that_is_told_to_leave_finishes_and_says_goodbye_before_its_deadline() {
    let mut stage = stage();
    stage.start().await;
    stage.talk().await.unwrap();
    pass(secs(2)).await;
    stage.leave.send_replace(Some(Leave::within(secs(60))));
    pass(secs(30)).await;
    assert_eq!((stage.state(), &stage.shown()[0].1["state"]), (BotState::Leaving, &json!("leaving")));
    stage.ann_says("still there?");
    pass(secs(2)).await;
    assert_eq!(stage.hall.texts(TALK).last().unwrap(), "you said still there?");
    pass(secs(26)).await;
    assert_eq!(stage.ended().await.fault, None);
    assert_eq!(stage.hall.texts(TALK).last().unwrap(), "bye");
    assert!(stage.is_nowhere());
}

#[tokio::test(start_paused = true)]
async fn whoever_is_in_the_middle_of_a_long_line_leaves_it_unsaid_for_a_goodbye() {
    let long = |sensed: &Sensed| match sensed {
        Sensed::Heard { .. } => vec![Act::Say { text: "long".to_owned(), typing: secs(25), spent: None }],
        other => polite(other),
    };
    let mut stage = stage_with(long);
    stage.start().await;
    stage.talk().await.unwrap();
    pass(secs(2)).await;
    stage.ann_says("well?");
    pass(secs(2)).await;
    stage.leave.send_replace(Some(Leave::now(secs(5))));
    pass(secs(5)).await;
    assert_eq!(stage.ended().await.fault, None);
    assert_eq!(stage.hall.texts(TALK), ["hello after 0", "bye"]);
    assert!(stage.is_nowhere());
}

#[tokio::test(start_paused = true)]
async fn a_partner_is_told_goodbye_even_by_a_bot_whose_brain_hangs() {
    let mut stage = stage();
    stage.start().await;
    stage.talk().await.unwrap();
    pass(secs(2)).await;
    stage.ann_says("hang");
    pass(secs(2)).await;
    stage.leave.send_replace(Some(Leave::now(secs(5))));
    pass(secs(5)).await;
    assert_eq!(stage.ended().await.fault, None);
    assert_eq!(stage.hall.texts(TALK).len(), 2, "{:?}", stage.hall.texts(TALK));
    assert!(stage.is_nowhere());
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_brain_ends_the_bot_with_a_goodbye_and_leaves_nothing_behind() {
    let mut stage = stage();
    stage.start().await;
    stage.talk().await.unwrap();
    pass(secs(2)).await;
    stage.ann_says("panic");
    pass(secs(1)).await;
    assert_eq!(stage.ended().await.fault.unwrap().code, "brain_panicked");
    assert_eq!(stage.hall.texts(TALK).last().unwrap(), "I have to go now. Goodbye!");
    assert_eq!(stage.state(), BotState::Failed);
    assert_eq!(stage.monitor.snapshot().errors[0].code, "brain_panicked");
    assert!(stage.is_nowhere());
}

#[tokio::test(start_paused = true)]
async fn a_thought_that_hangs_is_dropped_and_the_third_in_a_row_ends_the_bot() {
    let mut stage = stage();
    stage.start().await;
    stage.talk().await.unwrap();
    pass(secs(2)).await;
    stage.ann_says("hang");
    pass(secs(61)).await;
    stage.ann_says("better?");
    pass(secs(2)).await;
    assert_eq!(stage.hall.texts(TALK).last().unwrap(), "you said better?");
    for _ in 0..3 {
        stage.ann_says("hang");
    }
    pass(secs(181)).await;
    assert_eq!(stage.ended().await.fault.unwrap().code, "brain_hung");
    assert!(stage.is_nowhere());
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_the_lobby_refuses_can_talk_and_comes_in_when_it_is_let_in() {
    let mut stage = stage();
    stage.hall.refuse("bot-ada", LOBBY, Fault::new(FaultClass::Permission, "Unauthorized", "no"));
    stage.start().await;
    assert_eq!(stage.state(), BotState::Reconnecting);
    stage.talk().await.unwrap();
    pass(secs(2)).await;
    let report = stage.monitor.snapshot().bots.remove(0);
    assert_eq!((report.state, report.degraded), (BotState::Talking, true));
    assert_eq!(report.last_fault.unwrap().code, "Unauthorized");
    assert_eq!(stage.hall.texts(TALK), ["hello after 0"]);
    stage.hall.let_in();
    pass(secs(901)).await;
    assert_eq!(stage.hall.members(LOBBY), ["bot-ada"]);
}

#[tokio::test(start_paused = true)]
async fn a_lobby_that_is_lost_for_good_ends_the_bot_unless_nobody_else_would_fare_better() {
    for (class, ends) in [
        (FaultClass::Network, true),
        (FaultClass::Timeout, true),
        (FaultClass::Protocol, true),
        (FaultClass::RateLimit, true),
        (FaultClass::Permission, false),
        (FaultClass::Authentication, false),
        (FaultClass::TenantMissing, false),
    ] {
        let mut stage = stage();
        stage.start().await;
        let fault = Fault::new(class, "x", "x");
        stage.hall.happen("bot-ada", LOBBY, ChannelEvent::Ended { fault });
        pass(secs(1)).await;
        assert_eq!(stage.state() == BotState::Failed, ends, "{class}");
        assert_eq!(stage.bots.try_join_next().is_some(), ends, "{class}");
    }
}

struct Town(Mutex<Vec<Result<Seat, Fault>>>);

#[async_trait]
impl Seats for Town {
    async fn take(&self, me: &Identity, channel: &str) -> Result<Seat, Fault> {
        let given = self.0.lock().unwrap().pop();
        given.unwrap_or_else(|| {
            let token = TokenSource::fixed("seat");
            Ok(Seat { topic: format!("world:{channel}"), token, body: format!("body of {}", me.name) })
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_wanderer_gets_a_seat_acts_on_what_it_sees_and_gets_another_when_it_lost_it() {
    let mut stage = stage();
    let late = Fault::new(FaultClass::Network, "refused", "not yet");
    stage.around.seats = Some(Arc::new(Town(Mutex::new(vec![Err(late)]))));
    stage.hall.respond("world:main", json!({ "snapshot": { "tick": 1 } }));
    stage.start_in(Some("main")).await;
    assert!(stage.hall.members("world:main").is_empty());
    pass(secs(3)).await;
    stage.hall.say("world:main", "delta", json!({ "tick": 2 }));
    pass(secs(1)).await;
    let inputs = |stage: &Stage| -> Vec<(String, Value)> {
        let said = stage.hall.said();
        said.into_iter().filter(|s| s.topic == "world:main").map(|s| (s.event, s.payload)).collect()
    };
    let looked = ("look".to_owned(), json!({ "body": "body of Ada" }));
    assert_eq!(inputs(&stage), [looked.clone(), ("move".to_owned(), json!({ "tick": 2 }))]);

    let fault = Fault::new(FaultClass::Permission, "SeatLost", "gone");
    stage.hall.happen("bot-ada", "world:main", ChannelEvent::Ended { fault });
    pass(secs(5)).await;
    assert_eq!(inputs(&stage)[2], looked);
    assert_eq!(stage.state(), BotState::Idle);

    stage.leave.send_replace(Some(Leave::within(secs(60))));
    assert_eq!(stage.ended().await.fault, None);
    assert!(stage.hall.members("world:main").is_empty() && stage.is_nowhere());
}

#[tokio::test(start_paused = true)]
async fn a_wanderer_hears_of_refused_inputs_and_takes_its_leave_of_the_world() {
    let input = |event: &str| Act::Input { event: event.to_owned(), payload: json!({}) };
    let mut stage = stage_with(move |sensed| match sensed {
        Sensed::World { .. } => vec![input("move")],
        Sensed::Refused { input: what, code } => vec![input(&format!("after_{what}_{code}"))],
        Sensed::Leaving => vec![input("wave"), Act::Leave],
        _ => vec![],
    });
    stage.around.seats = Some(Arc::new(Town(Mutex::new(vec![]))));
    stage.hall.respond("world:main", json!({ "snapshot": { "tick": 1 } }));
    stage.hall.answer("move", false, json!({ "reason": "blocked: a wall", "code": "blocked" }));
    stage.start_in(Some("main")).await;
    pass(secs(1)).await;
    let inputs = |stage: &Stage| -> Vec<String> {
        let said = stage.hall.said();
        said.into_iter().filter(|said| said.topic == "world:main").map(|said| said.event).collect()
    };
    assert_eq!(inputs(&stage), ["move", "after_move_blocked"]);

    stage.leave.send_replace(Some(Leave::within(secs(60))));
    assert_eq!(stage.ended().await.fault, None);
    assert_eq!(inputs(&stage).last().unwrap(), "wave");
    assert!(stage.hall.members("world:main").is_empty() && stage.is_nowhere());
}

#[tokio::test(start_paused = true)]
async fn a_bot_without_a_place_in_the_world_lives_on_without_and_asks_again_much_later() {
    let mut stage = stage();
    let never = Fault::new(FaultClass::Permission, "unauthorized", "no");
    stage.around.seats = Some(Arc::new(Town(Mutex::new(vec![Err(never)]))));
    stage.start_in(Some("main")).await;
    pass(secs(600)).await;
    assert_eq!(stage.state(), BotState::Idle);
    assert!(stage.hall.members("world:main").is_empty());
    assert_eq!(stage.monitor.snapshot().errors[0].code, "unauthorized");
    pass(secs(301)).await;
    assert_eq!(stage.hall.members("world:main"), ["bot-ada"]);
}

/// Counts who asks, and answers with this.
struct Counter(Mutex<u32>, Option<Fault>);

#[async_trait]
impl Seats for Counter {
    async fn take(&self, _me: &Identity, channel: &str) -> Result<Seat, Fault> {
        *self.0.lock().unwrap() += 1;
        let token = TokenSource::fixed("seat");
        let seat = Seat { topic: format!("world:{channel}"), token, body: "b".to_owned() };
        self.1.clone().map_or(Ok(seat), Err)
    }
}

#[tokio::test(start_paused = true)]
async fn a_seat_that_is_lost_as_soon_as_it_is_taken_is_asked_for_ever_more_rarely() {
    let mut stage = stage();
    let counter = Arc::new(Counter(Mutex::default(), None));
    stage.around.seats = Some(counter.clone());
    stage.start_in(Some("main")).await;
    for _ in 0..600 {
        pass(secs(1)).await;
        if !stage.hall.members("world:main").is_empty() {
            let fault = Fault::new(FaultClass::Permission, "SeatLost", "gone");
            stage.hall.happen("bot-ada", "world:main", ChannelEvent::Ended { fault });
        }
    }
    let asked = *counter.0.lock().unwrap();
    assert!((8..=11).contains(&asked), "{asked}");
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_stays_full_is_not_polled() {
    let mut stage = stage();
    let full = Fault::new(FaultClass::RateLimit, "channel_full", "no seat");
    let counter = Arc::new(Counter(Mutex::default(), Some(full)));
    stage.around.seats = Some(counter.clone());
    stage.start_in(Some("main")).await;
    pass(secs(7_200)).await;
    let asked = *counter.0.lock().unwrap();
    assert!((15..=25).contains(&asked), "{asked}");
    assert_eq!(stage.state(), BotState::Idle);
}

#[tokio::test(start_paused = true)]
async fn a_partner_is_told_goodbye_when_the_bot_fails_in_its_world() {
    let mut stage = stage_with(|sensed| match sensed {
        Sensed::Delta { .. } => panic!("as the test wants it"),
        other => polite(other),
    });
    stage.around.seats = Some(Arc::new(Town(Mutex::new(vec![]))));
    stage.start_in(Some("main")).await;
    stage.talk().await.unwrap();
    pass(secs(2)).await;
    stage.hall.say("world:main", "delta", json!({ "tick": 2 }));
    pass(secs(5)).await;
    assert_eq!(stage.ended().await.fault.unwrap().code, "brain_panicked");
    assert_eq!(stage.hall.texts(TALK).last().unwrap(), "bye");
    assert!(stage.is_nowhere() && stage.hall.members("world:main").is_empty());
}
