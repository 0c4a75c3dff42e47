//! An outage ends nothing: no ticket, no match.

use super::house::{House, human, narrow_bus, pairs, quick, who};
use crate::support::{Db, until};
use arena_core::matching::TicketState;

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
