//! What residents say is heard only after it was taken, and whatever becomes of that, worlds go on.

use crate::support::{PATIENCE, begin, bodies, body, bot, create, name, native_saying, player, until};
use crate::viewer::Viewer;
use arena_bus::{Bus, Message, Payload, Rest, Sink};
use arena_core::WorldId;
use arena_core::topic::TopicName;
use arena_worlds::native::NativeHost;
use arena_worlds::{Act, ActError, Line, Outcome, Talk, Verdict, WorldHost};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What a scripted talk does with a line.
#[derive(Debug, Clone, Copy)]
enum Script {
    /// Says what became of it at once.
    Give(Outcome),
    /// Takes so many lines of each conversation, and then refuses.
    Take(u32),
    /// Keeps the verdict for whoever plays the script.
    Keep,
}

/// Takes lines by a script, and notes all.
#[derive(Debug)]
struct Scripted {
    script: Mutex<Script>,
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    given: Vec<Line>,
    taken: Vec<Line>,
    ended: Vec<(WorldId, u64)>,
    kept: Vec<(Line, Verdict)>,
}

impl Scripted {
    fn new(script: Script) -> Arc<Scripted> {
        Arc::new(Scripted { script: Mutex::new(script), noted: Mutex::default() })
    }

    fn host(self: &Arc<Self>, bus: &Bus) -> NativeHost {
        native_saying(bus, 10, 64, Some(Arc::clone(self) as Arc<dyn Talk>))
    }

    fn turn_to(&self, script: Script) {
        *self.script.lock().unwrap() = script;
    }

    fn noted<T>(&self, read: impl FnOnce(&mut Noted) -> T) -> T {
        read(&mut self.noted.lock().unwrap())
    }

    /// Waits for the next line that is kept.
    async fn kept(&self) -> (Line, Verdict) {
        until("a line is asked for", async || self.noted(|noted| !noted.kept.is_empty())).await;
        self.noted(|noted| noted.kept.remove(0))
    }
}

impl Talk for Scripted {
    fn say(&self, line: Line, verdict: Verdict) {
        let script = *self.script.lock().unwrap();
        let outcome = self.noted(|noted| {
            noted.given.push(line.clone());
            let before = noted.taken.iter().filter(|taken| taken.conversation == line.conversation).count();
            match script {
                Script::Give(outcome) => Some(outcome),
                Script::Take(most) if before >= most as usize => {
                    Some(Outcome::Refused { code: "total_limit" })
                }
                Script::Take(_) => {
                    noted.taken.push(line.clone());
                    Some(Outcome::Said { last: false })
                }
                Script::Keep => None,
            }
        });
        match outcome {
            Some(outcome) => verdict.send(outcome),
            None => self.noted(|noted| noted.kept.push((line, verdict))),
        }
    }

    fn ended(&self, world: &WorldId, conversation: u64) {
        self.noted(|noted| noted.ended.push((world.clone(), conversation)));
    }
}

/// Follows a world's topic.
#[derive(Default)]
struct Ear(Mutex<Option<Viewer>>, Mutex<Vec<String>>);

impl Sink for Ear {
    fn deliver(&self, messages: &[Arc<Message>]) -> Option<Rest> {
        let mut viewer = self.0.lock().unwrap();
        for message in messages {
            let Payload::Json(json) = &message.payload else { panic!("worlds publish JSON") };
            self.1.lock().unwrap().push(String::from_utf8(json.to_vec()).unwrap());
            match &mut *viewer {
                Some(viewer) => viewer.apply(json),
                None => *viewer = Some(Viewer::new(json)),
            }
        }
        None
    }
}

impl Ear {
    fn on(bus: &Bus) -> Arc<Ear> {
        let ear = Arc::new(Ear::default());
        let stream = bus.open(&TopicName::of_world(&name("a"))).unwrap();
        stream.attach(Arc::clone(&ear) as Arc<dyn Sink>);
        ear
    }

