use super::*;

const ONE: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);

/// A ticket whose bot is idle and in its topic, and the time.
fn idle() -> (Ticket, Instant) {
    let now = Instant::now();
    let mut ticket = Ticket::new(json!({ "kind": "bot" }), vec!["strangers".to_owned()], now);
    ticket.is_free(true);
    ticket.joined();
    assert_eq!(said(&mut ticket, now, &json!({})), "match_status");
    (ticket, now)
}

/// What is said next, which is answered like this.
fn said(ticket: &mut Ticket, now: Instant, answer: &Value) -> String {
    match ticket.next(now) {
        Next::Say(word) => {
            let news = ticket.answered(&word, Answer::Done(answer.clone()), now);
            assert_eq!(news, None);
            word.event.to_owned()
        }
        Next::Wait(_) => "nothing".to_owned(),
    }
}

fn told(id: &str, version: i64, state: &str, of: Option<Uuid>) -> Value {
    let meeting = of.map(|of| json!({ "id": of, "state": state, "conversation": format!("c-{of}") }));
    json!({ "id": id, "version": version, "state": state, "match": meeting, "kind": "bot" })
}

/// An idle bot whose ticket waits, and the ticket's id.
fn waiting() -> (Ticket, Instant, String) {
    let (mut ticket, now) = idle();
    let Next::Say(word) = ticket.next(now) else { panic!("it enqueues") };
    assert_eq!((word.event, &word.payload["queue"]), ("match_enqueue", &json!("strangers")));
    let id = word.payload["id"].as_str().unwrap().to_owned();
    ticket.answered(&word, Answer::Done(told(&id, 1, "waiting", None)), now);
    (ticket, now, id)
}

/// One whose match stands, and which talks in it.
fn talking() -> (Ticket, Instant, String) {
    let (mut ticket, now, id) = waiting();
    ticket.heard(told(&id, 3, "matched", Some(ONE)));
    assert_eq!(ticket.news(), Some(News::Meet { of: ONE, conversation: format!("c-{ONE}") }));
    ticket.meets(ONE);
    ticket.is_free(false);
    assert_eq!(ticket.news(), None);
    (ticket, now, id)
}

#[tokio::test(start_paused = true)]
async fn a_wish_whose_answer_was_lost_keeps_its_id_until_it_is_known() {
    let (mut ticket, now) = idle();
    let Next::Say(first) = ticket.next(now) else { panic!("it enqueues") };
    ticket.answered(&first, Answer::Lost, now);
    assert!(matches!(ticket.next(now), Next::Wait(Some(_))), "not at once");
    let later = now + LOST * 2;
    assert_eq!(said(&mut ticket, later, &json!({ "ticket": null })), "match_status");
    assert_eq!(ticket.next(later), Next::Say(first), "the same ticket");
}

#[tokio::test(start_paused = true)]
async fn a_ticket_is_renewed_every_15_seconds() {
    let (mut ticket, now, id) = waiting();
    assert_eq!(ticket.next(now), Next::Wait(Some(now + BEAT)));
    assert_eq!(said(&mut ticket, now + BEAT, &told(&id, 1, "waiting", None)), "match_heartbeat");
    assert_eq!(ticket.next(now + BEAT), Next::Wait(Some(now + BEAT * 2)));
    // While it talks, too.
    let (mut ticket, now, id) = talking();
    assert_eq!(said(&mut ticket, now + BEAT, &told(&id, 3, "matched", Some(ONE))), "match_heartbeat");
}

#[tokio::test(start_paused = true)]
async fn a_match_is_confirmed_once_and_then_somebody_counts_on_the_bot() {
    let (mut ticket, now, id) = waiting();
    ticket.heard(told(&id, 2, "proposed", Some(ONE)));
    assert!(!ticket.is_promised());
    let Next::Say(word) = ticket.next(now) else { panic!("it confirms") };
    assert_eq!((word.event, &word.payload), ("match_confirm", &json!({ "match": ONE })));
    ticket.answered(&word, Answer::Done(json!({ "id": ONE, "state": "proposed" })), now);
    assert!(ticket.is_promised());
    // The proposal is told again and again.
    ticket.heard(told(&id, 2, "proposed", Some(ONE)));
    assert_eq!(ticket.next(now), Next::Wait(Some(now + BEAT)));
    // The partner did not confirm: the next match is another one.
    ticket.heard(told(&id, 3, "waiting", None));
    assert!(!ticket.is_promised());
    ticket.heard(told(&id, 4, "proposed", Some(OTHER)));
    assert_eq!(said(&mut ticket, now, &json!({})), "match_confirm");
}

