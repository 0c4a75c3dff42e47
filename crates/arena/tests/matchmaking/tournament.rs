//! Tournaments from the queue to the champion.

use super::desk::{Desk, put_queue};
use super::support::{Arena, PATIENCE, roster};
use arena_testing::{TestDatabase, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Games that can be played now.
fn open_games(cup: &Value) -> Vec<Value> {
    let open = |game: &&Value| game["result"].is_null() && !game["a"].is_null() && !game["b"].is_null();
    cup["games"].as_array().unwrap().iter().filter(open).cloned().collect()
}

/// Plays until nothing is open: whoever has the lesser id of the two loses, and says so. Gives how many were played.
fn play(desk: &Desk, id: &str) -> usize {
    let mut played = 0;
    loop {
        let games = open_games(&desk.get(&format!("tournaments/{id}")));
        if games.is_empty() {
            return played;
        }
        for game in games {
            let (a, b) = (game["a"].as_str().unwrap(), game["b"].as_str().unwrap());
            let result = json!({ "user": a.min(b), "winner": a.max(b) });
            desk.post(&format!("tournaments/{id}/games/{}/result", game["number"]), &result);
            played += 1;
        }
    }
}

/// The channel is there no more, and bots live where they lived before.
fn wait_for_its_end(arena: &Arena, channel: &str, bots: usize) {
    wait_until(PATIENCE, "the channel is gone", || {
        arena.try_get(&format!("/api/channels/{channel}")).is_some_and(|(status, _)| status == 404)
    });
    arena.check_whole(bots);
    for bot in arena.all("/api/bots") {
        assert!(bot["channel"].as_str().unwrap().starts_with("main"), "{bot}");
    }
}

#[test]
fn sixty_four_bots_play_to_the_end() {
    let arena = Arena::start(TestDatabase::sqlite());
    arena.post("/api/bots/import", &roster(64));
    arena.check_whole(64);
    let desk = Desk::of(&arena);
    let outcome = json!({ "tournament": { "format": "single_elimination", "region": null } });
    put_queue(
        &arena,
        "cup",
        &json!({ "teams": 64, "bots_after_ms": 0, "silent_ms": 3_600_000, "outcome": outcome }),
    );
    let bots: Vec<String> =
        arena.all("/api/bots").iter().map(|bot| bot["id"].as_str().unwrap().to_owned()).collect();
    let enter = |bot: &String| desk.enqueue(&json!({ "queue": "cup", "user": bot, "kind": "bot" }));
    let tickets: Vec<String> = bots.iter().map(enter).collect();
    let of = desk.until(&tickets[0], "matched");
    assert_eq!(of["members"].as_array().unwrap().len(), 64);
    let (id, channel) = (of["id"].as_str().unwrap(), of["channel"].as_str().unwrap());
    assert!(tickets.iter().all(|ticket| desk.ticket(ticket)["match"]["id"] == id));

    // All of them live in the tournament's world.
    arena.check_whole(64);
    let place = arena.get(&format!("/api/channels/{channel}"));
    assert_eq!(
        (&place["kind"], &place["bots"], &place["max_bots"]),
        (&json!("TOURNAMENT"), &json!(64), &json!(64))
    );

    assert_eq!(play(&desk, id), 63);
    let cup = desk.get(&format!("tournaments/{id}"));
    assert_eq!((&cup["state"], &cup["ended"]), (&json!("over"), &json!("finished")));
    assert_eq!(cup["champion"], bots.iter().max().unwrap().as_str());
    for ticket in &tickets {
        let ticket = desk.ticket(ticket);
        assert_eq!((&ticket["state"], &ticket["ended"]), (&json!("over"), &json!("played")));
    }
    wait_for_its_end(&arena, channel, 64);
    let after = desk.get(&format!("tournaments/{id}"));
    assert_eq!((&after["champion"], &after["standings"][0]["rank"]), (&cup["champion"], &json!(1)));
    let log = arena.all("/api/activity").into_iter().map(|line| line["action"].as_str().unwrap().to_owned());
    let log: BTreeSet<String> = log.collect();
    assert!(log.contains("tournament.began") && log.contains("tournament.finished"), "{log:?}");
}

#[test]
fn humans_and_bots_play_everybody_against_everybody() {
    let mut arena = Arena::start(TestDatabase::sqlite());
    arena.post("/api/bots/import", &roster(3));
    let desk = Desk::of(&arena);
    let outcome = json!({ "tournament": { "format": "round_robin", "region": null } });
    put_queue(
        &arena,
        "league",
        &json!({ "teams": 6, "bots_after_ms": 0, "silent_ms": 3_600_000, "outcome": outcome }),
    );
    let bots = arena.all("/api/bots").into_iter().map(|bot| (bot["id"].as_str().unwrap().to_owned(), "bot"));
    let humans = ["ann", "bob", "cleo"].map(|name| (name.to_owned(), "human"));
    let enter = |(user, kind): (String, &str)| {
        (desk.enqueue(&json!({ "queue": "league", "user": user, "kind": kind })), user)
    };
    let entrants: Vec<(String, String)> = bots.chain(humans).map(enter).collect();
    let of = desk.until(&entrants[0].0, "matched");
    let (id, channel) = (of["id"].as_str().unwrap(), of["channel"].as_str().unwrap());
    let place = arena.get(&format!("/api/channels/{channel}"));
    assert_eq!((&place["bots"], &place["players"]), (&json!(3), &json!(3)));

    // Nobody wins by saying so alone.
    let cup = desk.get(&format!("tournaments/{id}"));
    let game = open_games(&cup).remove(0);
    let (a, b, number) = (&game["a"], &game["b"], &game["number"]);
    let result = |user: &Value, winner: &Value| {
        let body = json!({ "user": user, "winner": winner });
        desk.post(&format!("tournaments/{id}/games/{number}/result"), &body)
    };
    let nth = number.as_u64().unwrap() as usize - 1;
    let game = &result(a, a)["games"][nth];
    assert!(game["result"].is_null(), "a claim");
    assert_eq!(game["claims"], json!([{ "by": a, "winner": a, "score": null }]));
    assert_eq!(game["due_at_ms"], cup["made_at_ms"].as_i64().unwrap() + 3_600_000);
    assert!(result(b, b)["games"][nth]["result"].is_null(), "another one");
    // A draw is one when both say so.
    assert!(result(a, &Value::Null)["games"][nth]["result"].is_null());
    assert_eq!(result(b, &Value::Null)["games"][nth]["result"]["winner"], Value::Null);
    assert!(!desk.get(&format!("tournaments/{id}"))["games"][nth]["result"].is_null());
    // What stands is not talked away.
    let path = format!("tournaments/{id}/games/{number}/result");
    let (status, refused) = desk.try_post(&path, &json!({ "user": a, "winner": b })).unwrap();
    assert_eq!((status, &refused["code"]), (409, &json!("game_over")));

    // Whoever leaves loses what is left, and is free.
    desk.post(&format!("tournaments/{id}/leave"), &json!({ "user": "cleo" }));
    desk.until(&entrants[5].0, "over");
    // A crash changes nothing of that.
    arena.kill();
    arena.launch();
    play(&desk, id);
    let cup = desk.get(&format!("tournaments/{id}"));
    assert_eq!((&cup["state"], &cup["ended"]), (&json!("over"), &json!("finished")));
    assert!(cup["games"].as_array().unwrap().iter().all(|game| !game["result"].is_null()));
    assert_eq!(cup["standings"].as_array().unwrap().len(), 6);
    for (_, player) in [0, 1, 2].iter().zip(arena.all("/api/players")) {
        arena.delete(&format!("/api/players/{}", player["id"].as_str().unwrap()));
    }
    wait_for_its_end(&arena, channel, 3);
}