    fn heard(&self) -> Vec<(String, String)> {
        self.0.lock().unwrap().as_ref().map(|viewer| viewer.heard.clone()).unwrap_or_default()
    }

    fn told(&self, what: &str) -> bool {
        self.1.lock().unwrap().iter().any(|json| json.contains(what))
    }
}

fn act(event: &str, payload: &str) -> Act {
    Act::parse(event, payload).unwrap()
}

fn say(text: &str) -> Act {
    Act::Say { text: text.to_owned() }
}

/// Two players begin a talk, which is the first one in its world or the one of this number.
async fn talk_number(conversation: u64, host: &NativeHost, world: &WorldId) -> u64 {
    let at = |n: u128, x: u16| {
        let mut player = player(n, 1);
        player.position = Some((x, 15));
        player
    };
    host.join(world, vec![at(0, 10), at(1, 11)]).await.unwrap();
    let invite = act("invite", &format!(r#"{{"with": "{}"}}"#, bot(1)));
    host.act(world, bot(0), invite).await.unwrap();
    host.act(world, bot(1), Act::Accept { conversation }).await.unwrap();
    conversation
}

async fn talking(host: &NativeHost, world: &WorldId) -> u64 {
    talk_number(1, host, world).await
}

/// The clock runs as fast as the world can.
#[tokio::test(start_paused = true)]
async fn residents_say_what_was_taken_and_nothing_else() {
    let (bus, talk) = (Bus::default(), Scripted::new(Script::Take(3)));
    let ear = Ear::on(&bus);
    let host = native_saying(&bus, 100, 64, Some(Arc::clone(&talk) as Arc<dyn Talk>));
    let world = create(&host, "a", 1).await;
    host.join(&world, bodies(0..30, 1)).await.unwrap();
    let ended = async |more: usize| {
        let most = talk.noted(|noted| noted.ended.len()) + more;
        until("talks end", async || talk.noted(|noted| noted.ended.len()) >= most).await;
    };
    ended(8).await;
    assert!(ear.told("budget-spent"));
    talk.turn_to(Script::Give(Outcome::Refused { code: "total_limit" }));
    ended(1).await;
    let silent = ear.heard().len();
    ended(3).await;
    let mut heard = ear.heard();
    assert_eq!(heard.len(), silent, "nobody has a budget");
    talk.noted(|noted| {
        let taken = noted.taken.iter().map(|line| (line.speaker.to_string(), line.text.clone()));
        let mut taken: Vec<_> = taken.collect();
        taken.sort();
        heard.sort();
        assert!(heard.len() >= 15);
        assert_eq!(heard, taken);
        let mut numbers: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for line in &noted.given {
            numbers.entry(line.conversation).or_default().push(line.number);
            assert!(line.world == world && line.channel == name("a") && line.participants.len() == 2);
            let turn = &line.participants[(line.number as usize + 1) % 2];
            assert_eq!(line.speaker, turn.0, "wanderers take turns: {line:?}");
        }
        assert!(numbers.values().all(|of| of.iter().copied().eq(1..=of.len() as u32)), "{numbers:?}");
        assert!(
            numbers.values().all(|of| of.len() <= 4),
            "three lines, and one that is refused: {numbers:?}"
        );
        let distinct: BTreeSet<_> = noted.ended.iter().collect();
        assert_eq!(distinct.len(), noted.ended.len(), "each ends once");
    });
    let tick = host.list().await.unwrap()[0].tick;
    until("it goes on walking", async || host.list().await.unwrap()[0].tick > tick + 10).await;
}

#[tokio::test]
async fn a_player_is_answered_when_the_line_was_said_and_others_hear_it_no_earlier() {
    let (bus, talk) = (Bus::default(), Scripted::new(Script::Keep));
    let (ear, host) = (Ear::on(&bus), talk.host(&bus));
    let world = create(&host, "a", 1).await;
    let conversation = talking(&host, &world).await;
    let mut said = pin!(host.act(&world, bot(0), say("Well?")));
    begin(said.as_mut()).await;
    let (line, verdict) = talk.kept().await;
    assert_eq!((line.conversation, line.number, line.text.as_str()), (conversation, 1, "Well?"));
    let names: Vec<_> = line.participants.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!((line.speaker, names), (bot(0), vec!["Player 0", "Player 1"]));
    let tick = host.act(&world, bot(1), act("look", r#"{"heading": 0}"#)).await.unwrap();
    assert!(ear.heard().is_empty() && host.view(&world).await.unwrap().overheard.is_empty());
    verdict.send(Outcome::Said { last: false });
    assert!(said.await.unwrap() > tick);
    assert_eq!(ear.heard(), [(bot(0).to_string(), "Well?".to_owned())]);
    assert_eq!(host.view(&world).await.unwrap().overheard.len(), 1);
}

#[tokio::test]
async fn a_player_is_told_why_a_line_was_not_said() {
    let (bus, talk) = (Bus::default(), Scripted::new(Script::Give(Outcome::UNAVAILABLE)));
    let (ear, host) = (Ear::on(&bus), talk.host(&bus));
    let world = create(&host, "a", 1).await;
    let conversation = talking(&host, &world).await;
    let say = async || host.act(&world, bot(0), say("Well?")).await.map_err(|error| error.code());
    assert_eq!(say().await, Err("unavailable"));
    talk.turn_to(Script::Give(Outcome::Dropped { code: "moderation_rejected" }));
    assert_eq!(say().await, Err("moderation_rejected"));
    talk.turn_to(Script::Take(1));
    say().await.unwrap();
    assert_eq!(say().await, Err("total_limit"));
    assert!(ear.told(&format!(r#""ended":[{{"conversation":{conversation},"reason":"budget-spent"}}]"#)));
    assert_eq!(
        (ear.heard().len(), talk.noted(|noted| noted.ended.clone())),
        (1, vec![(world.clone(), conversation)])
    );
    let conversation = talk_number(2, &host, &world).await;
    talk.turn_to(Script::Give(Outcome::Said { last: true }));
    say().await.unwrap();
    assert_eq!(
        (ear.heard().len(), talk.noted(|noted| noted.ended.clone())),
        (2, vec![(world.clone(), conversation - 1), (world.clone(), conversation)])
    );
    talk.turn_to(Script::Keep);
    let mut aloud = pin!(host.act(&world, bot(0), Act::Say { text: "Oh.".to_owned() }));
    begin(aloud.as_mut()).await;
    let (line, verdict) = talk.kept().await;
    assert_eq!((line.conversation, line.participants.len(), line.number), (Line::ALOUD, 1, 1));
    drop(verdict);
    assert_eq!(aloud.await.unwrap_err().code(), "unavailable", "a verdict that is dropped is one too");
}

#[tokio::test]
async fn a_player_whose_conversation_is_over_before_the_verdict_does_not_wait_for_it() {
    let (bus, talk) = (Bus::default(), Scripted::new(Script::Keep));
    let host = talk.host(&bus);
    let world = create(&host, "a", 1).await;
    let conversation = talking(&host, &world).await;
    let mut said = pin!(host.act(&world, bot(0), say("Well?")));
    begin(said.as_mut()).await;
    let (_, verdict) = talk.kept().await;
    host.act(&world, bot(1), Act::LeaveConversation { conversation }).await.unwrap();
    assert_eq!(said.await.unwrap_err().code(), "conversation_over");
    verdict.send(Outcome::Said { last: false });
    host.act(&world, bot(1), act("look", r#"{"heading": 0}"#)).await.unwrap();
    assert_eq!(host.view(&world).await.unwrap().overheard, [], "it came too late");
}

/// Time stands still while somebody has something to do, so all of this happens before the same tick.
#[tokio::test(start_paused = true)]
async fn a_line_of_a_talk_that_ends_in_the_same_tick_is_not_asked_for_and_its_verdict_is_too_late() {
    let (bus, talk) = (Bus::default(), Scripted::new(Script::Keep));
    let (ear, host) = (Ear::on(&bus), talk.host(&bus));
    let world = create(&host, "a", 1).await;
    let conversation = talking(&host, &world).await;
    let (mut first, mut second) =
        (pin!(host.act(&world, bot(0), say("Well?"))), pin!(host.act(&world, bot(0), say("So?"))));
    begin(first.as_mut()).await;
    let (_, verdict) = talk.kept().await;
    begin(second.as_mut()).await;
    verdict.send(Outcome::Said { last: false });
    host.act(&world, bot(1), Act::LeaveConversation { conversation }).await.unwrap();
    for said in [first, second] {
        assert_eq!(said.await.unwrap_err().code(), "conversation_over");
    }
    assert_eq!((talk.noted(|noted| noted.given.len()), ear.heard()), (1, vec![]));
}

#[tokio::test]
async fn a_world_that_ends_ends_its_conversations_and_a_verdict_after_that_harms_nobody() {
    let (bus, talk) = (Bus::default(), Scripted::new(Script::Keep));
    let host = talk.host(&bus);
    let world = create(&host, "a", 1).await;
    let conversation = talking(&host, &world).await;
    let mut said = pin!(host.act(&world, bot(0), say("Well?")));
    begin(said.as_mut()).await;
    let (_, verdict) = talk.kept().await;
    host.destroy(&world).await.unwrap();
    assert!(matches!(said.await, Err(ActError::Host(arena_core::fault::HostFault::WorldGone))));
    until("it is told", async || talk.noted(|noted| noted.ended == [(world.clone(), conversation)])).await;
    verdict.send(Outcome::Said { last: false });
}

/// Nothing is ever answered: the world goes on, and asks no more than it has places for answers.
#[test]
fn a_world_whose_verdicts_never_come_goes_on_and_asks_for_so_many_lines_and_no_more() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (bus, talk) = (Bus::default(), Scripted::new(Script::Keep));
        let host = talk.host(&bus);
        let world = create(&host, "a", 1).await;
        host.join(&world, vec![player(0, 1), body(1, 1)]).await.unwrap();
        let most = 4 * 30;
        let (mut asked, mut refused) = (0, 0);
        // Four lines aloud wait; whoever leaves takes them along, and comes back to say more.
        while refused == 0 {
            let lines = |_| Act::Say { text: "Anybody?".to_owned() };
            let mut waiting = tokio::task::JoinSet::new();
            for line in (0..4).map(lines) {
                let (host, world) = (host.clone(), world.clone());
                waiting.spawn(async move { host.act(&world, bot(0), line).await });
            }
            let deadline = Instant::now() + PATIENCE;
            let given =
                || talk.noted(|noted| noted.given.iter().filter(|line| line.speaker == bot(0)).count());
            while given() < asked + 4 && waiting.len() == 4 {
                assert!(Instant::now() < deadline, "neither asked for nor refused");
                tokio::time::sleep(Duration::from_millis(1)).await;
                while let Some(outcome) = waiting.try_join_next() {
                    assert_eq!(outcome.unwrap().unwrap_err().code(), "unavailable");
                    refused += 1;
                }
            }
            asked = given();
            host.leave(&world, &[(bot(0), None)]).await.unwrap();
            host.join(&world, vec![player(0, 1)]).await.unwrap();
            assert!(asked <= most, "{asked} lines are outstanding");
        }
        assert!(talk.noted(|noted| noted.given.len()) <= most);
        let tick = host.list().await.unwrap()[0].tick;
        until("it goes on", async || host.list().await.unwrap()[0].tick > tick + 10).await;
        talk.turn_to(Script::Take(9));
        talk.noted(|noted| noted.kept.clear());
        until("it hears verdicts again", async || {
            host.act(&world, bot(0), Act::Say { text: "There.".to_owned() }).await.is_ok()
        })
        .await;
    });
}
