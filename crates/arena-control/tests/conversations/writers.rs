//! Several writers on one database: what one has in memory is stale as soon as the other has written.

use crate::support::{Db, House, actor, caps, id, limits, say, setup, who};
use arena_control::{Conversations, SubmitError};
use arena_core::conversation::{AccountId, Code, Setup};
use std::collections::BTreeMap;

/// Says so many things from one house, some in each of the conversations; how many were accepted in each.
async fn talk(house: &House, author: &str, conversations: &[&str], each: usize) -> BTreeMap<String, u64> {
    let mut talking = tokio::task::JoinSet::new();
    for n in 0..each {
        for conversation in conversations {
            let (service, to) = (Conversations::clone(house), (*conversation).to_owned());
            let command = say(author, &format!("{author} {n}"));
            talking.spawn(async move {
                let outcome = service.submit(&actor(), &id(&to), command).await;
                match outcome {
                    Ok(_) => (to, 1),
                    Err(SubmitError::Refused(refusal)) if refusal.code == Code::TotalLimit => (to, 0),
                    Err(error) => panic!("{error}"),
                }
            });
        }
    }
    let mut accepted = BTreeMap::new();
    for (to, one) in talking.join_all().await {
        *accepted.entry(to).or_default() += one;
    }
    accepted
}

on_both!(two_writers_share_a_limit_and_leave_no_gap, async |db: &Db| {
    let (one, other) = (House::open(db).await, House::open(db).await);
    one.begin("c", setup(&[], limits(None, Some(150)))).await;
    let (a, b) = tokio::join!(talk(&one, "a", &["c"], 100), talk(&other, "b", &["c"], 100));
    assert_eq!(a["c"] + b["c"], 150, "{a:?} {b:?}");
    assert_eq!(one.count("c", "message").await, 150);
    assert_eq!(one.count("c", "exhausted").await, 1);
    one.close().await;
    other.close().await;
});

on_both!(two_writers_and_two_conversations_in_opposite_order_never_lock_each_other_out, async |db: &Db| {
    let (one, other) = (House::open(db).await, House::open(db).await);
    let owned = |name: &str| Setup { owner: Some(who(name)), ..setup(&[], limits(None, None)) };
    one.begin("x", owned("anna")).await;
    one.begin("y", owned("bert")).await;
    for owner in ["anna", "bert"] {
        let account = AccountId::Owner(who(owner));
        one.set_account(&actor(), &account, caps(Some(150)), None).await.unwrap();
    }
    let (a, b) = tokio::join!(talk(&one, "a", &["x", "y"], 100), talk(&other, "b", &["y", "x"], 100));
    for conversation in ["x", "y"] {
        assert_eq!(a[conversation] + b[conversation], 150, "what the owner pays for, and no more");
        assert_eq!(other.count(conversation, "message").await, 150);
    }
    for owner in ["anna", "bert"] {
        let account = one.account(&AccountId::Owner(who(owner))).await;
        let account = account.unwrap();
        assert!(account.used.messages <= 150, "{account:?}");
    }
    one.close().await;
    other.close().await;
});

on_both!(a_conversation_that_another_writer_deleted_takes_no_more_messages, async |db: &Db| {
    let (one, other) = (House::open(db).await, House::open(db).await);
    one.begin("c", Setup::default()).await;
    one.said("c", "a", "1").await;
    other.delete(&actor(), &id("c")).await.unwrap();
    match one.order("c", say("a", "2")).await {
        Err(SubmitError::Failed(error)) => assert_eq!(error.code(), "conversation_not_found"),
        outcome => panic!("{outcome:?}"),
    }
    one.close().await;
    other.close().await;
});
