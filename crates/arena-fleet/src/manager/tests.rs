use crate::bot::{Around, BotSettings};
use crate::brain::{Act, Brain, Scene, Sensed};
use crate::channel::ChannelEvent;
use crate::fleet::{Fleet, Parts, Way};
use crate::http::{NotSent, Sent};
use crate::identity::{BrainKind, Identity};
use crate::monitor::{BotState, Monitor};
use crate::roster::Roster;
use crate::settings::{AlertSettings, ManagerSettings, StartMode};
use crate::stats::{Mode, PoolReport};
use crate::testkit::{Hall, pass, settle};
use crate::token::TokenSource;
use arena_core::fleet::{Fault, FaultClass};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

mod simulation;

const LOBBY: &str = "lobby:main";

pub(super) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Says hello and goodbye, and talks for ever in between.
struct Chatty;

#[async_trait]
impl Brain for Chatty {
    fn kind(&self) -> BrainKind {
        BrainKind::Scripted
    }

    async fn think(&mut self, _: Scene<'_>, sensed: Sensed) -> Vec<Act> {
        let say = |text: &str| vec![Act::Say { text: text.to_owned(), typing: secs(1), spent: None }];
        match sensed {
            Sensed::Entered { .. } => say("hello"),
            Sensed::Heard { line, .. } if line.text == "panic" => panic!("as the test wants it"),
            Sensed::Heard { line, .. } if line.text == "go" => vec![Act::Leave],
            Sensed::Leaving => say("goodbye"),
            _ => vec![],
        }
    }
}

pub(super) struct Stage {
    pub(super) hall: Hall,
    pub(super) monitor: Monitor,
    pub(super) fleet: Fleet,
    refusals: watch::Sender<u64>,
    halted: Arc<Mutex<Option<Fault>>>,
}

pub(super) fn settings(min: usize, max: usize) -> ManagerSettings {
    ManagerSettings { min, max, stagger: (secs(1), secs(1)), ..ManagerSettings::default() }
}

/// A fleet of its own in this hall.
pub(super) fn fleet_in(hall: &Hall, monitor: &Monitor, instance: &str, settings: ManagerSettings) -> Stage {
    let hall = &hall.told_to(monitor);
    let refusals = watch::channel(0).0;
    let halted: Arc<Mutex<Option<Fault>>> = Arc::default();
    let (why, resumed) = (halted.clone(), halted.clone());
    let way = Way {
        open: hall.open(),
        refusals: refusals.subscribe(),
        halted: Arc::new(move || why.lock().unwrap().clone()),
        resume: Arc::new(move || drop(resumed.lock().unwrap().take())),
        stats: Arc::new(PoolReport::default),
        shutdown: Arc::new(|_| Box::pin(async { true })),
    };
    let around = Around {
        open: hall.open(),
        brains: Arc::new(|_, _| Box::new(Chatty)),
        tokens: Arc::new(|me: &Identity| TokenSource::fixed(&me.id)),
        seats: None,
        monitor: monitor.clone(),
        instance: instance.into(),
        lobby: LOBBY.into(),
        queues: Vec::new(),
        settings: BotSettings {
            silence: secs(36_000),
            nobody: secs(36_000),
            quiet: secs(36_000),
            ..BotSettings::default()
        },
    };
    let fleet = Fleet::of(Parts {
        around,
        way,
        brains: None,
        roster: Roster::built_in().unwrap(),
        observer: TokenSource::fixed("observer"),
        manager: settings,
        alert: AlertSettings::default(),
    });
    Stage { hall: hall.clone(), monitor: monitor.clone(), fleet, refusals, halted }
}

fn stage(settings: ManagerSettings) -> Stage {
    let monitor = Monitor::default();
    let hall = Hall::new(&monitor);
    fleet_in(&hall, &monitor, "fleet-1", settings)
}

impl Stage {
    pub(super) fn states(&self) -> BTreeMap<BotState, usize> {
        let mut states = self.monitor.totals().by_state;
        states.retain(|_, count| *count > 0);
        states
    }

    pub(super) fn total(&self) -> usize {
        self.monitor.totals().total
    }

    fn idle(&self) -> usize {
        self.states().get(&BotState::Idle).copied().unwrap_or(0)
    }

