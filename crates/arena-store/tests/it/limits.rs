use crate::support::*;
use arena_core::Metadata;
use arena_core::admission::{AdmissionRules, AdmitError, KindLimits, Op};
use arena_core::channel::Mode;
use arena_store::{OpError, StoreError};

on_both!(a_limit_below_the_load_is_refused_by_rule_and_by_the_database, async |db| {
    let store = db.open().await;
    enroll(&store, 5).await;
    let refused = refusal(&store, set_limit("main", 4)).await;
    assert!(matches!(refused, AdmitError::BelowLoad { bots: 5, max_bots: 4, .. }), "{refused}");
    let raw = raw_sql(db, "UPDATE channels SET max_bots = 4 WHERE name = 'main'").await;
    assert!(matches!(raw.map_err(StoreError::from), Err(StoreError::Overfull)));
    act(&store, set_limit("main", 5)).await;
    assert_sound(&store).await;
});

on_both!(a_drained_channel_may_be_limited_to_nobody, async |db| {
    let store = db.open().await;
    enroll(&store, 5).await;
    let op = Op::Configure { channel: name("main"), max_bots: Some(0), mode: Some(Mode::Draining) };
    act(&store, op).await;
    assert_eq!(loads(&store).await, expected(&[("main", 0), ("main-2", 5)]));
});

on_both!(kinds_without_seats_take_nobody_in, async |db| {
    let limits = KindLimits { main: 0, ..KindLimits::default() };
    let store = db.open_with(AdmissionRules { limits, ..AdmissionRules::default() }).await;
    let refused = store.enroll(&actor(), &roster(1)).await;
    assert!(matches!(refused, Err(OpError::Refused(AdmitError::NoSeats(_)))), "{refused:?}");
});

on_both!(the_largest_limit_is_kept, async |db| {
    let store = db.open().await;
    enroll(&store, 2).await;
    act(&store, set_limit("main", u32::MAX)).await;
    let seats = store.channel(&name("main")).await.unwrap().unwrap().channel.seats;
    assert_eq!(seats.max_bots, u32::MAX);
    store.enroll(&actor(), &roster(60)).await.unwrap();
    assert_eq!(loads(&store).await, expected(&[("main", 60)]));
});

on_both!(metadata_is_kept_as_it_was_given, async |db| {
    let store = db.open().await;
    open(&store, "club", 5).await;
    let value = serde_json::json!({"map": "town", "nul": "a\u{0}b", "ü": [1, 2.5, null, "'"]});
    let metadata = Metadata::try_from(value).unwrap();
    let configure = |channel: &str| {
        let op = Op::Configure { channel: name(channel), max_bots: None, mode: None };
        arena_store::Order { metadata: Some(metadata.clone()), ..arena_store::Order::new(&actor(), op) }
    };
    assert!(store.carry_out_all(&[configure("club")]).await.unwrap()[0].is_ok());
    assert!(store.carry_out_all(&[configure("gone")]).await.unwrap()[0].is_err());
    assert_eq!(store.channel(&name("club")).await.unwrap().unwrap().channel.metadata, metadata);
});
