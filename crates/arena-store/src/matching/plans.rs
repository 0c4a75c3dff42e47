//! No statement about tickets and matches reads a whole table of them. SQLite says how it goes about each.

use super::{Attendance, Ending, Lost, MatchDraft, NewTicket, ReportRow, TicketFilter};
use crate::conversations::slow_steps;
use crate::{ConversationRow, PageRequest, Store, StoreOptions, seen};
use arena_core::Timestamp;
use arena_core::matching::{
    Kind, MatchEnd, MatchId, QueueName, Rules, TicketEnd, TicketId, TicketState, Wish,
};
use arena_testing::TestDatabase;
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_000);
const LATER: Timestamp = Timestamp(100_000);

fn new(user: &str) -> NewTicket {
    let wish = Wish::of(user.parse().unwrap(), Kind::Human);
    NewTicket { id: TicketId(Uuid::now_v7()), queue: QueueName::strangers(), wish }
}

fn draft(key: i64, pair: &[NewTicket]) -> MatchDraft {
    let conversation = ConversationRow {
        key,
        id: format!("talk-{key}").parse().unwrap(),
        owner: None,
        root: None,
        state: String::new(),
        position: 0,
        exhausted: false,
        created_at: NOW,
        due_at: None,
    };
    MatchDraft {
        id: MatchId(Uuid::now_v7()),
        teams: pair.iter().map(|new| vec![(new.id, 1)]).collect(),
        quality: 1,
        confirm_until: LATER,
        conversation,
        log: Vec::new(),
    }
}

/// Does everything that can be done with tickets and matches, but for tournaments.
async fn do_everything(store: &Store) {
    let queue = QueueName::strangers();
    store.put_match_queue(&queue, &Rules::strangers(), true).await.unwrap();
    store.put_match_queue(&queue, &Rules::default(), false).await.unwrap();
    let news: Vec<_> = ["a", "b", "c", "d", "e", "f"].map(new).into();
    store.create_tickets(&news, NOW).await.unwrap();
    store.waiting(&queue).await.unwrap();
    store.avoided(&queue, NOW).await.unwrap();
    let drafts = [draft(1, &news[..2]), draft(2, &news[2..4])];
    assert_eq!(store.make_matches(&queue, &drafts, NOW).await.unwrap().len(), 2);
    let users: Vec<_> = news.iter().map(|new| new.wish.user.clone()).collect();
    for user in &users[..2] {
        store.confirm_match(drafts[0].id, user, NOW).await.unwrap();
    }
    for away_since in [Some(NOW), None] {
        let (conversation, user) = (drafts[0].conversation.id.clone(), users[0].clone());
        store.attend_matches(&[Attendance { conversation, user, away_since }]).await.unwrap();
    }
    store.tickets_seen(&[news[0].id, news[1].id], NOW).await.unwrap();
    store.lost_members(&queue, LATER, LATER, 9).await.unwrap();
    store.matches_talked_out(9).await.unwrap();
    store.unconfirmed_matches(LATER, 9).await.unwrap();
    store.standing_tournaments(None, 9).await.unwrap();
    store.unsettled_tournaments(9).await.unwrap();
    let ending = |end| Ending {
        end,
        by: Some(users[0].clone()),
        requeue: true,
        apart_until: Some(LATER),
        only: None,
        lost: Lost::NOBODY,
    };
    for (draft, end) in drafts.iter().zip([MatchEnd::Skipped, MatchEnd::Unconfirmed]) {
        assert!(store.end_match(draft.id, &ending(end), NOW).await.unwrap().unwrap().1);
    }
    assert!(store.wait_again(drafts[0].id, &users[1], NOW).await.unwrap());
    store.block(&users[0], &users[1], NOW).await.unwrap();
    store.blocks(&users[0], &PageRequest { limit: 9, cursor: Some("a".to_owned()) }).await.unwrap();
    store.unblock(&users[0], &users[1]).await.unwrap();
    store.end_waiting(news[4].id, TicketEnd::Cancelled, NOW).await.unwrap();
    store.end_stale(&queue, LATER, Some(LATER), 1, NOW).await.unwrap();
    read_everything(store, &queue, &news).await;
    let unsettled = store.unsettled_matches(9).await.unwrap();
    store.settle_matches(&unsettled.iter().map(|row| row.id).collect::<Vec<_>>()).await.unwrap();
    store.delete_match_queue(&queue).await.unwrap().unwrap();
    assert!(store.forget_matches(LATER, LATER, 9).await.unwrap() > 5);
}

async fn read_everything(store: &Store, queue: &QueueName, news: &[NewTicket]) {
    store.ticket_of(&news[0].wish.user).await.unwrap();
    store.tickets_by_id(&[news[0].id]).await.unwrap();
    store.queues_in_use().await.unwrap();
    store.queue_counts(queue).await.unwrap();
    store.wait_stats(queue, Timestamp(0)).await.unwrap();
    let page = PageRequest { limit: 9, cursor: Some(format!("0_{}", Uuid::nil())) };
    for state in [TicketState::Waiting, TicketState::Matched] {
        let queue = Some(queue.clone());
        let filter = TicketFilter { queue, state: Some(state), ..TicketFilter::default() };
        store.tickets(&filter, &page).await.unwrap();
    }
    let report = ReportRow {
        id: Uuid::now_v7(),
        in_match: MatchId(Uuid::nil()),
        reporter: news[0].wish.user.clone(),
        reported: news[1].wish.user.clone(),
        reason: "rude".to_owned(),
        detail: String::new(),
        created_at: NOW,
    };
    store.report(&report).await.unwrap();
    store.reports(&page).await.unwrap();
}

#[tokio::test]
async fn no_statement_reads_a_whole_table() {
    let database = TestDatabase::sqlite();
    let store = Store::open(&StoreOptions::new(database.url())).await.unwrap();
    seen::take();
    do_everything(&store).await;
    let statements = seen::take();
    assert!(statements.len() > 60, "{}", statements.len());
    for sql in statements {
        let slow = slow_steps(database.url(), &sql).await;
        let slow: Vec<_> = slow.into_iter().filter(|step| !is_small(step)).collect();
        assert_eq!(slow, Vec::<String>::new(), "{sql}");
    }
}

/// What is read as a whole is what the statement has found by then, a list of a few rows, or an index that holds only
/// what is looked for.
fn is_small(step: &str) -> bool {
    let small = [
        "SCAN m USING INDEX matches_standing",
        "SCAN q",
        "SCAN found",
        "SCAN match_queues",
        "SCAN matches USING INDEX matches_unsettled",
    ];
    step.contains("ORDER BY") || small.iter().any(|start| step.starts_with(start))
}
