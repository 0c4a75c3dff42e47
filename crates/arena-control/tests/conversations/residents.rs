//! What residents say to each other: in the log before it is heard, and no more of it than there is a budget for.

use crate::support::{Db, House, PATIENCE, actor, caps, id, until, who};
use arena_control::{ConversationSettings, Conversations, Residents, TalkLimits};
use arena_core::conversation::{AccountId, ExhaustedBy};
use arena_core::{BotId, WorldId};
use arena_sim::{
    BrainKind, Effect, EndReason, Input, MoveKind, NoLeave, Persona, TownMap, Wish, World, WorldSettings,
};
use arena_worlds::native::{NativeHost, NativeSettings};
use arena_worlds::{Act, Body, BodyKind, CreateWorld, Line, Outcome, Talk, Verdict, WorldHost};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use tokio::sync::mpsc;

fn bot(n: u128) -> BotId {
    format!("{:032x}", n + 1).parse().unwrap()
}

fn attached(house: &House, limits: TalkLimits) -> Residents {
    let residents = Residents::new(limits);
    residents.attach(Conversations::clone(house.deref()));
    residents
}

fn lines(max_messages: u64) -> TalkLimits {
    TalkLimits { max_messages: Some(max_messages), ..TalkLimits::default() }
}

/// A world that ticks as fast as its lines are stored.
struct Town {
    world: World,
    id: WorldId,
    talk: Residents,
    judged: mpsc::Receiver<(Wish, Outcome)>,
    judge: mpsc::Sender<(Wish, Outcome)>,
    outstanding: usize,
    heard: BTreeMap<u64, Vec<(String, String)>>,
    ended: BTreeMap<u64, EndReason>,
    walks: usize,
}

impl Town {
    fn new(id: &str, talk: Residents) -> Town {
        let settings = WorldSettings { asks_before_talk: true, ..WorldSettings::default() };
        let mut world = World::new(TownMap::town(), 7, settings).unwrap();
        let join = |n| {
            let brain = BrainKind::Wanderer(Persona::for_bot(bot(n), Some("casino"), &["social"]));
            Input::Join { bot: bot(n), name: format!("Bot {n}"), brain, position: None }
        };
        world.step(&(0..30).map(join).collect::<Vec<_>>(), &mut Vec::new());
        let (judge, judged) = mpsc::channel(1_024);
        Town {
            world,
            id: id.parse().unwrap(),
            talk,
            judged,
            judge,
            outstanding: 0,
            heard: BTreeMap::new(),
            ended: BTreeMap::new(),
            walks: 0,
        }
    }

    async fn tick(&mut self) {
        let mut inputs = Vec::new();
        while self.outstanding > 0 {
            let judged = tokio::time::timeout(PATIENCE, self.judged.recv()).await;
            let (Wish { bot, conversation, line, .. }, outcome) = judged.expect("a verdict comes").unwrap();
            inputs.push(match outcome {
                Outcome::Said { last } => Input::MaySay { bot, conversation, line, last },
                Outcome::Refused { .. } => {
                    Input::MayNotSay { bot, conversation, line, reason: NoLeave::BudgetSpent }
                }
                Outcome::Dropped { code } => panic!("line {line} of {conversation:?} is dropped: {code}"),
            });
            self.outstanding -= 1;
        }
        let mut effects = Vec::new();
        self.world.step(&inputs, &mut effects);
        effects.into_iter().for_each(|effect| self.note(effect));
    }

    fn note(&mut self, effect: Effect) {
        match effect {
            Effect::WantsToSay(wish) => self.ask(*wish),
            Effect::Spoke { bot, conversation: Some(talk), text } => {
                self.heard.entry(talk.0).or_default().push((bot.to_string(), text));
            }
            Effect::ConversationEnded { conversation, reason, .. } => {
                self.ended.insert(conversation.0, reason);
                self.talk.ended(&self.id, conversation.0);
            }
            Effect::Moved { kind: MoveKind::Stopped, .. } => self.walks += 1,
            _ => {}
        }
    }

