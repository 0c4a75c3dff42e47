//! Budgets that several conversations share.

use crate::support::{Db, House, actor, caps, id, limits, say, setup, who};
use arena_core::conversation::{AccountId, Amounts, Code, Command, Reserve, Scope, Setup};

on_both!(an_owner_pays_for_all_its_conversations_together, async |db: &Db| {
    let house = House::open(db).await;
    let account = AccountId::Owner(who("anna"));
    house.set_account(&actor(), &account, caps(Some(3)), None).await.unwrap();
    for name in ["x", "y"] {
        house.begin(name, Setup { owner: Some(who("anna")), ..setup(&[], limits(None, None)) }).await;
    }
    house.said("x", "a", "1").await;
    house.said("y", "a", "2").await;
    house.said("x", "a", "3").await;
    let refusal = house.refused("y", say("a", "4")).await;
    assert_eq!((refusal.code, refusal.scope, refusal.remaining), (Code::TotalLimit, Scope::Owner, Some(0)));
    assert!(!house.capacity(&id("y")).await.unwrap().exhausted, "it may go on when its owner pays");
    house.crash().await;

    let house = House::open(db).await;
    assert_eq!(house.account(&account).await.unwrap().used.messages, 3);
    assert_eq!(house.code("x", "a").await, Code::TotalLimit);
    house.set_account(&actor(), &account, caps(Some(4)), None).await.unwrap();
    house.said("y", "a", "4").await;
    assert_eq!(house.code("x", "a").await, Code::TotalLimit);
    house.close().await;
});

on_both!(a_tree_of_conversations_spends_the_budget_of_its_root, async |db: &Db| {
    let house = House::open(db).await;
    house.create(&actor(), Some(id("root")), Setup::default(), Some((caps(Some(3)), None))).await.unwrap();
    let under = |parent: &str| Setup { parent: Some(id(parent)), ..Setup::default() };
    house.begin("child", under("root")).await;
    house.begin("grandchild", under("child")).await;
    house.said("root", "a", "1").await;
    house.said("child", "a", "2").await;
    house.said("grandchild", "a", "3").await;
    for name in ["root", "child", "grandchild"] {
        let refusal = house.refused(name, say("a", "4")).await;
        assert_eq!((refusal.code, refusal.scope), (Code::TotalLimit, Scope::Tree), "{name}");
    }
    let orphan = house.create(&actor(), None, under("nobody"), None).await;
    assert_eq!(orphan.unwrap_err().code(), "conversation_not_found");
    house.close().await;
});

on_both!(a_conversation_that_is_deleted_gives_back_what_it_held, async |db: &Db| {
    let house = House::open(db).await;
    let account = AccountId::Owner(who("anna"));
    house.set_account(&actor(), &account, caps(Some(3)), None).await.unwrap();
    for name in ["x", "y"] {
        house.begin(name, Setup { owner: Some(who("anna")), ..setup(&[], limits(None, None)) }).await;
    }
    let amounts = Amounts { messages: 3, ..Amounts::default() };
    let (participant, lease_ms) = (who("a"), 60_000);
    let hold = Reserve { participant, id: "r1".parse().unwrap(), amounts, lease_ms };
    house.order("x", Command::Reserve(hold)).await.unwrap();
    assert_eq!(house.code("y", "b").await, Code::TotalLimit);
    house.delete(&actor(), &id("x")).await.unwrap();
    assert_eq!(house.account(&account).await.unwrap().held, Amounts::default());
    house.said("y", "b", "1").await;
    house.close().await;
});

on_both!(a_budget_that_would_refill_without_end_is_refused, async |db: &Db| {
    let house = House::open(db).await;
    let account = AccountId::Owner(who("anna"));
    let refused = house.set_account(&actor(), &account, caps(Some(3)), Some(0)).await.unwrap_err();
    assert_eq!(refused.code(), "invalid_conversation");
    let tree = Some((caps(Some(3)), Some(0)));
    assert!(house.create(&actor(), None, Setup::default(), tree).await.is_err());
    house.close().await;
});