#[tokio::test(start_paused = true)]
async fn whoever_has_no_time_declines_and_takes_its_ticket_back() {
    let (mut ticket, now, id) = waiting();
    ticket.is_free(false);
    ticket.heard(told(&id, 2, "proposed", Some(ONE)));
    let Next::Say(word) = ticket.next(now) else { panic!("it declines") };
    assert_eq!((word.event, &word.payload), ("match_decline", &json!({ "match": ONE })));
    let (mut ticket, now, id) = waiting();
    ticket.is_free(false);
    assert_eq!(said(&mut ticket, now, &told(&id, 2, "over", None)), "match_cancel");
    assert_eq!(ticket.next(now), Next::Wait(None), "nothing more");
    assert!(!ticket.is_live());
    // And has another one when it has the time again.
    ticket.is_free(true);
    let Next::Say(word) = ticket.next(now) else { panic!("it enqueues") };
    assert_ne!(word.payload["id"], id.as_str());
}

#[tokio::test(start_paused = true)]
async fn a_match_that_is_over_ends_the_talk_once() {
    for (state, of) in [("over", Some(ONE)), ("waiting", None), ("proposed", Some(OTHER))] {
        let (mut ticket, _, id) = talking();
        ticket.heard(told(&id, 4, state, of));
        assert_eq!(ticket.news(), Some(News::Over), "{state}");
        assert_eq!(ticket.news(), None, "{state}");
    }
    // Notices overtake each other.
    let (mut ticket, now, id) = talking();
    ticket.heard(told(&id, 2, "proposed", Some(ONE)));
    assert_eq!((ticket.news(), ticket.next(now)), (None, Next::Wait(Some(now + BEAT))));
}

