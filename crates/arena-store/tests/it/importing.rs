use crate::support::*;
use arena_core::admission::AdmitError;
use arena_core::channel::{ChannelKind, Mode};
use arena_store::{Enrolled, OpError};

on_both!(importing_twice_changes_nothing, async |db| {
    let store = db.open().await;
    let first = store.enroll(&actor(), &roster(100)).await.unwrap();
    let opened = vec![name("main"), name("main-2"), name("main-3"), name("main-4"), name("main-5")];
    let touched = opened.clone();
    assert_eq!(first, Enrolled { created: 100, existing: 0, opened, touched });
    let before = all_bots(&store).await;
    let again = store.enroll(&actor(), &roster(100)).await.unwrap();
    assert_eq!(again, Enrolled { existing: 100, ..Enrolled::default() });
    assert_eq!(all_bots(&store).await, before);
    assert_sound(&store).await;
});

on_both!(a_name_that_stands_twice_in_a_roster_is_one_bot, async |db| {
    let store = db.open().await;
    let enrolled = store.enroll(&actor(), &[bot("Ada"), bot("Bob"), bot("Ada")]).await.unwrap();
    assert_eq!((enrolled.created, enrolled.existing), (2, 1));
    assert_sound(&store).await;
});

on_both!(the_same_roster_imported_by_many_at_once_is_stored_once, async |db| {
    let store = db.open().await;
    let created = at_once(4, |_| {
        let store = store.clone();
        async move { store.enroll(&actor(), &roster(150)).await.unwrap().created }
    })
    .await;
    assert_eq!(created.iter().sum::<u32>(), 150);
    assert_eq!(created.iter().filter(|count| **count > 0).count(), 1);
    assert_eq!(all_bots(&store).await.len(), 150);
    assert_sound(&store).await;
});

on_both!(a_big_roster_is_sharded_within_the_limits, async |db| {
    let store = db.open().await;
    let enrolled = store.enroll(&actor(), &roster(2_500)).await.unwrap();
    assert_eq!(enrolled.created, 2_500);
    assert_eq!(enrolled.opened.len(), 2_500_usize.div_ceil(24));
    assert_sound(&store).await;
});

on_both!(a_roster_that_cannot_be_placed_stores_nobody, async |db| {
    let store = db.open().await;
    let mut nowhere = bot_of("b", ChannelKind::Regional, Some("us-west-2"));
    nowhere.profile.region = None;
    let refused = store.enroll(&actor(), &[bot("a"), nowhere]).await;
    assert!(matches!(refused, Err(OpError::Refused(AdmitError::RegionRequired))), "{refused:?}");
    assert!(all_bots(&store).await.is_empty());
    assert!(loads(&store).await.is_empty());
});

on_both!(a_named_channel_is_taken_if_it_takes_them, async |db| {
    let store = db.open().await;
    open(&store, "club", 1).await;
    open(&store, "shut", 5).await;
    act(&store, set_mode("shut", Mode::Maintenance)).await;
    let mut roster = roster(4);
    for (new, wish) in roster.iter_mut().zip(["club", "club", "shut", "unheard-of"]) {
        new.channel = Some(name(wish));
    }
    store.enroll(&actor(), &roster).await.unwrap();
    let bots = all_bots(&store).await;
    assert_eq!(bots[0].channel, Some(name("club")));
    assert!(
        bots[1..].iter().all(|bot| bot.channel.as_ref().unwrap().split().0.as_str() == "main"),
        "{bots:?}"
    );
    assert_sound(&store).await;
});

on_both!(everything_of_a_profile_is_kept, async |db| {
    let store = db.open().await;
    let mut new = bot_of("Ötzi \"the\" O'Brien; DROP TABLE bots --", ChannelKind::Vip, Some("us-west-2"));
    new.profile.persona = "Zeile\u{2028}🧊 \\ % _ ' \" $1".to_owned();
    new.profile.traits = vec!["a\"b".to_owned(), "ü".to_owned()];
    new.profile.home_zone = Some("dark alley".to_owned());
    store.enroll(&actor(), std::slice::from_ref(&new)).await.unwrap();
    let stored = store.bot_named(&new.profile.name).await.unwrap().unwrap();
    assert_eq!(stored.profile, new.profile);
    assert_eq!(store.bot(stored.id).await.unwrap(), Some(stored));
});
