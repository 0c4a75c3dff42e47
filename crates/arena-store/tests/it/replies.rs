use crate::support::*;
use arena_core::Timestamp;
use arena_store::{Begun, Store, StoredReply};
use std::time::Duration;

const NOW: Timestamp = Timestamp(1_000_000);

fn reply(body: &[u8]) -> StoredReply {
    StoredReply { status: 201, content_type: "application/json".to_owned(), body: body.to_vec() }
}

async fn begin(store: &Store, key: &str, fingerprint: &str, at: Timestamp) -> Begun {
    store.begin_reply(key, fingerprint, at).await.unwrap()
}

on_both!(the_first_outcome_is_replayed, async |db| {
    let store = db.open().await;
    assert_eq!(begin(&store, "k", "POST /a", NOW).await, Begun::Fresh);
    assert_eq!(begin(&store, "k", "POST /a", NOW).await, Begun::InProgress);
    assert_eq!(begin(&store, "k", "POST /b", NOW).await, Begun::Mismatch);
    let first = reply(&[0, 159, 146, 150, 255]);
    store.finish_reply("k", &first).await.unwrap();
    assert_eq!(begin(&store, "k", "POST /a", NOW).await, Begun::Replay(first));
    assert_eq!(begin(&store, "k", "POST /b", NOW).await, Begun::Mismatch);
    assert_eq!(begin(&store, "other", "POST /a", NOW).await, Begun::Fresh);
});

on_both!(an_empty_body_is_an_outcome, async |db| {
    let store = db.open().await;
    begin(&store, "k", "f", NOW).await;
    store.finish_reply("k", &reply(b"")).await.unwrap();
    assert_eq!(begin(&store, "k", "f", NOW).await, Begun::Replay(reply(b"")));
});

on_both!(a_key_given_back_is_fresh_again_and_a_finished_one_stays, async |db| {
    let store = db.open().await;
    begin(&store, "k", "f", NOW).await;
    store.abandon_reply("k").await.unwrap();
    assert_eq!(begin(&store, "k", "g", NOW).await, Begun::Fresh);
    store.finish_reply("k", &reply(b"x")).await.unwrap();
    store.abandon_reply("k").await.unwrap();
    assert_eq!(begin(&store, "k", "g", NOW).await, Begun::Replay(reply(b"x")));
});

on_both!(a_request_that_died_frees_its_key_in_time, async |db| {
    let store = db.open().await;
    begin(&store, "k", "f", NOW).await;
    assert_eq!(begin(&store, "k", "f", Timestamp(NOW.0 + 119_000)).await, Begun::InProgress);
    assert_eq!(begin(&store, "k", "f", Timestamp(NOW.0 + 121_000)).await, Begun::Fresh);
});

on_both!(outcomes_expire, async |db| {
    let store = db.open().await;
    for (key, at) in [("old", NOW), ("new", Timestamp(NOW.0 + 5_000))] {
        begin(&store, key, "f", at).await;
        store.finish_reply(key, &reply(b"")).await.unwrap();
    }
    let later = Timestamp(NOW.0 + 10_000);
    assert_eq!(store.expire_replies(later, Duration::from_secs(7)).await.unwrap(), 1);
    assert_eq!(begin(&store, "old", "f", later).await, Begun::Fresh);
    assert_eq!(begin(&store, "new", "f", later).await, Begun::Replay(reply(b"")));
});

on_both!(of_many_with_one_key_at_once_one_is_fresh, async |db| {
    let stores = [db.open().await, db.open().await];
    for key in ["a", "b", "c\0"] {
        let begun = at_once(10, |n| {
            let store = stores[n % 2].clone();
            async move { begin(&store, key, "f", NOW).await }
        })
        .await;
        assert_eq!(begun.iter().filter(|begun| **begun == Begun::Fresh).count(), 1, "{begun:?}");
        assert_eq!(begun.iter().filter(|begun| **begun == Begun::InProgress).count(), 9, "{begun:?}");
    }
});