    fn ask(&mut self, wish: Wish) {
        let talk =
            self.world.conversations().find(|talk| Some(talk.conversation) == wish.conversation).unwrap();
        let participants = [talk.a, talk.b].map(|bot| (bot, self.world.get(bot).unwrap().name.to_owned()));
        let line = Line {
            world: self.id.clone(),
            channel: "plaza".parse().unwrap(),
            conversation: talk.conversation.0,
            participants: participants.to_vec(),
            speaker: wish.bot,
            text: wish.text.clone(),
            number: wish.line,
        };
        let judge = self.judge.clone();
        let verdict = Verdict::new(move |outcome| judge.try_send((wish, outcome)).unwrap());
        self.outstanding += 1;
        self.talk.say(line, verdict);
    }

    /// Ticks until so many talks of this world in which something was said are over.
    async fn until_over(&mut self, talks: usize) {
        let over = |town: &Town| town.heard.keys().filter(|talk| town.ended.contains_key(talk)).count();
        while over(self) < talks {
            assert!(self.world.tick() < 20_000, "they do not talk");
            self.tick().await;
        }
    }

    fn lines(&self) -> usize {
        self.heard.values().map(Vec::len).sum()
    }

    fn name(&self, talk: u64) -> String {
        format!("{}-{talk}", self.id)
    }

    /// What the log says was said in a talk.
    async fn log(&self, house: &House, talk: u64) -> Vec<(String, String)> {
        let mut said = Vec::new();
        for line in house.log(&self.name(talk)).await {
            if &*line.event == "message" {
                let json: serde_json::Value = serde_json::from_slice(&line.body).unwrap();
                said.push((
                    json["author"].as_str().unwrap().to_owned(),
                    json["text"].as_str().unwrap().to_owned(),
                ));
            }
        }
        said
    }
}

on_both!(what_residents_say_stands_in_the_log_without_gaps_as_it_was_heard, async |db: &Db| {
    let house = House::open(db).await;
    let mut town = Town::new("w-a", attached(&house, TalkLimits::default()));
    town.until_over(6).await;
    for (talk, heard) in &town.heard {
        assert_eq!(&town.log(&house, *talk).await, heard, "talk {talk}");
        let summary = house.get(&id(&town.name(*talk))).await.unwrap();
        let over = town.ended.contains_key(talk).then_some(ExhaustedBy::Ended);
        assert_eq!(summary.exhausted, over, "talk {talk}");
        assert_eq!(summary.setup.owner, Some(who("channel:plaza")));
        assert!(heard.iter().all(|(author, _)| summary.setup.participants.contains(&who(author))));
        let notes = serde_json::Value::from(summary.setup.metadata);
        assert_eq!((&notes["world"], &notes["channel"]), (&"w-a".into(), &"plaza".into()));
        assert!(notes["names"][1].as_str().unwrap().starts_with("Bot "));
    }
    let stats = house.stats();
    assert_eq!((stats.messages as usize, stats.created as usize), (town.lines(), town.heard.len()));
    house.close().await;
});

on_both!(a_budget_of_4_ends_each_talk_after_4_lines, async |db: &Db| {
    let house = House::open(db).await;
    let mut town = Town::new("w-a", attached(&house, lines(4)));
    town.until_over(6).await;
    for (talk, reason) in &town.ended {
        let heard = town.heard.get(talk).map_or(0, Vec::len);
        assert_eq!(heard == 4, *reason == EndReason::BudgetSpent, "talk {talk}: {heard} lines, {reason:?}");
        if heard == 4 {
            let name = town.name(*talk);
            assert_eq!(house.count(&name, "message").await, 4);
            assert_eq!(house.count(&name, "exhausted").await, 1);
            let summary = house.get(&id(&name)).await.unwrap();
            assert_eq!(summary.exhausted, Some(ExhaustedBy::TotalLimit));
        }
    }
    assert!(town.ended.values().filter(|reason| **reason == EndReason::BudgetSpent).count() >= 4);
    assert!(house.stats().dropped.is_empty(), "nobody tries to say more: {:?}", house.stats());
    house.close().await;
});

