//! Inputs of players: carried out at a tick, answered after it, refused with codes.

use crate::support::{begin, body, bot, create, guarded, native, native_with, player, until};
use arena_core::WorldId;
use arena_core::fault::HostFault;
use arena_worlds::native::NativeHost;
use arena_worlds::{Act, ActError, GuardedHost, WorldHost};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

fn act(event: &str, payload: &str) -> Act {
    Act::parse(event, payload).unwrap()
}

/// A world with two players and a bot.
async fn stage(host: &NativeHost) -> WorldId {
    let world = create(host, "a", 1).await;
    let mut ada = player(0, 1);
    ada.position = Some((5, 15));
    for (_, outcome) in host.join(&world, vec![ada, player(1, 1), body(2, 1)]).await.unwrap() {
        outcome.unwrap();
    }
    world
}

#[tokio::test]
async fn an_act_is_answered_after_the_tick_that_carried_it_out() {
    let host = native();
    let world = stage(&host).await;
    let tick = async || host.view(&world).await.unwrap().summary.tick;
    let before = tick().await;
    let done = guarded(&host).act(&world, bot(0), act("say", r#"{"text": "Good evening."}"#)).await.unwrap();
    assert!(before < done && done <= tick().await);
    let view = host.view(&world).await.unwrap();
    assert!(view.overheard.contains(&("Player 0".to_owned(), "Good evening.".to_owned())), "{view:?}");
    host.act(&world, bot(0), act("move", r#"{"x": 6, "y": 15}"#)).await.unwrap();
    let arrived = async || host.positions(&world).await.unwrap().contains(&(bot(0), (6, 15)));
    until("it has walked there", arrived).await;
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_a_code() {
    let host = native();
    let world = stage(&host).await;
    let other = format!(r#"{{"with": "{}"}}"#, bot(1));
    let (own, nobody) = (format!(r#"{{"with": "{}"}}"#, bot(0)), format!(r#"{{"with": "{}"}}"#, bot(9)));
    let long = format!(r#"{{"text": "{}"}}"#, "a".repeat(501));
    for (who, event, payload, code) in [
        (0, "move", r#"{"x": 64, "y": 0}"#, "outside_map"),
        (0, "move", r#"{"x": 0, "y": 0}"#, "blocked"),
        (0, "say", r#"{"text": " "}"#, "empty_text"),
        (0, "say", &long, "text_too_long"),
        (0, "invite", &own, "with_self"),
        (0, "invite", &nobody, "partner_not_here"),
        (0, "accept", r#"{"conversation": 1}"#, "not_invited"),
        (0, "decline", r#"{"conversation": 1}"#, "not_invited"),
        (0, "leave_conversation", r#"{"conversation": 1}"#, "not_in_conversation"),
        (9, "look", r#"{"heading": 90}"#, "not_here"),
    ] {
        let error = host.act(&world, bot(who), act(event, payload)).await.unwrap_err();
        assert_eq!(error.code(), code, "{event} {payload}: {error}");
    }
    host.act(&world, bot(0), act("invite", &other)).await.unwrap();
    let again = host.act(&world, bot(0), act("invite", &other)).await.unwrap_err();
    assert_eq!(again.code(), "in_conversation");
}

/// The join of a body that is there already succeeds, whatever becomes of its other inputs in that tick.
#[tokio::test]
async fn a_refused_act_is_not_taken_for_a_refused_join() {
    let host = native_with(1_000, 8);
    let world = stage(&host).await;
    let mut acting = pin!(host.act(&world, bot(0), act("move", r#"{"x": 0, "y": 0}"#)));
    begin(acting.as_mut()).await;
    let outcomes = host.join(&world, vec![player(0, 1)]).await.unwrap();
    assert_eq!(outcomes, [(bot(0), Ok(()))]);
    assert_eq!(acting.await.unwrap_err().code(), "blocked");
}

#[tokio::test]
async fn an_act_in_a_world_that_is_gone_or_goes_says_so() {
    let host = native_with(1_000, 8);
    let world = stage(&host).await;
    let wave = || act("emote", r#"{"emote": "wave"}"#);
    let mut acting = pin!(host.act(&world, bot(0), wave()));
    begin(acting.as_mut()).await;
    host.destroy(&world).await.unwrap();
    assert_eq!(acting.await, Err(ActError::Host(HostFault::WorldGone)));
    assert_eq!(host.act(&world, bot(0), wave()).await, Err(ActError::Host(HostFault::WorldGone)));
    assert_eq!(host.look(&world).await, Err(HostFault::WorldGone));
}

/// On one thread nothing runs but what is polled here, so the mailbox fills up.
#[tokio::test]
async fn a_full_mailbox_refuses_inputs_as_an_outage() {
    let host = native_with(20, 2);
    let world = stage(&host).await;
    let (mut first, mut second) = (pin!(host.residents(&world)), pin!(host.look(&world)));
    begin(first.as_mut()).await;
    begin(second.as_mut()).await;
    let wave = || act("emote", r#"{"emote": "wave"}"#);
    let refused = host.act(&world, bot(0), wave()).await.unwrap_err();
    assert!(matches!(refused, ActError::Host(HostFault::Transient { .. })), "{refused:?}");
    assert_eq!(refused.code(), "unavailable");
    first.await.unwrap();
    second.await.unwrap();
    host.act(&world, bot(0), wave()).await.unwrap();
}

#[tokio::test]
async fn a_body_does_only_so_much_in_a_tick_and_leaves_room_for_others() {
    let host = native_with(1_000, 64);
    let world = stage(&host).await;
    let mut waiting = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (host, world) = (host.clone(), world.clone());
        let text = format!(r#"{{"text": "{n}"}}"#);
        waiting.spawn(async move { host.act(&world, bot(0), act("say", &text)).await });
    }
    let other = host.act(&world, bot(1), act("look", r#"{"heading": 45}"#));
    let (outcomes, other) = tokio::join!(waiting.join_all(), other);
    other.unwrap();
    let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert_eq!(refused.len(), 12, "{outcomes:?}");
    assert!(refused.iter().all(|error| error.code() == "too_many_inputs"));
}

#[tokio::test]
async fn a_world_that_takes_too_long_is_an_outage_for_players_too() {
    let host = native_with(1_000, 8);
    let world = stage(&host).await;
    let hasty = GuardedHost::new(Arc::new(host.clone()), Duration::from_millis(1));
    let error = hasty.act(&world, bot(0), act("look", r#"{"heading": 0}"#)).await.unwrap_err();
    assert_eq!(error.code(), "unavailable");
}
