//! Tournaments begin whole or not at all, and once.

use crate::support::*;
use arena_core::admission::{AdmissionRules, AdmitError};
use arena_core::channel::{ChannelKind, Mode};
use arena_core::matching::{MatchEnd, MatchId, MatchState, TicketEnd, TicketState};
use arena_store::{Beginning, Store, TicketRow, TournamentBegun, TournamentDraft};
use uuid::Uuid;

/// Tickets of bots of ours, and of humans.
async fn entrants(store: &Store, bots: usize, humans: usize) -> Vec<TicketRow> {
    open_queue(store).await;
    open(store, "main", 100).await;
    let mut tickets = Vec::new();
    for bot in enroll(store, bots).await {
        tickets.push(enqueue(store, &bot.to_string()).await);
    }
    for human in 0..humans {
        tickets.push(enqueue(store, &format!("human-{human}")).await);
    }
    tickets
}

fn draft_of(tickets: &[TicketRow]) -> TournamentDraft {
    TournamentDraft {
        id: MatchId(Uuid::now_v7()),
        tickets: tickets.iter().map(|ticket| (ticket.id, ticket.version)).collect(),
        state: "{}".to_owned(),
        region: None,
        quality: 40,
        seats_until: at(60_000),
    }
}

/// Begins it.
async fn begin(store: &Store, draft: &TournamentDraft, now: i64) -> TournamentBegun {
    match store.make_tournament(&strangers(), draft, at(now)).await.unwrap() {
        Beginning::Begun(begun) => *begun,
        other => panic!("{other:?}"),
    }
}

on_both!(a_tournament_seats_bots_and_humans_in_a_channel_of_its_own, async |db| {
    let store = db.open().await;
    let tickets = entrants(&store, 3, 2).await;
    let draft = draft_of(&tickets);
    let begun = begin(&store, &draft, 100).await;
    let channel = begun.row.channel.clone().unwrap();
    assert_eq!((begun.row.state, begun.row.members.len()), (MatchState::Standing, 5));
    assert_eq!(begun.touched.iter().cloned().collect::<Vec<_>>(), [name("main"), channel.clone()]);
    let row = store.channel(&channel).await.unwrap().unwrap().channel.seats;
    assert_eq!((row.kind, row.mode, row.max_bots), (ChannelKind::Tournament, Mode::Active, 5));
    assert_eq!((row.bots, row.players), (3, 2));
    assert_eq!(store.bots_in(&channel).await.unwrap().len(), 3);
    let mut users: Vec<_> = all_players(&store).await.into_iter().map(|player| player.user).collect();
    users.sort();
    assert_eq!(users, ["human-0", "human-1"]);
    assert!(states(&store, &begun.row).await.iter().all(|state| *state == TicketState::Matched));
    assert_eq!(store.tournament(draft.id).await.unwrap(), Some(("{}".to_owned(), 1)));
    assert_eq!(store.match_row(draft.id).await.unwrap(), Some(begun.row));
    assert_eq!(db.count("SELECT COUNT(*) FROM activity WHERE action = 'bot.moved'").await, 3);
    assert_matching_sound(db).await;
});

