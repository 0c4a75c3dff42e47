//! Many at once: whatever comes of each, the invariants hold.

use crate::support::*;
use arena_core::matching::{Kind, MatchEnd, TicketEnd, TicketState, Waiting};
use arena_store::{MatchDraft, NewTicket, Store, TicketFilter};
use std::time::Duration;

/// What waits, paired as it comes.
fn pairs(waiting: &[Waiting]) -> Vec<MatchDraft> {
    let pair = |pair: &[Waiting]| {
        let mut draft = draft(&[], at(8_000));
        draft.teams = pair.iter().map(|ticket| vec![(ticket.id, ticket.version)]).collect();
        draft
    };
    waiting.chunks_exact(2).map(pair).collect()
}

/// Pairs everybody who waits, in an order of its own, until nobody does. Returns how many matches it has made.
async fn matchmaker(store: &Store, seed: u64) -> usize {
    let mut made = 0;
    for round in seed.. {
        let mut waiting = store.waiting(&strangers()).await.unwrap();
        if waiting.len() < 2 {
            break;
        }
        shuffle(&mut waiting, round.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        for drafts in pairs(&waiting).chunks(500) {
            made += store.make_matches(&strangers(), drafts, at(100)).await.unwrap().len();
        }
    }
    made
}

fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut dice = Dice(seed);
    for n in (1..items.len()).rev() {
        items.swap(n, dice.below(n + 1));
    }
}

/// The same numbers for the same seed (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.max(1);
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(drawn).unwrap() % bound
    }
}

on_both!(two_matchmakers_at_once_use_no_ticket_twice_and_lose_none, async |db| {
    let tickets = if db.is_postgres() { 2_000 } else { 10_000 };
    let first = db.open().await;
    // SQLite has one server, whose transactions take turns; two connections to a file would not.
    let second = if db.is_postgres() { db.open().await } else { first.clone() };
    let stores = [first, second];
    open_queue(&stores[0]).await;
    let news: Vec<_> = (0..tickets).map(|n| new_ticket(&format!("user-{n}"))).collect();
    for part in news.chunks(1_000) {
        for outcome in stores[0].create_tickets(part, T0).await.unwrap() {
            outcome.unwrap();
        }
    }
    let made = at_once(2, |n| {
        let store = stores[n].clone();
        async move { matchmaker(&store, n as u64 + 1).await }
    })
    .await;
    assert_eq!(made.iter().sum::<usize>(), tickets / 2, "{made:?}");
    assert!(made.iter().all(|made| *made > 0), "one of them did it all: {made:?}");
    let each = "SELECT COUNT(DISTINCT ticket) FROM match_members";
    assert_eq!(db.count(each).await, i64::try_from(tickets).unwrap());
    assert_eq!(db.count("SELECT COUNT(*) FROM match_members").await, i64::try_from(tickets).unwrap());
    assert_eq!(db.count("SELECT COUNT(*) FROM conversations").await, i64::try_from(tickets / 2).unwrap());
    assert_matching_sound(db).await;
});

/// One of those who storm: it does whatever its dice say to whoever there is.
struct Stormer {
    store: Store,
    dice: Dice,
    round: i64,
}

impl Stormer {
    const USERS: usize = 40;

    fn anybody(&mut self) -> String {
        format!("user-{}", self.dice.below(Self::USERS))
    }

    fn now(&self) -> arena_core::Timestamp {
        at(self.round * 100)
    }

    fn wish(&mut self) -> NewTicket {
        let mut new = new_ticket(&self.anybody());
        new.wish.requeue = self.dice.below(2) == 0;
        if self.dice.below(5) == 0 {
            new.wish.kind = Kind::Bot;
        }
        let friend = user(&self.anybody());
        if self.dice.below(5) == 0 && friend != new.wish.user {
            new.wish.party = vec![friend];
        }
        new
    }

    async fn act(&mut self) {
        self.round += 1;
        match self.dice.below(12) {
            0..=2 => self.create().await,
            3..=4 => self.pair().await,
            5..=6 => self.confirm().await,
            7 => self.end().await,
            8 => {
                let (one, other) = (user(&self.anybody()), user(&self.anybody()));
                self.store.block(&one, &other, self.now()).await.unwrap();
                self.store.unblock(&one, &other).await.unwrap();
            }
            9 => {
                let before = at(self.round * 100 - 4_000);
                let mut ids = Vec::new();
                for _ in 0..10 {
                    ids.extend(self.ticket().await.map(|ticket| ticket.id));
                }
                self.store.tickets_seen(&ids, self.now()).await.unwrap();
                self.store.end_stale(&strangers(), before, Some(before), 5, self.now()).await.unwrap();
                self.store.forget_matches(before, self.now(), 20).await.unwrap();
            }
            10 => {
                if let Some(ticket) = self.ticket().await {
                    self.store.end_waiting(ticket.id, TicketEnd::Cancelled, self.now()).await.unwrap();
                }
            }
            _ => self.sweep().await,
        }
    }

    async fn ticket(&mut self) -> Option<arena_store::TicketRow> {
        let who = user(&self.anybody());
        self.store.ticket_of(&who).await.unwrap()
    }

