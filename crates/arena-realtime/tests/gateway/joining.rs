//! Joining, leaving and joining again, while the backstage takes its time.

use crate::support::{Call, Client, Heard, House};
use serde_json::{Value, json};
use uuid::Uuid;

fn events(heard: &[Value]) -> Vec<&str> {
    heard.iter().filter_map(|message| message[3].as_str()).collect()
}

#[tokio::test]
async fn a_topic_can_be_joined_left_and_joined_again() {
    let house = House::new();
    let mut client = house.guest().await;
    for _ in 0..3 {
        client.join("lobby:a", json!({"presence": {"enabled": false}})).await;
        client.leave("lobby:a").await;
        let heard = client.all().await;
        assert_eq!(events(&heard), ["phx_close"], "{heard:?}");
        assert_eq!((&heard[0][0], &heard[0][1]), (&json!("lobby:a"), &json!("lobby:a")));
    }
    assert_eq!(house.gateway.stats().rooms, 0);
    client.send_close(1000).await;
    assert_eq!(client.closing().await, Some((1000, String::new())));
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_second_join_of_a_topic_replaces_the_first_without_a_word_about_it() {
    let house = House::new();
    let (mut client, mut other) = (house.guest().await, house.guest().await);
    other.join("lobby:a", json!({})).await;
    client.join("lobby:a", json!({})).await;
    client.join("lobby:a", json!({})).await;
    let heard = client.all().await;
    assert_eq!(events(&heard), ["presence_state", "presence_state"], "{heard:?}");
    other.broadcast("lobby:a", "hi", json!({})).await;
    other.all().await;
    assert_eq!(events(&client.all().await), ["broadcast"], "one membership, one message");
    drop((client, other));
    house.is_left_empty().await;
}

#[tokio::test]
async fn who_leaves_before_the_answer_is_in_no_room_and_its_seat_is_exited_once() {
    let house = House::new();
    let player = Uuid::new_v4();
    let mut client = house.holder_of(&house.ticket(player, "main")).await;
    house.stage.hold();
    client.ask_to_join("world:main", json!({})).await;
    house.stage.is_asked(1).await;
    client.leave("world:main").await;
    house.stage.release();
    house.becomes("the seat is left", |house| house.stage.calls().len() == 2).await;
    assert_eq!(house.stage.holder(player), None);
    assert_eq!(events(&client.all().await), ["phx_close"]);
    assert_eq!(house.gateway.stats().rooms, 0);
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn who_is_gone_before_the_answer_is_in_no_room_and_its_seat_is_exited_once() {
    let house = House::new();
    let player = Uuid::new_v4();
    let mut client = house.holder_of(&house.ticket(player, "main")).await;
    house.stage.hold();
    client.ask_to_join("world:main", json!({})).await;
    house.stage.is_asked(1).await;
    drop(client);
    house.becomes("the session is over", |house| house.gateway.stats().sessions == 0).await;
    house.stage.release();
    house.becomes("the seat is left", |house| house.stage.calls().len() == 2).await;
    assert_eq!(house.stage.holder(player), None);
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_session_that_is_gone_gives_its_socket_back_while_the_backstage_sleeps() {
    let house = House::new();
    let mut client = house.guest().await;
    house.stage.hold();
    client.ask_to_join("world:main", json!({})).await;
    house.stage.is_asked(1).await;
    // Without a word, and so that only a dropped socket answers.
    client.send_raw(&[0xff; 8]).await;
    assert!(matches!(client.closing().await, Some((1002, _))));
    house.becomes("the connection counts no more", |house| house.gateway.stats().sessions == 0).await;
    house.stage.release();
    house.is_left_empty().await;
}

#[tokio::test]
async fn of_two_joins_and_a_leave_on_a_slow_backstage_the_last_word_counts() {
    let house = House::new();
    let player = Uuid::new_v4();
    let mut client = house.holder_of(&house.ticket(player, "main")).await;
    house.stage.hold();
    client.ask_to_join("world:main", json!({})).await;
    let second = client.ask_to_join("world:main", json!({})).await;
    house.stage.is_asked(2).await;
    house.stage.release();
    assert_eq!(client.reply(&second).await["status"], "ok");
    house.becomes("only the second sits there", |house| house.stage.owes_no_exit()).await;
    assert!(house.stage.holder(player).is_some());
    assert_eq!(house.gateway.stats().rooms, 1);

    house.stage.hold();
    client.ask_to_join("world:main", json!({})).await;
    client.ask_to_join("world:main", json!({})).await;
    client.leave("world:main").await;
    house.stage.release();
    house.stage.is_asked(4).await;
    house
        .becomes("nobody sits there", |house| {
            house.stage.holder(player).is_none() && house.stage.owes_no_exit()
        })
        .await;
    assert_eq!(house.gateway.stats().rooms, 0);
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_slow_join_stalls_neither_heartbeats_nor_other_joins_nor_messages() {
    let house = House::new();
    let mut client = house.guest().await;
    house.stage.hold();
    let slow = client.ask_to_join("world:main", json!({})).await;
    house.stage.is_asked(1).await;
    client.join("lobby:a", json!({"broadcast": {"self": true}, "presence": {"enabled": false}})).await;
    client.broadcast("lobby:a", "hi", json!({})).await;
    assert_eq!(events(&client.all().await), ["broadcast"], "and no answer to the slow join");
    house.stage.release();
    assert_eq!(client.reply(&slow).await["status"], "ok");
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_join_that_the_backstage_refuses_tells_why_and_costs_nothing_else() {
    let house = House::new();
    let mut client = house.holder_of(&house.ticket(Uuid::new_v4(), "main")).await;
    client.join("lobby:a", json!({"presence": {"enabled": false}})).await;
    house.stage.refuse("channel_full", "try main-2");
    let reply = client.try_join("world:main", json!({})).await;
    assert_eq!(reply, json!({"status": "error", "response": {"reason": "channel_full: try main-2"}}));
    assert_eq!(client.all().await, [] as [Value; 0]);
    assert_eq!(house.gateway.stats().rooms, 1, "the lobby");
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn joins_that_wait_are_bounded_and_the_next_is_told_so() {
    let house = House::with(|settings| settings.limits.pending_joins = 3);
    let mut client = house.guest().await;
    house.stage.hold();
    let mut waiting = Vec::new();
    for channel in ["a", "b", "c"] {
        waiting.push(client.ask_to_join(&format!("world:{channel}"), json!({})).await);
    }
    let refused = client.try_join("world:d", json!({})).await;
    assert_eq!(refused["response"]["reason"], "ClientJoinRateLimitReached: Too many joins per second");
    house.stage.release();
    for reference in waiting {
        assert_eq!(client.reply(&reference).await["status"], "ok");
    }
    client.join("world:d", json!({})).await;
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_world_that_is_replaced_while_it_is_joined_is_looked_at_again() {
    let house = House::new();
    let mut client = house.guest().await;
    house.stage.make_stale(2);
    let response = client.join("world:main", json!({})).await;
    assert_eq!(response["snapshot"]["n"], 2_000);
    house.stage.tick("main");
    assert_eq!(client.event("world:main", "broadcast").await["payload"]["n"], 2_001);
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_world_that_is_replaced_again_and_again_refuses_the_join_and_keeps_neither_seat_nor_room() {
    let house = House::new();
    let mut client = house.holder_of(&house.ticket(Uuid::new_v4(), "main")).await;
    house.stage.make_stale(100);
    let reply = client.try_join("world:main", json!({})).await;
    let reason = reply["response"]["reason"].as_str().unwrap();
    assert!(reason.starts_with("RealtimeRestarting: "), "{reason}");
    house
        .becomes("the seat is left", |house| {
            house.stage.calls().iter().any(|call| matches!(call, Call::Exit(..)))
        })
        .await;
    assert_eq!(house.gateway.stats().rooms, 0);
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_seat_is_left_when_the_second_look_at_its_world_fails() {
    let house = House::new();
    let player = Uuid::new_v4();
    let mut client = house.holder_of(&house.ticket(player, "main")).await;
    house.stage.make_stale(1);
    house.stage.fail_looks_after(0);
    let reply = client.try_join("world:main", json!({})).await;
    assert_eq!(reply["response"]["reason"], "no_world: it is gone");
    house.becomes("the seat is left", |house| house.stage.holder(player).is_none()).await;
    assert_eq!(house.gateway.stats().rooms, 0);
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn who_loses_its_seat_to_another_session_is_told_and_its_exit_changes_nothing() {
    let house = House::new();
    let player = Uuid::new_v4();
    let ticket = house.ticket(player, "main");
    let (mut first, mut second) = (house.holder_of(&ticket).await, house.holder_of(&ticket).await);
    first.join("world:main", json!({})).await;
    first.all().await;
    second.join("world:main", json!({})).await;
    let holder = house.stage.holder(player);
    let heard = first.all().await;
    assert_eq!(events(&heard), ["system", "phx_close"], "{heard:?}");
    assert_eq!(heard[0][4]["status"], "ok", "an error would make a client take the seat back");
    assert_eq!(heard[0][4]["message"], "SeatTaken: another session has taken this seat");
    house.becomes("the first has exited", |house| house.stage.calls().len() == 3).await;
    assert_eq!(house.stage.holder(player), holder, "the second still sits");
    second.broadcast("world:main", "move", json!({})).await;
    second.all().await;
    assert!(house.stage.calls().contains(&Call::Act(player, holder.unwrap())));
    drop((first, second));
    house.is_left_empty().await;
}

#[tokio::test]
async fn who_loses_its_seat_before_it_hears_that_it_got_it_is_let_in_told_and_put_out() {
    let house = House::new();
    let player = Uuid::new_v4();
    let ticket = house.ticket(player, "main");
    let (mut first, mut second) = (house.holder_of(&ticket).await, house.holder_of(&ticket).await);
    house.stage.keep_next_answer();
    let reference = first.ask_to_join("world:main", json!({"presence": {"enabled": false}})).await;
    house.becomes("the first sits", |house| house.stage.holder(player).is_some()).await;
    second.join("world:main", json!({"presence": {"enabled": false}})).await;
    let holder = house.stage.holder(player);
    house.stage.release_answer();
    // An answer it gets: one that gets none asks again, and would take the seat back.
    assert_eq!(first.reply(&reference).await["status"], "ok");
    first.until(|m| m[3] == "phx_close").await;
    assert_eq!(events(&first.all().await), ["system"]);
    house.becomes("the first has exited", |house| house.stage.owes_no_exit()).await;
    assert_eq!(house.stage.holder(player), holder, "the second still sits");
    assert_eq!(events(&second.all().await), [] as [&str; 0]);
    drop((first, second));
    house.is_left_empty().await;
}

#[tokio::test]
async fn of_two_entries_at_once_the_later_join_has_the_seat_and_the_earlier_is_told() {
    let house = House::new();
    let player = Uuid::new_v4();
    let ticket = house.ticket(player, "main");
    let (mut first, mut second) = (house.holder_of(&ticket).await, house.holder_of(&ticket).await);
    house.stage.hold();
    let one = first.ask_to_join("world:main", json!({})).await;
    house.stage.is_asked(1).await;
    let two = second.ask_to_join("world:main", json!({})).await;
    house.stage.is_asked(2).await;
    house.stage.release();
    assert_eq!(second.reply(&two).await["status"], "ok");
    if first.reply(&one).await["status"] == "ok" {
        first.until(|m| m[3] == "phx_close").await;
    }
    house.becomes("only one sits", |house| house.stage.owes_no_exit()).await;
    assert!(house.stage.holder(player).is_some());
    drop((first, second));
    house.is_left_empty().await;
}

#[tokio::test]
async fn an_input_is_answered_after_its_tick_and_a_refused_one_says_why_twice() {
    let house = House::new();
    let mut client = house.holder_of(&house.ticket(Uuid::new_v4(), "main")).await;
    client.join("world:main", json!({"broadcast": {"ack": true}, "presence": {"enabled": false}})).await;
    let moved = client.broadcast("world:main", "move", json!({"x": 1, "y": 2})).await;
    assert_eq!(client.reply(&moved).await, json!({"status": "ok", "response": {"tick": 7}}));
    let refused = client.broadcast("world:main", "fail", json!({})).await;
    let response = json!({"reason": "blocked: a wall", "code": "blocked"});
    assert_eq!(client.reply(&refused).await, json!({"status": "error", "response": response}));
    let told = client.event("world:main", "broadcast").await;
    assert_eq!((&told["event"], &told["payload"]["code"]), (&json!("refused"), &json!("blocked")));
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn inputs_begin_in_the_order_in_which_they_came_without_waiting_for_each_other() {
    let house = House::new();
    let mut client = house.holder_of(&house.ticket(Uuid::new_v4(), "main")).await;
    client.join("world:main", json!({"broadcast": {"ack": true}, "presence": {"enabled": false}})).await;
    for round in 0..40 {
        house.stage.hold();
        let mut frames = Vec::new();
        for n in 0..10 {
            let payload = json!({"event": "move", "payload": round * 10 + n});
            let wire = "realtime:world:main";
            frames.extend(Client::frame(&json!(["world:main", format!("i{n}"), wire, "broadcast", payload])));
        }
        client.send_raw(&frames).await;
        house.becomes("all have come", |house| house.stage.inputs().len() == (round + 1) * 10).await;
        house.stage.release();
        for n in 0..10 {
            assert_eq!(client.reply(&format!("i{n}")).await["status"], "ok");
        }
    }
    let expected: Vec<_> = (0..400).map(|n| n.to_string()).collect();
    assert_eq!(house.stage.inputs(), expected);
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn inputs_that_wait_are_bounded_and_hold_up_no_joins() {
    let house = House::new();
    let mut client = house.holder_of(&house.ticket(Uuid::new_v4(), "main")).await;
    client.join("world:main", json!({"broadcast": {"ack": true}, "presence": {"enabled": false}})).await;
    house.stage.hold();
    let mut waiting = Vec::new();
    for _ in 0..16 {
        waiting.push(client.broadcast("world:main", "move", json!({})).await);
    }
    let refused = client.broadcast("world:main", "move", json!({})).await;
    let refused = client.reply(&refused).await;
    assert!(refused["response"]["reason"].as_str().unwrap().starts_with("too_many_inputs: "), "{refused}");
    let join = client.ask_to_join("world:other", json!({})).await;
    house.stage.is_asked(18).await;
    house.stage.release();
    for reference in waiting {
        assert_eq!(client.reply(&reference).await["status"], "ok");
    }
    assert_eq!(client.reply(&join).await["status"], "ok");
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_refusal_of_a_join_that_was_joined_anew_is_not_told() {
    let house = House::new();
    let mut client = house.guest().await;
    house.stage.hold();
    client.ask_to_join("world:main", json!({})).await;
    let second = client.ask_to_join("world:main", json!({})).await;
    house.stage.is_asked(2).await;
    house.stage.refuse("channel_full", "try main-2");
    house.stage.release();
    assert_eq!(client.reply(&second).await["status"], "error");
    house.becomes("both are over", |house| house.gateway.stats().refused_joins == 2).await;
    assert_eq!(events(&client.all().await), [] as [&str; 0]);
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_client_that_closes_and_goes_on_sending_is_heard_no_more() {
    let house = House::new();
    let mut client = house.guest().await;
    client.join("lobby:a", json!({})).await;
    client.send_close(1000).await;
    let join = Client::frame(&json!(["9", "9", "realtime:lobby:b", "phx_join", {}]));
    // It may be cut off in the middle of it.
    for _ in 0..100 {
        if tokio::io::AsyncWriteExt::write_all(&mut client.socket, &join).await.is_err() {
            break;
        }
    }
    let mut heard = Vec::new();
    loop {
        match client.hear().await {
            Heard::End => break,
            other => heard.push(other),
        }
    }
    assert_eq!(heard.last(), Some(&Heard::Close(1000, String::new())), "{heard:?}");
    assert_eq!(house.gateway.stats().joins, 1);
    house.is_left_empty().await;
}