on_both!(whoever_can_get_no_seat_does_not_keep_the_others_waiting, async |db| {
    let store = db.open_with(AdmissionRules { max_seats_per_user: 1, ..AdmissionRules::default() }).await;
    let tickets = entrants(&store, 2, 2).await;
    // The last one has a seat elsewhere.
    let player =
        arena_core::player::NewPlayer { user: "human-1".to_owned(), ..new_player(player_id(1), at(60_000)) };
    let want = arena_core::admission::Want::ByName(name("main"));
    act(&store, arena_core::admission::Op::Reserve { player, want }).await;
    let before = db.count("SELECT COUNT(*) FROM activity").await;
    let draft = draft_of(&tickets);
    let Beginning::Unseated(refused) = store.make_tournament(&strangers(), &draft, at(100)).await.unwrap()
    else {
        panic!("all are seated");
    };
    assert!(
        matches!(&refused[..], [(id, AdmitError::TooManySeats { .. })] if *id == tickets[3].id),
        "{refused:?}"
    );
    assert_eq!(store.match_row(draft.id).await.unwrap(), None);
    let out = store.ticket(tickets[3].id).await.unwrap().unwrap();
    assert_eq!((out.state, out.ended), (TicketState::Over, Some(TicketEnd::NoSeat)));
    assert_eq!(store.waiting(&strangers()).await.unwrap().len(), 3);
    assert_eq!(store.bots_in(&name("main")).await.unwrap().len(), 2);
    assert_eq!(db.count("SELECT COUNT(*) FROM channels").await, 1);
    assert_eq!(db.count("SELECT COUNT(*) FROM activity").await, before);
    let again = store.make_tournament(&strangers(), &draft, at(100)).await.unwrap();
    assert_eq!(again, Beginning::Claimed);
    begin(&store, &draft_of(&tickets[..3]), 200).await;
    assert_matching_sound(db).await;
});

on_both!(of_several_matchmakers_one_begins_a_tournament, async |db| {
    let store = db.open().await;
    let tickets = entrants(&store, 4, 2).await;
    let begun = at_once(6, |_| {
        let (store, draft) = (store.clone(), draft_of(&tickets));
        async move {
            let begun = store.make_tournament(&strangers(), &draft, at(100)).await.unwrap();
            matches!(begun, Beginning::Begun(_))
        }
    });
    assert_eq!(begun.await.into_iter().filter(|begun| *begun).count(), 1);
    assert_eq!(db.count("SELECT COUNT(*) FROM channels").await, 2);
    assert_eq!(db.count("SELECT COUNT(*) FROM matches").await, 1);
    assert_matching_sound(db).await;
});

on_both!(whoever_leaves_is_free_while_the_others_play_on, async |db| {
    let store = db.open().await;
    let tickets = entrants(&store, 2, 2).await;
    let row = begin(&store, &draft_of(&tickets), 100).await.row;
    assert_eq!(store.standing_tournaments(None, 9).await.unwrap(), [row.id]);
    assert_eq!(store.standing_tournaments(Some(row.id), 9).await.unwrap(), []);
    let gone = tickets[3].id;
    assert!(store.leave_match(row.id, gone, at(200)).await.unwrap());
    assert!(!store.leave_match(row.id, gone, at(300)).await.unwrap(), "once");
    assert_eq!(store.match_row(row.id).await.unwrap().unwrap().state, MatchState::Standing);
    // It is in the next queue when the tournament ends.
    let next = enqueue(&store, "human-1").await;
    let (row, ended) =
        store.end_match(row.id, &ending(MatchEnd::Finished, None), at(400)).await.unwrap().unwrap();
    assert!(ended && row.ended == Some(MatchEnd::Finished));
    assert_eq!(store.standing_tournaments(None, 9).await.unwrap(), []);
    // Its channel is no conversation's business, and who played may play each other again.
    assert_eq!(store.unsettled_matches(9).await.unwrap(), []);
    assert_eq!(store.unsettled_tournaments(9).await.unwrap().len(), 1);
    assert_eq!(db.count("SELECT COUNT(*) FROM match_partings").await, 0);
    let left = store.ticket(gone).await.unwrap().unwrap();
    assert_eq!((left.ended, left.changed_at), (Some(TicketEnd::Played), at(200)));
    assert_eq!(store.ticket(next.id).await.unwrap().unwrap().state, TicketState::Waiting);
    assert_matching_sound(db).await;
});

on_both!(results_are_written_over_the_version_that_was_read, async |db| {
    let store = db.open().await;
    let tickets = entrants(&store, 2, 0).await;
    let id = begin(&store, &draft_of(&tickets), 1).await.row.id;
    assert!(store.write_tournament(id, 1, "{\"one\":1}", at(2)).await.unwrap());
    assert!(!store.write_tournament(id, 1, "{\"two\":2}", at(3)).await.unwrap());
    assert_eq!(store.tournament(id).await.unwrap(), Some(("{\"one\":1}".to_owned(), 2)));
});
