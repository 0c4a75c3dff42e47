//! Tournaments come to an end, whatever their entrants do.

use super::house::{House, pairs, quick, who};
use crate::support::{Db, until};
use arena_bus::Bus;
use arena_control::Cup;
use arena_core::admission::AdmissionRules;
use arena_core::matching::{MatchEnd, MatchId, MatchState, Outcome, Rules, TicketEnd, TicketState};
use arena_core::tournament::Format;

/// Tournaments of two.
fn duels() -> Rules {
    let outcome = Outcome::Tournament { format: Format::SingleElimination, region: None };
    Rules { outcome, ..pairs() }
}

/// Two who play against each other.
async fn duel(house: &House, one: &str, other: &str) -> MatchId {
    let (one, _) = (house.joins(one).await, house.joins(other).await);
    house.until(one, TicketState::Matched).await.in_match.unwrap().id
}

/// Somebody says who has won.
async fn says(house: &House, id: MatchId, by: &str, winner: &str) -> Cup {
    house.report_game(id, 1, Some(&who(by)), Some(who(winner)), None).await.unwrap().1
}

async fn until_finished(house: &House, id: MatchId) -> Cup {
    let over = async || house.get_match(id).await.unwrap().state == MatchState::Over;
    until("the tournament is over", over).await;
    let (row, cup) = house.tournament(id).await.unwrap();
    assert_eq!(row.ended, Some(MatchEnd::Finished));
    cup
}

on_both!(whoever_can_get_no_seat_does_not_stop_a_queue_of_tournaments, async |db: &Db| {
    let seats = AdmissionRules { max_seats_per_user: 1, ..AdmissionRules::default() };
    let house = House::open_with(db, quick(), Bus::default(), seats).await;
    house.rules(duels()).await;
    let id = duel(&house, "ada", "bob").await;
    house.leave(id, &who("ada"), false).await.unwrap();
    until_finished(&house, id).await;

    // Her seat is still kept for her, and waits for longer than the others.
    let ear = house.ear("user:ada");
    let ada = house.joins("ada").await;
    let id = duel(&house, "cid", "dan").await;
    let out = house.until(ada, TicketState::Over).await;
    assert_eq!(out.ticket.ended, Some(TicketEnd::NoSeat));
    until("she is told", async || ear.states().last().is_some_and(|state| state == "over")).await;
    let users: Vec<_> =
        house.get_match(id).await.unwrap().members.into_iter().map(|member| member.user).collect();
    assert!(!users.contains(&who("ada")), "{users:?}");
    house.close(db).await;
});

on_both!(a_game_that_is_claimed_by_one_alone_is_won_when_its_time_is_up, async |db: &Db| {
    let house = House::with(db, Rules { round_ms: 1_500, ..duels() }).await;
    let id = duel(&house, "ada", "bob").await;
    let claimed = says(&house, id, "ada", "ada").await;
    assert_eq!((claimed.claims_of(1).len(), claimed.tournament.is_over()), (1, false));
    let cup = until_finished(&house, id).await;
    assert_eq!(cup.tournament.champion(), Some(who("ada")));
    house.close(db).await;
});

on_both!(operators_are_told_of_a_game_that_both_have_won_and_nobody_wins_it, async |db: &Db| {
    let house = House::with(db, Rules { round_ms: 2_000, ..duels() }).await;
    let operators = house.ear("operator:matchmaking");
    let id = duel(&house, "ada", "bob").await;
    says(&house, id, "ada", "ada").await;
    assert!(operators.of("dispute").is_empty());
    for _ in 0..2 {
        says(&house, id, "bob", "bob").await;
    }
    until("operators hear", async || operators.of("dispute").len() == 1).await;
    let dispute = operators.of("dispute").remove(0);
    assert_eq!((&dispute["game"], &dispute["claims"][1]["by"]), (&1.into(), &"bob".into()));
    let cup = until_finished(&house, id).await;
    assert_eq!(cup.tournament.champion(), None);
    house.close(db).await;
});

on_both!(one_tournament_that_cannot_be_read_does_not_stop_the_others, async |db: &Db| {
    let house = House::with(db, Rules { round_ms: 1_000, ..duels() }).await;
    let broken = duel(&house, "ada", "bob").await;
    db.raw_sql(&format!("UPDATE tournaments SET state = 'x' WHERE match_id = '{broken}'")).await;
    let id = duel(&house, "cid", "dan").await;
    until_finished(&house, id).await;
    house.close(db).await;
});
