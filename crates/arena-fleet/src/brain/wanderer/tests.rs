use super::*;
use crate::brain::scripted::{Library, is_asked};
use crate::brain::{Purse, Unpaid};
use std::collections::HashSet;

const ME: &str = "body-me";
const ANN: &str = "body-ann";

struct NoPurse;

#[async_trait]
impl Purse for NoPurse {
    async fn reserve(&self, _: u64, _: u64) -> Result<Option<String>, Unpaid> {
        Ok(None)
    }

    async fn release(&self, _: &str) {}
}

/// A bot in a world of 30 × 20 tiles, with a wall in the middle, in which walking takes two seconds.
struct Town {
    me: Identity,
    brain: Wanderer,
    at: Tile,
    arrives: Option<(Instant, Tile)>,
    walls: HashSet<Tile>,
    started: Instant,
    sent: Vec<(Duration, String, Value)>,
}

impl Town {
    async fn new(seed: u64) -> Town {
        let me = Identity {
            id: "bot-1".to_owned(),
            name: "Robin".to_owned(),
            persona: "ada".to_owned(),
            brain: BrainKind::Wanderer,
            world: Some("main".to_owned()),
        };
        let persona = Library::open(None).unwrap().get_or_any("ada", 0);
        let walls = (0..20).filter(|y| *y != 10).map(|y| (15, y)).collect();
        let brain = Wanderer::new(persona, &me, seed);
        let mut town =
            Town { me, brain, at: (5, 5), arrives: None, walls, started: Instant::now(), sent: vec![] };
        town.sense(Sensed::World { snapshot: town.snapshot(json!([])), body: ME.to_owned() }).await;
        town
    }

    fn snapshot(&self, conversations: Value) -> Value {
        json!({
            "tick": 1, "tick_ms": 200, "map": {"width": 30, "height": 20},
            "residents": [
                {"id": ME, "name": "Robin", "kind": "player", "speed": 1.25, "x": self.at.0, "y": self.at.1, "heading": 0, "zone": null, "activity": "idle"},
                {"id": ANN, "name": "Ann", "kind": "player", "speed": 1.25, "x": 6, "y": 5, "heading": 0, "zone": "park", "activity": "idle"},
            ],
            "conversations": conversations,
        })
    }

    async fn sense(&mut self, sensed: Sensed) -> Vec<Act> {
        let purse: Arc<dyn Purse> = Arc::new(NoPurse);
        let acts = self.brain.think(Scene { me: &self.me, purse: &purse }, sensed).await;
        for act in &acts {
            if let Act::Input { event, payload } = act {
                self.sent.push((self.started.elapsed(), event.clone(), payload.clone()));
            }
        }
        acts
    }

    async fn delta(&mut self, delta: Value) -> Vec<Act> {
        self.sense(Sensed::Delta { delta }).await
    }

    /// Does what the bot wants done; answers as a world does.
    async fn carry_out(&mut self, mut acts: Vec<Act>) {
        while let Some(Act::Input { event, payload }) = acts.pop() {
            if event != "move" {
                continue;
            }
            let to = (payload["x"].as_i64().unwrap(), payload["y"].as_i64().unwrap());
            if self.walls.contains(&to) {
                acts = self.sense(Sensed::Refused { input: event, code: "blocked".to_owned() }).await;
                continue;
            }
            self.arrives = Some((Instant::now() + Duration::from_secs(2), to));
            let (x, y) = self.at;
            acts = self
                .delta(json!({"moved": [{"id": ME, "x": x, "y": y, "to": [to.0, to.1], "heading": 0}]}))
                .await;
        }
    }

    async fn run(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            tokio::time::advance(Duration::from_millis(500)).await;
            let mut acts = self.sense(Sensed::Idle).await;
            if let Some((_, (x, y))) = self.arrives.take_if(|(at, _)| *at <= Instant::now()) {
                self.at = (x, y);
                acts.extend(self.delta(json!({"moved": [{"id": ME, "x": x, "y": y, "heading": 0}]})).await);
            }
            self.carry_out(acts).await;
        }
    }

    /// Runs until it says something in the world.
    async fn until_said(&mut self) -> String {
        self.until("say").await["text"].as_str().unwrap().to_owned()
    }

    async fn until(&mut self, input: &str) -> Value {
        let before = self.sent.len();
        for _ in 0..400 {
            self.run(Duration::from_millis(500)).await;
            if let Some((_, _, payload)) = self.sent[before..].iter().find(|(_, event, _)| event == input) {
                return payload.clone();
            }
        }
        panic!("no {input} within 200 seconds: {:?}", &self.sent[before..]);
    }

    fn inputs(&self, of: &str) -> Vec<&Value> {
        self.sent.iter().filter(|(_, event, _)| event == of).map(|(_, _, payload)| payload).collect()
    }

    async fn meet(&mut self) {
        self.delta(json!({"invited": [{"conversation": 7, "a": ANN, "b": ME}]})).await;
        assert_eq!(self.until("accept").await, json!({"conversation": 7}));
        self.delta(json!({"accepted": [{"conversation": 7}]})).await;
        self.delta(json!({"met": [{"conversation": 7, "a": ANN, "b": ME}]})).await;
    }

    async fn ann_says(&mut self, text: &str) {
        let acts = self.delta(json!({"said": [{"id": ANN, "text": text, "conversation": 7}]})).await;
        self.carry_out(acts).await;
    }
}