    async fn create(&mut self) {
        let news: Vec<_> = (0..6).map(|_| self.wish()).collect();
        self.store.create_tickets(&news, self.now()).await.unwrap();
    }

    async fn pair(&mut self) {
        let mut waiting = self.store.waiting(&strangers()).await.unwrap();
        self.store.avoided(&strangers(), self.now()).await.unwrap();
        shuffle(&mut waiting, self.dice.0);
        let drafts = pairs(&waiting);
        let made = self.store.make_matches(&strangers(), &drafts, self.now()).await.unwrap();
        assert!(made.len() <= drafts.len());
    }

    async fn confirm(&mut self) {
        for _ in 0..5 {
            let Some(ticket) = self.ticket().await else { continue };
            if let (Some(id), true) = (ticket.in_match, ticket.state == TicketState::Proposed) {
                // The match may be over, and forgotten, by now.
                self.store.confirm_match(id, &ticket.wish.user, at(0)).await.unwrap();
            }
        }
    }

    async fn end(&mut self) {
        let Some(ticket) = self.ticket().await else { return };
        let Some(id) = ticket.in_match else { return };
        let ends = [MatchEnd::Declined, MatchEnd::Skipped, MatchEnd::Unconfirmed, MatchEnd::Closed];
        let mut end = ending(ends[self.dice.below(4)], Some(ticket.wish.user.as_str()));
        end.requeue = self.dice.below(2) == 0;
        end.apart_until = Some(at(self.round * 100 + 500));
        self.store.end_match(id, &end, self.now()).await.unwrap();
        self.store.wait_again(id, &ticket.wish.user, self.now()).await.unwrap();
    }

    async fn sweep(&mut self) {
        if self.dice.below(8) == 0 {
            self.store.delete_match_queue(&strangers()).await.unwrap();
            open_queue(&self.store).await;
        }
        let over = self.store.unsettled_matches(5).await.unwrap();
        let ids: Vec<_> = over.iter().map(|meeting| meeting.id).collect();
        self.store.settle_matches(&ids).await.unwrap();
        for (id, who) in self.store.lost_members(&strangers(), at(0), at(0), 9).await.unwrap() {
            self.store
                .end_match(id, &ending(MatchEnd::Disconnected, Some(who.as_str())), self.now())
                .await
                .unwrap();
        }
        self.store.queue_counts(&strangers()).await.unwrap();
        self.store.wait_stats(&strangers(), at(0)).await.unwrap();
    }
}

on_both!(a_storm_of_everything_breaks_no_rule, async |db| {
    let stores = [db.open().await, db.open().await];
    open_queue(&stores[0]).await;
    let rounds = if db.is_postgres() { 100 } else { 200 };
    at_once(8, |n| {
        let store = stores[n % 2].clone();
        let mut stormer = Stormer { store, dice: Dice(0xA2E4 + n as u64 * 977), round: 0 };
        async move {
            for _ in 0..rounds {
                stormer.act().await;
            }
        }
    })
    .await;
    assert_matching_sound(db).await;
    for store in &stores {
        store.close().await;
    }
    if db.is_postgres() {
        let deadlocks =
            "SELECT CAST(deadlocks AS BIGINT) FROM pg_stat_database WHERE datname = current_database()";
        assert_eq!(db.count(deadlocks).await, 0, "locks were not taken in one order");
    }
    // It was a storm: all that there is to do was done.
    for (what, sql) in [
        ("matches stood", "SELECT COUNT(*) FROM matches WHERE stood_at IS NOT NULL"),
        ("matches ended", "SELECT COUNT(*) FROM matches WHERE state = 'over'"),
        ("tickets are over", "SELECT COUNT(*) FROM tickets WHERE state = 'over'"),
        ("tickets waited again", "SELECT COUNT(*) FROM tickets WHERE version > 4"),
    ] {
        assert!(db.count(sql).await > 0, "no {what}");
    }
});

on_both!(what_is_given_up_half_way_is_done_whole_or_not_at_all, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let news: Vec<_> = (0..200).map(|n| new_ticket(&format!("user-{n}"))).collect();
    // After each time the store has to answer those who come next.
    for micros in [0, 200, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000] {
        let patience = Duration::from_micros(micros);
        let _ = tokio::time::timeout(patience, store.create_tickets(&news, T0)).await;
        assert!([0, 200].contains(&db.count("SELECT COUNT(*) FROM tickets").await));
        assert_matching_sound(db).await;
    }
    store.create_tickets(&news, T0).await.unwrap();
    for micros in [0, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000] {
        let waiting = store.waiting(&strangers()).await.unwrap();
        let drafts = pairs(&waiting);
        let patience = Duration::from_micros(micros);
        let _ = tokio::time::timeout(patience, store.make_matches(&strangers(), &drafts, at(1))).await;
        let made = db.count("SELECT COUNT(*) FROM matches").await;
        assert!([0, 100].contains(&made), "{made}");
        assert_eq!(db.count("SELECT COUNT(*) FROM conversations").await, made);
        assert_matching_sound(db).await;
    }
    let all = store.tickets(&TicketFilter::default(), &arena_store::PageRequest::first(999)).await.unwrap();
    assert_eq!(all.items.len(), 200);
});