    fn ids(&self) -> Vec<String> {
        self.monitor.bots_now().iter().map(|bot| bot.id.to_string()).collect()
    }

    /// Identities that are in the lobby; the observer is none.
    pub(super) fn in_lobby(&self) -> Vec<String> {
        self.hall.members(LOBBY).into_iter().filter(|bot| !bot.starts_with("fleet-")).collect()
    }

    fn humans(&self, count: usize) -> Vec<u64> {
        (0..count).map(|n| self.hall.appear(LOBBY, &format!("human-{n}"), json!({}))).collect()
    }

    fn target(&self) -> usize {
        self.fleet.stats().manager.target
    }

    async fn talk(&self, conversation: &str) -> String {
        let sent = self.fleet.want_talk(conversation, None).await.unwrap();
        settle().await;
        sent.bot
    }

    /// What the lobby was told of bots for talks.
    fn answers(&self) -> Vec<(String, Value)> {
        let said = self.hall.said().into_iter().filter(|said| said.topic == LOBBY);
        said.map(|said| (said.event, said.payload)).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn bots_follow_the_humans_that_are_there_now() {
    let stage = stage(ManagerSettings { maintenance_every: secs(10), ..settings(3, 15) });
    pass(secs(20)).await;
    assert_eq!((stage.idle(), stage.total()), (3, 3));

    let humans = stage.humans(20);
    // A second tab is no second human, and a bot of somebody else's is none at all.
    stage.hall.appear(LOBBY, "human-0", json!({}));
    stage.hall.appear(LOBBY, "stranger", json!({ "bot": true }));
    pass(secs(30)).await;
    assert_eq!((stage.idle(), stage.target()), (6, 6));
    let lobby = stage.fleet.stats().manager.lobby;
    assert_eq!((lobby.humans, lobby.own_bots, lobby.other_bots), (20, Some(6), Some(1)));

    for human in humans {
        stage.hall.vanish(LOBBY, human);
    }
    pass(secs(20)).await;
    // The second tab is still there.
    assert_eq!((stage.idle(), stage.total(), stage.target()), (3, 3, 3));
    assert_eq!(stage.fleet.stats().manager.lobby.humans, 1);
}

#[tokio::test(start_paused = true)]
async fn where_only_a_number_is_told_our_own_bots_are_taken_off() {
    let stage = stage(ManagerSettings { maintenance_every: secs(10), ..settings(5, 50) });
    stage.humans(100);
    pass(secs(60)).await;
    assert_eq!(stage.total(), 30);
    stage.hall.only_numbers();
    pass(secs(60)).await;
    let manager = stage.fleet.stats().manager;
    assert_eq!((manager.lobby.humans, manager.lobby.occupancy, stage.total()), (100, true, 30));
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_the_lobby_refuses_is_not_taken_off_those_who_are_there() {
    let stage = stage(ManagerSettings { maintenance_every: secs(10), ..settings(5, 5) });
    stage.hall.refuse("bot-ada", LOBBY, Fault::new(FaultClass::Permission, "Unauthorized", "no"));
    stage.humans(100);
    stage.hall.only_numbers();
    pass(secs(60)).await;
    let manager = stage.fleet.stats().manager;
    assert_eq!((manager.lobby.humans, manager.lobby.occupancy, stage.total()), (100, true, 5));
}

#[tokio::test(start_paused = true)]
async fn ticks_go_on_while_bots_take_for_ever_to_come_in_and_nobody_is_started_twice() {
    let stage = stage(ManagerSettings { maintenance_every: secs(5), ..settings(8, 15) });
    pass(secs(2)).await;
    stage.hall.join_takes(secs(300));
    for tick in 1..30 {
        pass(secs(5)).await;
        assert!(stage.total() <= 8, "{:?}", stage.states());
        assert!(stage.fleet.stats().manager.ticks >= tick);
    }
    assert_eq!(stage.total(), 8);
    assert!(stage.idle() <= 3);
    pass(secs(300)).await;
    assert_eq!((stage.idle(), stage.total()), (8, 8));
    let joins: Vec<String> = stage.hall.joins().into_iter().map(|join| join.bot).collect();
    assert_eq!(joins.iter().collect::<BTreeSet<_>>().len(), joins.len());
}

#[tokio::test(start_paused = true)]
async fn starts_are_apart_and_slow_down_when_the_endpoint_refuses() {
    let ramp =
        ManagerSettings { stagger: (secs(5), secs(8)), start: StartMode::Adaptive, ..settings(40, 40) };
    let stage = stage(ramp);
    pass(secs(25)).await;
    let many = stage.total();
    assert!(many > 20, "{many}");
    stage.refusals.send_modify(|count| *count += 1);
    let before = stage.total();
    pass(secs(15)).await;
    assert!(stage.total() - before <= 3, "{} after {before}", stage.total());
    let joins = stage.hall.joins();
    let first: Vec<Duration> = joins.windows(2).take(2).map(|pair| pair[1].at - pair[0].at).collect();
    assert!(first[1] >= secs(3), "{first:?}");
}

#[tokio::test(start_paused = true)]
async fn refusals_without_end_do_not_stop_starts_for_good() {
    let stage = stage(ManagerSettings { stagger: (secs(5), secs(8)), ..settings(10, 10) });
    for _ in 0..100 {
        pass(secs(1)).await;
        stage.refusals.send_modify(|count| *count += 1);
    }
    assert_eq!(stage.total(), 10);
}

#[tokio::test(start_paused = true)]
async fn scaling_down_takes_idle_bots_and_lets_talkers_finish_with_a_goodbye() {
    let stage = stage(settings(4, 15));
    pass(secs(10)).await;
    let talker = stage.talk("c1").await;
    let other = stage.talk("c2").await;
    assert_eq!((stage.idle(), stage.total()), (2, 4));

    stage.fleet.scale(Some(2));
    pass(secs(1)).await;
    assert_eq!(stage.ids().into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([talker.clone(), other]));

    stage.fleet.scale(Some(0));
    pass(secs(1)).await;
    assert_eq!(stage.states(), BTreeMap::from([(BotState::Leaving, 2)]));
    // One talk ends by itself, the other one at the deadline.
    stage.hall.say("conversation:c2", "message", json!({ "author": "ann", "text": "go" }));
    pass(secs(2)).await;
    assert_eq!(stage.ids(), [talker]);
    pass(secs(50)).await;
    assert_eq!(stage.total(), 1);
    pass(secs(10)).await;
    assert_eq!(stage.total(), 0);
    assert_eq!(stage.hall.texts("conversation:c1"), ["hello", "goodbye"]);
    assert!(stage.in_lobby().is_empty());
}

#[tokio::test(start_paused = true)]
async fn there_are_never_more_than_the_most_even_while_others_leave() {
    let stage = stage(settings(4, 4));
    pass(secs(10)).await;
    for n in 0..4 {
        stage.talk(&format!("c{n}")).await;
    }
    stage.fleet.scale(Some(0));
    pass(secs(5)).await;
    stage.fleet.scale(None);
    for _ in 0..60 {
        pass(secs(1)).await;
        assert!(stage.total() <= 4);
    }
    pass(secs(30)).await;
    assert_eq!((stage.idle(), stage.total()), (4, 4));
}

#[tokio::test(start_paused = true)]
async fn a_dead_bot_is_replaced_by_another_identity_and_cools_off() {
    let stage = stage(settings(3, 15));
    pass(secs(10)).await;
    let dead = stage.talk("c").await;
    stage.hall.say("conversation:c", "message", json!({ "author": "ann", "text": "panic" }));
    pass(secs(10)).await;
    assert_eq!(stage.states()[&BotState::Failed], 1);
    pass(secs(70)).await;
    assert_eq!((stage.idle(), stage.total()), (3, 3));
    assert!(!stage.ids().contains(&dead));
    let stats = stage.fleet.stats();
    assert_eq!((stats.manager.cooling, stats.monitor.totals.bots_failed), (1, 1));
    assert_eq!(stats.monitor.errors[0].code, "brain_panicked");
    pass(secs(600)).await;
    assert_eq!(stage.fleet.stats().manager.cooling, 0);
}

#[tokio::test(start_paused = true)]
async fn paused_nothing_starts_and_nothing_stops() {
    let stage = stage(ManagerSettings { maintenance_every: secs(5), ..settings(3, 15) });
    pass(secs(10)).await;
    stage.fleet.pause();
    stage.fleet.scale(Some(10));
    pass(secs(30)).await;
    assert_eq!((stage.total(), stage.fleet.stats().manager.mode), (3, Mode::Paused));
    stage.fleet.scale(Some(1));
    pass(secs(30)).await;
    assert_eq!(stage.total(), 3);
    // A talk is neither.
    stage.talk("c").await;
    stage.fleet.resume();
    pass(secs(5)).await;
    assert_eq!(stage.states(), BTreeMap::from([(BotState::Talking, 1)]));
    stage.fleet.scale(None);
    pass(secs(10)).await;
    assert_eq!(stage.total(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_drained_fleet_is_paused_when_the_last_talk_is_over() {
    let stage = stage(settings(3, 15));
    pass(secs(10)).await;
    stage.talk("c").await;
    stage.fleet.drain();
    pass(secs(5)).await;
    assert_eq!((stage.total(), stage.fleet.stats().manager.mode), (1, Mode::Draining));
    pass(secs(60)).await;
    assert_eq!((stage.total(), stage.fleet.stats().manager.mode), (0, Mode::Paused));
    assert_eq!(stage.hall.texts("conversation:c").last().unwrap(), "goodbye");
    pass(secs(120)).await;
    assert_eq!(stage.total(), 0);
    stage.fleet.resume();
    pass(secs(10)).await;
    assert_eq!(stage.total(), 3);
}

#[tokio::test(start_paused = true)]
async fn whoever_wants_a_bot_in_the_lobby_gets_the_one_that_was_idle_for_longest() {
    let stage = stage(settings(2, 15));
    pass(secs(10)).await;
    let wanted = |payload: Value| stage.hall.say(LOBBY, "bot_wanted", payload);
    wanted(json!({ "conversation": "c1" }));
    pass(secs(1)).await;
    let joined = json!({ "conversation": "c1", "bot": "bot-ada", "name": "Ada" });
    assert_eq!(stage.answers(), [("bot_joined".to_owned(), joined.clone())]);

    // Asked twice, it is in once; by name, it has to be free.
    wanted(json!({ "conversation": "c1" }));
    wanted(json!({ "conversation": "c2", "bot": "bot-ada" }));
    wanted(json!({ "conversation": "c3", "bot": "bot-nobody" }));
    wanted(json!({ "conversation": "c4" }));
    wanted(json!({ "conversation": "c5" }));
    wanted(json!({ "conversation": "no such id!" }));
    wanted(json!({ "conversation": 5 }));
    pass(secs(1)).await;
    let told: BTreeSet<(String, String, String)> = stage
        .answers()
        .into_iter()
        .skip(1)
        .map(|(event, payload)| {
            let text = |key: &str| payload[key].as_str().unwrap_or_default().to_owned();
            (text("conversation"), event, text("code"))
        })
        .collect();
    let told: Vec<(&str, &str, &str)> =
        told.iter().map(|(c, e, code)| (c.as_str(), e.as_str(), code.as_str())).collect();
    assert_eq!(
        told,
        [
            ("c1", "bot_joined", ""),
            ("c2", "bot_unavailable", "bot_busy"),
            ("c3", "bot_unavailable", "unknown_bot"),
            ("c4", "bot_joined", ""),
            ("c5", "bot_unavailable", "no_idle_bot"),
            ("no such id!", "bot_unavailable", "invalid_conversation"),
        ]
    );
    assert_eq!(stage.states(), BTreeMap::from([(BotState::Talking, 2)]));
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_twice_is_told_when_the_bot_is_in_and_not_before() {
    let stage = stage(settings(1, 15));
    pass(secs(10)).await;
    stage.hall.join_takes(secs(5));
    stage.hall.say(LOBBY, "bot_wanted", json!({ "conversation": "c" }));
    pass(secs(1)).await;
    stage.hall.say(LOBBY, "bot_wanted", json!({ "conversation": "c" }));
    pass(secs(2)).await;
    assert!(stage.answers().is_empty());
    pass(secs(3)).await;
    let events: Vec<String> = stage.answers().into_iter().map(|(event, _)| event).collect();
    assert_eq!(events, ["bot_joined", "bot_joined"]);
}

#[tokio::test(start_paused = true)]
async fn requests_of_the_lobby_beyond_their_rate_are_not_heard() {
    let stage = stage(settings(1, 15));
    pass(secs(10)).await;
    for n in 0..40 {
        stage.hall.say(LOBBY, "bot_wanted", json!({ "conversation": format!("c{n}") }));
        settle().await;
    }
    pass(secs(1)).await;
    assert_eq!(stage.answers().len(), 20);
    stage.hall.say(LOBBY, "bot_wanted", json!({ "conversation": "c0" }));
    pass(secs(1)).await;
    assert_eq!(stage.answers().last().unwrap().0, "bot_joined");
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_is_not_let_into_a_conversation_says_why_and_is_idle_again() {
    let stage = stage(settings(1, 15));
    pass(secs(10)).await;
    stage.hall.refuse(
        "",
        "conversation:c",
        Fault::new(FaultClass::TenantMissing, "conversation_not_found", "no"),
    );
    let refused = stage.fleet.want_talk("c", None).await;
    let code = "conversation_not_found".to_owned();
    assert_eq!(refused, Err(NotSent::Refused { code, detail: "no".to_owned() }));
    pass(secs(1)).await;
    assert_eq!(stage.idle(), 1);
    let sent = stage.fleet.want_talk("d", Some("bot-ada")).await;
    assert_eq!(sent, Ok(Sent { bot: "bot-ada".to_owned(), name: "Ada".to_owned() }));
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_the_lobby_refuses_is_not_replaced_and_can_be_given_a_talk() {
    let stage = stage(settings(2, 15));
    stage.hall.refuse("bot-ada", LOBBY, Fault::new(FaultClass::Permission, "Unauthorized", "no"));
    pass(secs(200)).await;
    assert_eq!(stage.states(), BTreeMap::from([(BotState::Idle, 1), (BotState::Reconnecting, 1)]));
    let sent = stage.fleet.want_talk("c", Some("bot-ada")).await;
    assert_eq!(sent.unwrap().bot, "bot-ada");
    assert_eq!(stage.monitor.totals().degraded, 1);
}

#[tokio::test(start_paused = true)]
async fn two_fleets_in_one_lobby_never_run_the_same_identity() {
    let monitor = Monitor::default();
    let hall = Hall::new(&monitor);
    let first = fleet_in(&hall, &monitor, "fleet-1", settings(5, 15));
    pass(secs(20)).await;
    let monitor = Monitor::default();
    let second = fleet_in(&hall, &monitor, "fleet-2", settings(5, 15));
    for _ in 0..20 {
        pass(secs(1)).await;
        let bots = first.in_lobby();
        assert_eq!(bots.iter().collect::<BTreeSet<_>>().len(), bots.len(), "{bots:?}");
    }
    assert_eq!((first.total(), second.total(), first.in_lobby().len()), (5, 5, 10));
    assert_eq!(second.fleet.stats().manager.taken_elsewhere, 5);
    assert_eq!(second.fleet.stats().manager.lobby.humans, 0);

    // One of them answers.
    hall.say(LOBBY, "bot_wanted", json!({ "conversation": "c" }));
    pass(secs(1)).await;
    assert_eq!(first.answers().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_fleets_that_began_at_once_come_apart() {
    let monitor = Monitor::default();
    let hall = Hall::new(&monitor);
    let first = fleet_in(&hall, &monitor, "fleet-1", settings(3, 15));
    let other = Monitor::default();
    let second = fleet_in(&hall, &other, "fleet-2", settings(3, 15));
    pass(secs(200)).await;
    let bots = first.in_lobby();
    assert_eq!(bots.iter().collect::<BTreeSet<_>>().len(), bots.len(), "{bots:?}");
    assert_eq!((first.idle(), second.idle()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn two_fleets_in_a_crowd_run_different_bots_and_do_not_take_each_other_for_humans() {
    let monitor = Monitor::default();
    let hall = Hall::new(&monitor);
    hall.only_numbers();
    for n in 0..10 {
        hall.appear(LOBBY, &format!("human-{n}"), json!({}));
    }
    let settings = ManagerSettings { target_percent: 100, maintenance_every: secs(10), ..settings(5, 200) };
    let first = fleet_in(&hall, &monitor, "fleet-1", settings.clone());
    pass(secs(40)).await;
    let other = Monitor::default();
    let second = fleet_in(&hall, &other, "fleet-2", settings);
    pass(secs(60)).await;
    for _ in 0..60 {
        pass(secs(1)).await;
        let bots = first.in_lobby();
        assert_eq!(bots.iter().collect::<BTreeSet<_>>().len(), bots.len(), "{bots:?}");
    }
    let humans = |stage: &Stage| stage.fleet.stats().manager.lobby.humans;
    assert_eq!((humans(&first), humans(&second)), (10, 10));
    assert_eq!((first.idle(), second.idle()), (10, 10));
    // Once in 16 to 20 s, and where there is something new; and nobody in the lobby has to hear it.
    let announced = hall.said().into_iter().filter(|said| said.event == "fleet_here");
    let (beside, inside): (Vec<_>, Vec<_>) = announced.partition(|said| said.topic == "fleets:lobby:main");
    assert!((18..=60).contains(&beside.len()) && inside.is_empty(), "{} {}", beside.len(), inside.len());

    // Whoever is killed says nothing any more.
    drop(second);
    pass(secs(75)).await;
    assert_eq!((humans(&first), first.fleet.stats().manager.taken_elsewhere), (10, 0));
}

#[tokio::test(start_paused = true)]
async fn where_names_are_told_fleets_say_nothing() {
    let stage = stage(settings(3, 15));
    pass(secs(100)).await;
    assert!(stage.answers().is_empty());
}

#[tokio::test(start_paused = true)]
async fn whoever_gives_way_to_another_fleet_is_gone_by_its_deadline_however_much_happens_in_the_lobby() {
    let stage = stage(ManagerSettings { maintenance_every: secs(5), ..settings(2, 15) });
    pass(secs(10)).await;
    let talker = stage.talk("c").await;
    stage.fleet.pause();
    stage.hall.appear(LOBBY, &talker, json!({ "bot": true, "fleet": "fleet-0" }));
    pass(secs(120)).await;
    assert_eq!(stage.states()[&BotState::Talking], 1, "paused, nobody stops");
    stage.fleet.resume();
    for n in 0..62 {
        pass(secs(1)).await;
        stage.hall.appear(LOBBY, &format!("human-{n}"), json!({}));
    }
    assert!(!stage.ids().contains(&talker), "{:?}", stage.states());
    assert_eq!(stage.hall.texts("conversation:c"), ["hello", "goodbye"]);
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_the_lobby_sends_nobody_away() {
    let stage = stage(ManagerSettings { maintenance_every: secs(5), ..settings(1, 15) });
    stage.humans(30);
    pass(secs(30)).await;
    assert_eq!(stage.total(), 9);
    let down =
        ChannelEvent::Down { fault: Fault::new(FaultClass::Network, "reset", "reset"), after: secs(1) };
    stage.hall.happen("fleet-fleet-1", LOBBY, down);
    pass(secs(60)).await;
    let manager = stage.fleet.stats().manager;
    assert_eq!((stage.total(), manager.lobby.joined, manager.target), (9, false, 9));
    pass(secs(120)).await;
    assert_eq!((stage.total(), stage.target()), (1, 1));
    stage.hall.happen("fleet-fleet-1", LOBBY, ChannelEvent::Joined { response: json!({}) });
    pass(secs(60)).await;
    assert_eq!(stage.total(), 9);
}

#[tokio::test(start_paused = true)]
async fn at_the_end_everybody_says_goodbye_and_nobody_is_left() {
    let stage = stage(settings(3, 15));
    pass(secs(10)).await;
    stage.talk("c").await;
    pass(secs(2)).await;
    assert!(stage.fleet.shutdown(secs(10)).await);
    assert_eq!(stage.hall.texts("conversation:c"), ["hello", "goodbye"]);
    assert!(stage.hall.members(LOBBY).is_empty() && stage.hall.members("conversation:c").is_empty());
    assert!(stage.hall.present(LOBBY).is_empty());
    assert_eq!(stage.fleet.stats().manager.mode, Mode::Stopping);
    stage.fleet.resume();
    pass(secs(100)).await;
    assert_eq!(stage.total(), 0);
    assert_eq!(stage.fleet.want_talk("c", None).await, Err(NotSent::NobodyIdle));
}

#[tokio::test(start_paused = true)]
async fn a_fleet_that_nobody_holds_any_more_leaves_nothing_behind() {
    let stage = stage(settings(3, 15));
    pass(secs(10)).await;
    stage.talk("c").await;
    let Stage { hall, fleet, .. } = stage;
    drop(fleet);
    settle().await;
    assert!(hall.members(LOBBY).is_empty() && hall.members("conversation:c").is_empty());
}

#[tokio::test(start_paused = true)]
async fn health_is_that_of_the_work() {
    let stage = stage(settings(4, 15));
    assert!(stage.fleet.health().healthy);
    pass(secs(70)).await;
    assert!(stage.fleet.health().healthy);

    let down =
        ChannelEvent::Down { fault: Fault::new(FaultClass::Network, "reset", "reset"), after: secs(1) };
    for bot in stage.ids().iter().take(2) {
        stage.hall.happen(bot, LOBBY, down.clone());
    }
    settle().await;
    assert!(stage.fleet.health().healthy);
    stage.hall.happen(&stage.ids()[2], LOBBY, down);
    settle().await;
    assert_eq!(stage.fleet.health().reasons, ["1 of 4 bots that have had a minute's time are active"]);

    *stage.halted.lock().unwrap() = Some(Fault::new(FaultClass::Authentication, "MalformedJWT", "no"));
    assert_eq!(stage.fleet.health().reasons.len(), 2);
    stage.fleet.resume();
    assert_eq!(stage.fleet.health().reasons.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fleet_whose_bots_all_die_young_is_not_healthy() {
    let stage = stage(ManagerSettings { maintenance_every: secs(5), ..settings(4, 15) });
    stage.hall.refuse("", LOBBY, Fault::new(FaultClass::Protocol, "nonsense", "no"));
    pass(secs(130)).await;
    assert!(!stage.fleet.health().healthy);
    // Each failure is a refusal: it gets no faster than one start in the range's time, and identities cool off.
    let started = stage.monitor.totals().bots_failed;
    assert!(started <= 130, "{started}");
}

#[tokio::test(start_paused = true)]
async fn a_fleet_that_stays_far_below_its_target_is_not_healthy() {
    let stage = stage(ManagerSettings { maintenance_every: secs(10), ..settings(2, 15) });
    pass(secs(20)).await;
    // The two that are there are fine; nobody else ever comes in.
    stage.hall.join_takes(secs(30));
    stage.hall.refuse("", LOBBY, Fault::new(FaultClass::Protocol, "nonsense", "no"));
    stage.fleet.scale(Some(12));
    pass(secs(60)).await;
    assert!(stage.fleet.health().healthy, "{:?}", stage.fleet.health());
    pass(secs(60)).await;
    assert_eq!(stage.fleet.health().reasons, ["2 of 12 bots are active: starts do not succeed"]);
    stage.fleet.scale(Some(3));
    pass(secs(10)).await;
    assert!(stage.fleet.health().healthy);
}

#[tokio::test(start_paused = true)]
async fn resumed_after_a_refusal_it_starts_at_once() {
    let stage = stage(ManagerSettings { maintenance_every: secs(600), ..settings(4, 15) });
    *stage.halted.lock().unwrap() = Some(Fault::new(FaultClass::Authentication, "MalformedJWT", "no"));
    pass(secs(60)).await;
    stage.fleet.resume();
    pass(secs(10)).await;
    assert_eq!(stage.total(), 4);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_started_while_the_endpoint_refuses_the_fleet() {
    let stage = stage(ManagerSettings { maintenance_every: secs(5), ..settings(4, 15) });
    *stage.halted.lock().unwrap() = Some(Fault::new(FaultClass::Authentication, "MalformedJWT", "no"));
    pass(secs(60)).await;
    assert_eq!(stage.total(), 0);
    stage.fleet.resume();
    pass(secs(10)).await;
    assert_eq!(stage.total(), 4);
}