on_both!(where_each_may_say_one_thing_a_talk_has_two_lines, async |db: &Db| {
    let house = House::open(db).await;
    let limits = TalkLimits { max_replies_per_participant: Some(1), ..TalkLimits::default() };
    let mut town = Town::new("w-a", attached(&house, limits));
    town.until_over(4).await;
    let spent = town.ended.iter().filter(|(_, reason)| **reason == EndReason::BudgetSpent);
    let spent: Vec<u64> = spent.map(|(talk, _)| *talk).collect();
    assert!(spent.len() >= 3);
    for talk in spent {
        assert_eq!(town.log(&house, talk).await.len(), 2);
        let summary = house.get(&id(&town.name(talk))).await.unwrap();
        assert_eq!(summary.exhausted, Some(ExhaustedBy::AllParticipantsExhausted));
    }
    house.close().await;
});

on_both!(a_town_whose_channel_has_spent_its_budget_falls_silent_and_goes_on_walking, async |db: &Db| {
    let house = House::open(db).await;
    let account = AccountId::Owner(who("channel:plaza"));
    house.set_account(&actor(), &account, caps(Some(10)), None).await.unwrap();
    let mut town = Town::new("w-a", attached(&house, TalkLimits::default()));
    while house.stats().dropped.values().sum::<u64>() < 3 {
        assert!(town.world.tick() < 20_000, "nobody is refused");
        town.tick().await;
    }
    assert_eq!((town.lines(), house.account(&account).await.unwrap().used.messages), (10, 10));
    let (walks, lines) = (town.walks, town.lines());
    for _ in 0..300 {
        town.tick().await;
    }
    assert!(town.walks > walks + 20, "{} walks", town.walks - walks);
    assert_eq!(town.lines(), lines);
    let refused = house.stats().dropped;
    assert!(refused.keys().eq(["total_limit"].iter()), "{refused:?}");
    house.set_account(&actor(), &account, caps(Some(20)), None).await.unwrap();
    while town.lines() < 20 {
        assert!(town.world.tick() < 20_000, "they have forgotten how to talk");
        town.tick().await;
    }
    house.close().await;
});

/// Two players who talk in a world of a native host that ticks every 10 ms.
async fn players_who_talk(talk: &Residents) -> (NativeHost, WorldId) {
    let settings = NativeSettings {
        map: TownMap::town(),
        world: WorldSettings { tick_ms: 10, ..WorldSettings::default() },
        mailbox: 64,
        seed: 7,
        bus: arena_bus::Bus::default(),
        talk: Some(Arc::new(talk.clone())),
    };
    let host = NativeHost::new(settings).unwrap();
    let world = host.create(CreateWorld { channel: "plaza".parse().unwrap(), epoch: 1 }).await.unwrap();
    let player = |n: u128, x| Body {
        bot: bot(n),
        kind: BodyKind::Player,
        epoch: 1,
        name: format!("Player {n}"),
        home_zone: None,
        traits: Vec::new(),
        position: Some((x, 15)),
    };
    host.join(&world, vec![player(0, 10), player(1, 11)]).await.unwrap();
    host.act(&world, bot(0), Act::Invite { with: bot(1) }).await.unwrap();
    host.act(&world, bot(1), Act::Accept { conversation: 1 }).await.unwrap();
    (host, world)
}

fn say(text: &str) -> Act {
    Act::Say { text: text.to_owned() }
}

on_both!(players_are_told_when_there_is_no_budget_and_what_they_say_is_kept_in_order, async |db: &Db| {
    let house = House::open(db).await;
    let talk = attached(&house, TalkLimits { max_messages: Some(9), max_replies_per_participant: Some(5) });
    let (host, world) = players_who_talk(&talk).await;
    let name = format!("{world}-1");
    for round in 0..2 {
        let acts = [0, 1].map(|n| host.act(&world, bot(0), say(&format!("{round}{n}"))));
        for said in futures_in_order(acts).await {
            said.unwrap();
        }
    }
    host.act(&world, bot(0), say("20")).await.unwrap();
    let refused = host.act(&world, bot(0), say("21")).await.unwrap_err();
    assert_eq!(refused.code(), "participant_limit");
    let overheard = host.view(&world).await.unwrap().overheard;
    let heard: Vec<&str> = overheard.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(heard, ["00", "01", "10", "11", "20"]);
    let mut texts = Vec::new();
    for line in house.log(&name).await {
        let json: serde_json::Value = serde_json::from_slice(&line.body).unwrap();
        texts.extend(json["text"].as_str().map(str::to_owned));
    }
    assert_eq!(texts, heard);
    until("the talk is over", async || {
        house.get(&id(&name)).await.unwrap().exhausted == Some(ExhaustedBy::Ended)
    })
    .await;
    // What is said aloud has a conversation of its own, without limits.
    for n in 0..8 {
        host.act(&world, bot(0), say(&format!("Hear, hear {n}"))).await.unwrap();
    }
    assert_eq!(house.count(&format!("{world}-0"), "message").await, 8);
    host.shutdown().await;
    until("the world is over", async || {
        house.get(&id(&format!("{world}-0"))).await.unwrap().exhausted == Some(ExhaustedBy::Ended)
    })
    .await;
    house.close().await;
});

