//! Going round in circles.

use super::*;

fn talk(rules: LoopRules) -> Talk {
    Talk::of(Setup { loops: Some(rules), ..Setup::default() })
}

fn repeats(window: u32, max_repeats: u32) -> LoopRules {
    LoopRules { window, max_repeats, pair_messages: 0, throttle_ms: 1_000, ..LoopRules::default() }
}

fn pairs() -> LoopRules {
    LoopRules {
        max_repeats: 0,
        pair_messages: 4,
        pair_window_ms: 100,
        throttle_ms: 1_000,
        ..LoopRules::default()
    }
}

#[test]
fn the_same_text_is_refused_until_some_time_has_passed() {
    let mut talk = talk(repeats(12, 3));
    talk.say_this(say("ann", "Hello   there")).unwrap();
    talk.now += 10;
    talk.say_this(say("bob", "hello there ")).unwrap();
    talk.now += 10;
    let refusal = talk.say_this(say("ann", " HELLO\nTHERE")).unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after_ms), (Code::LoopDetected, Some(990)));
    talk.say_this(say("ann", "something else")).unwrap();
    talk.now += 990;
    talk.say_this(say("ann", "hello there")).unwrap();
    assert_eq!(talk.say_this(say("ann", "hello there")).unwrap_err().retry_after_ms, Some(1_000));
    assert_eq!(talk.capacity().total.used.messages, 4);
}

#[test]
fn texts_that_differ_are_no_repeats() {
    let mut talk = talk(repeats(12, 2));
    for text in ["", "a b", "ab", "abc", "ÄB", "ä c", "straße", "日本"] {
        talk.say_this(say("ann", text)).unwrap();
    }
    for text in [" ", "A  B", "äb", "Ä C", "STRAßE", "日本"] {
        assert_eq!(talk.say_this(say("bob", text)).unwrap_err().code, Code::LoopDetected, "{text:?}");
    }
}

#[test]
fn only_the_last_messages_are_looked_at() {
    let mut talk = talk(repeats(3, 2));
    talk.say_this(say("ann", "yes")).unwrap();
    talk.say("bob").unwrap();
    assert_eq!(talk.say_this(say("ann", "yes")).unwrap_err().code, Code::LoopDetected);
    talk.say("bob").unwrap();
    talk.say_this(say("ann", "yes")).unwrap();
}

#[test]
fn two_that_never_stop_are_slowed_down_and_others_are_not() {
    let mut talk = talk(pairs());
    talk.say("cyd").unwrap();
    for who in ["ann", "bob", "ann", "bob"] {
        talk.say(who).unwrap();
        talk.now += 20;
    }
    for who in ["ann", "bob"] {
        let refusal = talk.say(who).unwrap_err();
        assert_eq!((refusal.code, refusal.retry_after_ms), (Code::LoopDetected, Some(980)));
    }
    let reserve = Reserve { participant: id("ann"), id: id("r"), amounts: Setup::ONE_MESSAGE, lease_ms: 50 };
    assert_eq!(talk.handle(Command::Reserve(reserve)).outcome.unwrap_err().code, Code::LoopDetected);
    talk.say("cyd").unwrap();
    talk.say("ann").unwrap();
}

#[test]
fn two_that_were_slowed_down_go_on_later() {
    let mut talk = talk(pairs());
    for who in ["ann", "bob", "ann", "bob"] {
        talk.say(who).unwrap();
    }
    talk.now += 999;
    assert_eq!(talk.refused("ann"), Code::LoopDetected);
    talk.now += 1;
    talk.say("ann").unwrap();
    talk.say("bob").unwrap();
}

#[test]
fn a_slow_pair_and_one_alone_are_no_loops() {
    let mut slow = talk(pairs());
    for who in ["ann", "bob"].repeat(4) {
        slow.say(who).unwrap();
        slow.now += 34;
    }
    let mut alone = talk(pairs());
    (0..10).for_each(|_| drop(alone.say("ann").unwrap()));
}

#[test]
fn switched_off_it_forgets_and_switched_on_it_begins_anew() {
    let mut talk = talk(repeats(12, 2));
    talk.say_this(say("ann", "yes")).unwrap();
    let loops =
        |rules| Command::Configure(Box::new(SetupChange { loops: Some(rules), ..SetupChange::default() }));
    talk.handle(loops(None)).outcome.unwrap();
    talk.say_this(say("ann", "yes")).unwrap();
    talk.handle(loops(Some(repeats(12, 2)))).outcome.unwrap();
    talk.say_this(say("ann", "yes")).unwrap();
    assert_eq!(talk.say_this(say("ann", "yes")).unwrap_err().code, Code::LoopDetected);
}

#[test]
fn the_memory_is_bounded() {
    let rules = LoopRules { window: 64, pair_messages: 64, ..repeats(64, 64) };
    let mut talk = talk(rules);
    (0..200).for_each(|n| drop(talk.say(&format!("p{}", n % 3)).unwrap()));
    let size = serde_json::to_string(&talk.ledger).unwrap().len();
    assert!(size < 4_500, "{size} bytes");
}