#[tokio::test(start_paused = true)]
async fn a_talk_that_is_over_ends_the_match() {
    let (mut ticket, now, id) = talking();
    ticket.talked();
    ticket.is_free(true);
    assert_eq!(ticket.news(), None, "it does not go back");
    assert!(!ticket.is_promised());
    let Next::Say(word) = ticket.next(now) else { panic!("it leaves") };
    assert_eq!((word.event, &word.payload), ("match_leave", &json!({ "match": ONE })));
    // Where the ticket stands is asked for: the answer tells of the match only.
    ticket.answered(&word, Answer::Done(json!({ "id": ONE, "state": "over" })), now);
    assert_eq!(said(&mut ticket, now, &json!({ "ticket": told(&id, 4, "over", Some(ONE)) })), "match_status");
    assert_eq!(said(&mut ticket, now, &told(&id, 1, "waiting", None)), "match_enqueue");
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_back_asks_where_its_ticket_stands() {
    let (mut ticket, now, id) = waiting();
    ticket.down();
    assert_eq!(ticket.next(now + BEAT), Next::Wait(None));
    ticket.joined();
    let answer = json!({ "ticket": told(&id, 5, "matched", Some(ONE)) });
    assert_eq!(said(&mut ticket, now, &answer), "match_status");
    assert_eq!(ticket.news(), Some(News::Meet { of: ONE, conversation: format!("c-{ONE}") }));

    // Whose match ended meanwhile learns it, too.
    let (mut ticket, now, _) = talking();
    ticket.down();
    assert_eq!(ticket.news(), None, "an endpoint that is away ends nothing");
    ticket.joined();
    assert_eq!(said(&mut ticket, now, &json!({ "ticket": null })), "match_status");
    assert_eq!(ticket.news(), Some(News::Over));
}

#[tokio::test(start_paused = true)]
async fn a_ticket_of_a_former_life_is_found_and_gone_on_with() {
    let (mut ticket, now) = idle();
    let Next::Say(word) = ticket.next(now) else { panic!("it enqueues") };
    assert_eq!(ticket.answered(&word, Answer::Refused("on_another_ticket".to_owned()), now), None);
    let later = now + LOST * 2;
    let former = told(&ONE.to_string(), 7, "waiting", None);
    assert_eq!(said(&mut ticket, later, &json!({ "ticket": former })), "match_status");
    assert_eq!(said(&mut ticket, later + BEAT, &json!({})), "match_heartbeat");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_once_and_tried_again_slowly() {
    let (mut ticket, mut now) = idle();
    let mut news = Vec::new();
    for _ in 0..3 {
        let Next::Say(word) = ticket.next(now) else { panic!("it enqueues") };
        news.extend(ticket.answered(&word, Answer::Refused("queue_not_found".to_owned()), now));
        assert!(matches!(ticket.next(now + REFUSED / 2), Next::Wait(Some(_))));
        now += REFUSED * 2;
        assert_eq!(said(&mut ticket, now, &json!({ "ticket": null })), "match_status");
    }
    assert_eq!(news, ["queue_not_found"]);
    // An endpoint that does not know of tickets says yes to everything.
    let Next::Say(word) = ticket.next(now) else { panic!("it enqueues") };
    assert_eq!(ticket.answered(&word, Answer::Done(json!({})), now), Some("no_matchmaker".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_matchmaker_that_does_not_listen_is_not_flooded() {
    let (mut ticket, now, id) = waiting();
    ticket.is_free(false);
    ticket.heard(told(&id, 2, "proposed", Some(ONE)));
    assert_eq!(said(&mut ticket, now, &json!({})), "match_decline");
    let still = json!({ "ticket": told(&id, 2, "proposed", Some(ONE)) });
    assert_eq!(said(&mut ticket, now, &still), "match_status");
    assert_eq!(ticket.next(now), Next::Wait(Some(now + LOST)));
    assert_eq!(said(&mut ticket, now + LOST, &json!({})), "match_decline");
}

#[tokio::test(start_paused = true)]
async fn whoever_confirms_last_knows_at_once_that_the_match_stands() {
    let (mut ticket, now, id) = waiting();
    ticket.heard(told(&id, 2, "proposed", Some(ONE)));
    let stands = json!({ "id": ONE, "state": "standing", "conversation": format!("c-{ONE}") });
    assert_eq!(said(&mut ticket, now, &stands), "match_confirm");
    assert_eq!(ticket.news(), Some(News::Meet { of: ONE, conversation: format!("c-{ONE}") }));
    // A proposal that is told late changes nothing of that.
    ticket.meets(ONE);
    ticket.heard(told(&id, 2, "proposed", Some(ONE)));
    ticket.heard(told(&id, 3, "matched", Some(ONE)));
    assert_eq!(ticket.news(), None);
    // One that is over by then is asked about.
    let (mut ticket, now, id) = waiting();
    ticket.heard(told(&id, 2, "proposed", Some(ONE)));
    let over = json!({ "id": ONE, "state": "over", "conversation": null });
    assert_eq!(said(&mut ticket, now, &over), "match_confirm");
    assert_eq!(said(&mut ticket, now, &told(&id, 3, "waiting", None)), "match_status");
}

#[tokio::test(start_paused = true)]
async fn a_match_without_a_conversation_is_left() {
    let (mut ticket, now, id) = waiting();
    let cup = json!({ "id": ONE, "state": "standing", "conversation": null, "channel": "tournament-1" });
    ticket.heard(json!({ "id": id, "version": 2, "state": "matched", "match": cup }));
    assert_eq!((ticket.news(), ticket.is_promised()), (None, false));
    let Next::Say(word) = ticket.next(now) else { panic!("it leaves") };
    assert_eq!((word.event, &word.payload), ("match_leave", &json!({ "match": ONE })));
    ticket.answered(&word, Answer::Done(cup), now);
    // It does not come back at once, to leave the next one.
    let Next::Wait(Some(until)) = ticket.next(now) else { panic!("it waits") };
    assert!(until >= now + REFUSED);
    assert_eq!(said(&mut ticket, until, &json!({ "ticket": null })), "match_status");
    assert!(matches!(ticket.next(until), Next::Say(word) if word.event == "match_enqueue"));
}
