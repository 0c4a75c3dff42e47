//! An outage ends nothing: no ticket, no match.

use super::house::{House, human, match_of, narrow_bus, pairs, q, quick, who};
use crate::support::{Db, until};
use arena_core::matching::{MatchState, Rules, TicketState};
use arena_testing::{PostgresOptions, PostgresServer, TestDatabase};
use std::time::Duration;

/// The database's server is away for longer than anybody may be silent, or away, or take to confirm.
#[test]
fn a_database_that_is_away_for_long_costs_no_ticket_and_no_match() {
    let mut server = PostgresServer::start(PostgresOptions::default()).unwrap();
    let db = Db::new(TestDatabase::on(&server).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let rules = Rules { silent_ms: 2_000, away_ms: 2_000, confirm_ms: 2_000, ..pairs() };
        let house = House::with(&db, rules).await;
        let (ada, bob, row) = house.pair(human("ada"), human("bob")).await;
        let cid = house.joins("cid").await;
        let dan = house.joins("dan").await;
        let proposed = house.proposed(cid).await;
        let eve = house.joins("eve").await;
        server.stop();
        // Longer than any of these may last.
        tokio::time::sleep(Duration::from_millis(4_000)).await;
        server.resume().unwrap();
        until("the database is back", async || house.store.ping().await.is_ok()).await;
        let beat = async || {
            for there in [ada, bob, cid, dan, eve] {
                let _ = house.heartbeat(there).await;
            }
        };
        let lapsed = async || {
            beat().await;
            house.get_match(proposed.id).await.is_ok_and(|row| row.state == MatchState::Over)
        };
        until("the proposal has lapsed", lapsed).await;
        for ticket in [cid, dan] {
            assert_ne!(house.state(ticket).await, TicketState::Over, "nobody could confirm");
        }
        let came = async || house.enqueue(&q(), None, human("fay")).await.is_ok();
        until("fay has come", came).await;
        let matched = async || {
            beat().await;
            match_of(&house, eve).await.is_some()
        };
        until("eve is matched", matched).await;
        assert_eq!(house.get_match(row.id).await.unwrap().state, MatchState::Standing);
        house.close(&db).await;
    });
    drop(runtime);
    drop(db);
}

on_both!(notices_that_reach_nobody_cost_no_ticket, async |db: &Db| {
    let house = House::open_on(db, quick(), narrow_bus()).await;
    house.rules(pairs()).await;
    let ear = house.ear("user:ada");
    let (ada, _, row) = house.pair(human("ada"), human("bob")).await;
    house.skip(row.id, &who("ada"), true).await.unwrap();
    assert_eq!(house.state(ada).await, TicketState::Waiting);
    until("that is counted", async || house.stats().unnoticed > 0).await;
    assert!(ear.of("ticket").is_empty());
    house.close(db).await;
});

on_both!(a_queue_whose_rows_cannot_be_read_holds_up_no_other, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let broken = "broken".parse().unwrap();
    house.put_queue(&crate::support::actor(), &broken, pairs()).await.unwrap();
    house.enqueue(&broken, None, human("eve")).await.unwrap();
    house.enqueue(&broken, None, human("fay")).await.unwrap();
    db.raw_sql("UPDATE tickets SET wish = '{' WHERE queue = 'broken'").await;
    let (ada, _) = (house.joins("ada").await, house.joins("bob").await);
    let row = house.proposed(ada).await;
    house.confirm(row.id, &who("ada")).await.unwrap();
    house.confirm(row.id, &who("bob")).await.unwrap();
    house.leave(row.id, &who("ada"), false).await.unwrap();
    house.until_settled().await;
    house.crash().await;
});