/// Begins each before it waits for the first.
async fn futures_in_order<F: Future>(futures: [F; 2]) -> [F::Output; 2] {
    let [first, second] = futures;
    let (first, second) = tokio::join!(biased; first, second);
    [first, second]
}

fn line(number: u32) -> Line {
    Line {
        world: "w-a".parse().unwrap(),
        channel: "plaza".parse().unwrap(),
        conversation: 1,
        participants: vec![(bot(0), "Ada".to_owned()), (bot(1), "Bo".to_owned())],
        speaker: bot(0),
        text: "Well?".to_owned(),
        number,
    }
}

async fn said(talk: &Residents, number: u32) -> Outcome {
    let (judge, mut judged) = mpsc::channel(1);
    talk.say(line(number), Verdict::new(move |outcome| judge.try_send(outcome).unwrap()));
    tokio::time::timeout(PATIENCE, judged.recv()).await.expect("a verdict comes").unwrap()
}

on_both!(a_full_queue_is_no_leave_at_once_and_later_lines_are_said, async |db: &Db| {
    let house =
        House::open_with(db, ConversationSettings { max_queue: 2, ..ConversationSettings::default() }).await;
    let talk = attached(&house, TalkLimits::default());
    let (judge, mut judged) = mpsc::channel(500);
    for number in 1..=500 {
        let judge = judge.clone();
        talk.say(line(number), Verdict::new(move |outcome| judge.try_send((number, outcome)).unwrap()));
    }
    drop(judge);
    let mut outcomes = Vec::new();
    while let Some(outcome) = tokio::time::timeout(PATIENCE, judged.recv()).await.expect("all have a verdict")
    {
        outcomes.push(outcome);
    }
    let kept: Vec<u32> =
        outcomes.iter().filter(|(_, o)| *o != Outcome::UNAVAILABLE).map(|(n, _)| *n).collect();
    assert_eq!(outcomes.len(), 500);
    assert!(kept.len() < 500 && kept.is_sorted(), "{kept:?}");
    assert_eq!(said(&talk, 501).await, Outcome::Said { last: false });
    assert_eq!(house.count("w-a-1", "message").await, kept.len() + 1);
    house.close().await;
});

on_both!(a_deleted_talk_costs_a_line_and_begins_anew, async |db: &Db| {
    let house = House::open(db).await;
    let talk = attached(&house, TalkLimits::default());
    assert_eq!(said(&talk, 1).await, Outcome::Said { last: false });
    house.delete(&actor(), &id("w-a-1")).await.unwrap();
    assert_eq!(said(&talk, 2).await, Outcome::UNAVAILABLE);
    assert_eq!(said(&talk, 3).await, Outcome::Said { last: false });
    house.close().await;
});

on_both!(without_conversations_nothing_may_be_said, async |db: &Db| {
    let early = Residents::new(TalkLimits::default());
    assert_eq!(said(&early, 1).await, Outcome::UNAVAILABLE);
    early.ended(&"w-a".parse().unwrap(), 1);
    let house = House::open(db).await;
    let late = attached(&house, TalkLimits::default());
    house.close().await;
    assert_eq!(said(&late, 1).await, Outcome::UNAVAILABLE);
    late.ended(&"w-a".parse().unwrap(), 1);
});
