//! A viewer who applies every delta to a snapshot sees what the next snapshot shows.

use super::*;
use arena_sim::{BrainKind, Input, Persona, WorldSettings};
use proptest::prelude::*;
use uuid::Uuid;
use viewer::Viewer;

#[allow(dead_code, clippy::unwrap_used, reason = "shared with the suite, which uses all of it")]
#[path = "../../../tests/it/viewer.rs"]
mod viewer;

/// Ticks between two comparisons, which take longer than the ticks.
const CHECK_EVERY: u64 = 5;

fn bot(n: u8) -> BotId {
    BotId(Uuid::from_u128(u128::from(n) + 1))
}

fn world(tick_ms: u32, seed: u64) -> World {
    World::new(TownMap::town(), seed, WorldSettings { tick_ms, ..WorldSettings::default() }).unwrap()
}

fn join(n: u8, speed: Option<u16>, position: Option<Tile>) -> Input {
    let persona = |speed| Persona { speed, sociability: 90, restlessness: 70, ..Persona::default() };
    let brain = speed.map_or(BrainKind::Puppet, |speed| BrainKind::Wanderer(persona(speed)));
    Input::Join { bot: bot(n), name: format!("\"{n}\" \\ ü"), brain, position }
}

/// Something that somebody tries; much of it is refused.
#[derive(Debug, Clone)]
struct Step {
    who: u8,
    whom: u8,
    what: u8,
    tile: (u16, u16),
    /// Ticks before the next step; with none, both happen in one tick.
    pause: u8,
}

prop_compose! {
    fn step()(who in 0u8..34, whom in 0u8..34, what in 0u8..24, x in 0u16..66, y in 0u16..50, pause in 0u8..12)
        -> Step
    {
        Step { who, whom, what, tile: (x, y), pause }
    }
}

impl Step {
    fn input(&self, sim: &World) -> Input {
        let (bot, with) = (bot(self.who), bot(self.whom));
        let to = Tile { x: self.tile.0, y: self.tile.1 };
        let talk = sim.conversations().find(|talk| talk.a == bot || talk.b == bot);
        let conversation = talk.map_or(arena_sim::ConversationId(0), |talk| talk.conversation);
        match self.what {
            0..=3 => join(self.who, Some(64 + u16::from(self.whom) * 32), Some(to)),
            4..=5 => join(self.who, None, None),
            6 => Input::Leave { bot },
            7..=10 => Input::MoveTo { bot, to },
            11..=12 => Input::Look { bot, heading: Heading::ALL[usize::from(self.whom) % 8] },
            13 => Input::Say { bot, text: format!("tick {}\n\t\"\u{1}\u{2028}", sim.tick()) },
            14..=16 => Input::Emote { bot, emote: Emote::ALL[usize::from(self.whom) % 6] },
            17..=19 => Input::StartConversation { bot, with },
            20..=21 => Input::AcceptConversation { bot, conversation },
            22 => Input::RejectConversation { bot, conversation },
            _ => Input::LeaveConversation { bot, conversation },
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_snapshot_and_all_deltas_give_the_next_snapshot(
        seed in any::<u64>(),
        tick_ms in prop::sample::select(vec![50u32, 200, 1_000]),
        crowd in 0u8..30,
        begin in 0usize..40,
        steps in prop::collection::vec(step(), 120),
    ) {
        let mut sim = world(tick_ms, seed);
        let mut effects = Vec::new();
        let mut inputs: Vec<Input> = (0..crowd).map(|n| join(n, Some(100 + 60 * u16::from(n)), None)).collect();
        let mut viewer: Option<(Viewer, Vec<Known>)> = None;
        for (n, step) in steps.iter().enumerate() {
            if n == begin {
                viewer = Some((Viewer::new(&snapshot(&sim)), known(&sim)));
            }
            inputs.push(step.input(&sim));
            for _ in 0..step.pause {
                effects.clear();
                sim.step(&inputs, &mut effects);
                inputs.clear();
                let Some((viewer, known)) = &mut viewer else { continue };
                if let Some(delta) = delta(&sim, &effects, known) {
                    viewer.apply(&delta);
                }
                if sim.tick().is_multiple_of(CHECK_EVERY) {
                    viewer.agree(&snapshot(&sim)).unwrap_or_else(|why| panic!("tick {}: {why}", sim.tick()));
                }
            }
        }
    }
}

#[test]
fn straight_walks_and_standing_about_need_no_delta() {
    let mut sim = world(200, 7);
    let mut effects = Vec::new();
    sim.step(&[join(0, None, Some(Tile::new(5, 15)))], &mut effects);
    let mut known = known(&sim);
    let at = sim.get(bot(0)).unwrap().tile;
    let far = (at.x + 1..64).map(|x| Tile::new(x, at.y)).take_while(|tile| sim.map().is_free(*tile)).last();
    let to = far.expect("there is a way to the right");
    let mut deltas = Vec::new();
    for tick in 0..400 {
        effects.clear();
        let inputs = if tick == 0 { vec![Input::MoveTo { bot: bot(0), to }] } else { Vec::new() };
        sim.step(&inputs, &mut effects);
        deltas.extend(delta(&sim, &effects, &mut known));
    }
    let texts: Vec<&str> = deltas.iter().map(|delta| std::str::from_utf8(delta).unwrap()).collect();
    assert!(to.x > at.x + 3, "{at:?} to {to:?}");
    let texts: Vec<&str> = texts.into_iter().filter(|text| !text.contains("zone")).collect();
    assert_eq!(texts.len(), 2, "a start and a stop: {texts:?}");
    let id = bot(0);
    let Tile { x, y } = at;
    let start =
        format!(r#"{{"tick":2,"moved":[{{"id":"{id}","x":{x},"y":{y},"to":[{},{y}],"heading":90}}]}}"#, to.x);
    assert_eq!(texts[0], start);
    assert!(texts[1].contains(&format!(r#""x":{},"y":{y},"heading":90"#, to.x)), "{}", texts[1]);
}

#[test]
fn who_leaves_and_comes_back_within_a_tick_is_told_as_both() {
    let mut sim = world(200, 7);
    let mut effects = Vec::new();
    sim.step(&[join(0, None, None), join(1, None, None)], &mut effects);
    let mut known = known(&sim);
    effects.clear();
    let inputs = [
        Input::Leave { bot: bot(0) },
        join(0, None, None),
        join(2, None, None),
        Input::Leave { bot: bot(2) },
    ];
    sim.step(&inputs, &mut effects);
    let told: serde_json::Value =
        serde_json::from_slice(&delta(&sim, &effects, &mut known).unwrap()).unwrap();
    assert_eq!(told["left"], serde_json::json!([bot(0)]));
    assert_eq!(told["joined"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(told["joined"][0]["id"], serde_json::json!(bot(0)));
}

#[test]
fn numbers_are_short_and_names_are_escaped() {
    let mut sim = world(200, 7);
    sim.step(&[join(0, Some(203), Some(Tile::new(5, 15)))], &mut Vec::new());
    let text = String::from_utf8(snapshot(&sim).to_vec()).unwrap();
    assert!(text.contains(r#""speed":0.793,"#), "{text}");
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told["residents"][0]["name"], "\"0\" \\ ü");
    assert!(told["residents"][0]["x"].is_u64(), "{text}");
}