#[tokio::test(start_paused = true)]
async fn it_walks_near_and_far_and_rests_in_between_at_an_easy_pace() {
    let mut town = Town::new(1).await;
    town.run(Duration::from_secs(3_600)).await;
    let goals: Vec<Tile> =
        town.inputs("move").iter().map(|to| (to["x"].as_i64().unwrap(), to["y"].as_i64().unwrap())).collect();
    assert!(goals.len() > 100, "{}", goals.len());
    assert!(goals.iter().all(|(x, y)| (0..30).contains(x) && (0..20).contains(y)));
    assert!(!goals.contains(&(6, 5)), "somebody stands there");
    let ways: Vec<i64> =
        goals.windows(2).map(|w| (w[0].0 - w[1].0).abs().max((w[0].1 - w[1].1).abs())).collect();
    assert!(ways.iter().any(|way| *way <= 3) && ways.iter().any(|way| *way >= 12));
    assert!(!town.inputs("emote").is_empty() && !town.inputs("look").is_empty());
    assert!(town.sent.windows(2).all(|pair| pair[1].0 - pair[0].0 >= PACE), "never faster than its pace");
    assert!(town.sent.len() < 3_600 / 4, "{}", town.sent.len());
}

#[tokio::test(start_paused = true)]
async fn however_much_happens_at_once_inputs_keep_their_distance() {
    let dir = arena_testing::TempDir::new("personas").unwrap();
    let quick = "name = \"quick\"\n[typing]\nchars_per_second = 1000\nthink_ms = [0, 0]\nat_least_ms = 0\n[lines]\n\
                 greetings = [\"Hi.\"]\ngoodbyes = [\"Bye.\"]\nsmall_talk = [\"A.\", \"B.\", \"C.\", \"D.\"]\n";
    std::fs::write(dir.path().join("quick.toml"), quick).unwrap();
    let mut town = Town::new(13).await;
    town.brain.persona = Library::open(Some(dir.path())).unwrap().get_or_any("quick", 0);
    town.meet().await;
    for _ in 0..200 {
        town.ann_says("go on").await;
        tokio::time::advance(Duration::from_millis(100)).await;
        town.sense(Sensed::Idle).await;
    }
    assert!(town.inputs("say").len() >= LEAST_LINES);
    assert!(town.sent.windows(2).all(|pair| pair[1].0 - pair[0].0 >= PACE), "{:?}", town.sent);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_does_the_same_and_another_one_something_else() {
    let mut sent = Vec::new();
    for seed in [1, 1, 2] {
        let mut town = Town::new(seed).await;
        town.run(Duration::from_secs(600)).await;
        sent.push(town.sent);
    }
    assert_eq!(sent[0], sent[1]);
    assert_ne!(sent[0], sent[2]);
}

#[tokio::test(start_paused = true)]
async fn a_place_that_cannot_be_walked_to_is_left_for_another_one() {
    let mut town = Town::new(3).await;
    town.walls = (0..30).flat_map(|x| (0..20).map(move |y| (x, y))).filter(|(x, _)| *x > 7).collect();
    town.run(Duration::from_secs(1_800)).await;
    let goals: Vec<&Value> = town.inputs("move");
    let refused: Vec<&&Value> = goals.iter().filter(|to| to["x"].as_i64().unwrap() > 7).collect();
    assert!(refused.len() > 3 && goals.len() > refused.len() + 30, "{} of {}", refused.len(), goals.len());
    let again = goals.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert_eq!(again, 0, "the same place is not tried twice in a row");
}

#[tokio::test(start_paused = true)]
async fn a_world_that_refuses_everything_is_asked_ever_more_rarely() {
    let mut town = Town::new(4).await;
    for _ in 0..3_600 {
        tokio::time::advance(Duration::from_secs(1)).await;
        for act in town.sense(Sensed::Idle).await {
            if let Act::Input { event, .. } = act {
                town.sense(Sensed::Refused { input: event, code: "unavailable".to_owned() }).await;
            }
        }
    }
    assert!((10..100).contains(&town.sent.len()), "{}", town.sent.len());
}

#[tokio::test(start_paused = true)]
async fn it_accepts_an_invitation_and_talks_by_its_lines_until_it_takes_its_leave() {
    let mut town = Town::new(5).await;
    town.meet().await;
    let mut said = vec![town.until_said().await];
    while town.inputs("leave_conversation").is_empty() {
        assert!(said.len() < 20, "{said:?}");
        town.ann_says("Go on, please").await;
        let before = town.inputs("say").len();
        town.run(Duration::from_secs(10)).await;
        said.extend(town.inputs("say")[before..].iter().map(|say| say["text"].as_str().unwrap().to_owned()));
    }
    assert!(said.len() >= LEAST_LINES, "{said:?}");
    let goodbyes = Library::open(None).unwrap().get_or_any("ada", 0).lines.goodbyes.clone();
    assert!(goodbyes.contains(said.last().unwrap()), "{said:?}");
    assert_eq!(said.iter().collect::<HashSet<_>>().len(), said.len(), "{said:?}");
    assert!(!town.inputs("move").is_empty() || town.arrives.is_none());
    town.delta(json!({"ended": [{"conversation": 7, "reason": "walked-out"}]})).await;
    town.until("move").await;
}

/// The least lines that it stays for.
const LEAST_LINES: usize = 8;

#[tokio::test(start_paused = true)]
async fn it_says_that_it_is_a_bot_in_worlds_too() {
    let mut town = Town::new(6).await;
    town.meet().await;
    let question = "wait, are you a bot?";
    assert!(is_asked(question));
    town.ann_says(question).await;
    assert!(town.until_said().await.to_lowercase().contains("bot"));
}

#[tokio::test(start_paused = true)]
async fn it_does_not_wander_off_in_the_middle_of_a_talk_and_ends_a_silent_one() {
    let mut town = Town::new(7).await;
    town.meet().await;
    let before = town.inputs("move").len();
    assert_eq!(town.until("leave_conversation").await, json!({"conversation": 7}));
    assert_eq!(town.inputs("move").len(), before);
    assert!(town.inputs("say").len() >= 3, "a greeting, a nudge, a goodbye: {:?}", town.inputs("say"));
}

#[tokio::test(start_paused = true)]
async fn a_talk_without_budget_is_left_without_another_word() {
    let mut town = Town::new(8).await;
    town.meet().await;
    town.until_said().await;
    let before = town.inputs("say").len();
    town.sense(Sensed::Refused { input: "say".to_owned(), code: "total_limit".to_owned() }).await;
    town.until("leave_conversation").await;
    assert_eq!(town.inputs("say").len(), before);
}

#[tokio::test(start_paused = true)]
async fn a_talk_goes_on_over_a_new_snapshot_and_ends_where_it_is_not_in_it() {
    let mut town = Town::new(9).await;
    town.meet().await;
    town.until_said().await;
    let talk = json!([{"conversation": 7, "a": ANN, "b": ME, "state": "talking"}]);
    town.sense(Sensed::World { snapshot: town.snapshot(talk), body: ME.to_owned() }).await;
    let said = town.inputs("say").len();
    town.run(Duration::from_secs(20)).await;
    assert_eq!(town.inputs("say").len(), said, "it does not greet again");
    town.sense(Sensed::World { snapshot: town.snapshot(json!([])), body: ME.to_owned() }).await;
    town.until("move").await;
}

#[tokio::test(start_paused = true)]
async fn whoever_is_sent_away_says_goodbye_or_declines_first() {
    let mut town = Town::new(10).await;
    assert_eq!(town.sense(Sensed::Leaving).await, [Act::Leave]);
    town.delta(json!({"invited": [{"conversation": 9, "a": ANN, "b": ME}]})).await;
    let acts = town.sense(Sensed::Leaving).await;
    assert_eq!(acts, [input("decline", json!({"conversation": 9})), Act::Leave]);
    let mut town = Town::new(11).await;
    town.meet().await;
    let acts = town.sense(Sensed::Leaving).await;
    assert!(matches!(acts.as_slice(), [Act::Input { event, .. }, Act::Leave] if event == "say"), "{acts:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_world_is_passed_over() {
    let mut town = Town::new(12).await;
    for nonsense in
        [json!(null), json!([1]), json!({"map": "flat"}), json!({"moved": [{"id": 5}]}), json!({"said": [7]})]
    {
        town.delta(nonsense.clone()).await;
        town.sense(Sensed::World { snapshot: nonsense, body: ME.to_owned() }).await;
    }
    town.until("move").await;
    town.delta(json!({"left": [ME]})).await;
    let before = town.sent.len();
    town.run(Duration::from_secs(60)).await;
    assert_eq!(town.sent.len(), before, "without a body there is nothing to do");
}
