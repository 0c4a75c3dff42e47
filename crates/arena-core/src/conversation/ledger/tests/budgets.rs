//! Tokens, money, windows, guarantees and shared budgets.

use super::*;

fn tokens(number: u64) -> Amounts {
    Amounts { tokens: number, ..Amounts::default() }
}

fn spend(who: &str, tokens: u64) -> Say {
    Say { tokens, ..say(who, &format!("{tokens} tokens")) }
}

#[test]
fn tokens_that_do_not_fit_charge_nothing_and_what_is_left_is_told() {
    let caps = Caps { tokens: Some(10), ..Caps::default() };
    let mut talk = Talk::new("", Limits { per_participant: caps, ..Limits::default() });
    talk.say_this(spend("ann", 6)).unwrap();
    let refusal = talk.say_this(Say { id: Some(id("m7")), ..spend("ann", 5) }).unwrap_err();
    assert_eq!((refusal.code, refusal.scope), (Code::TokenLimit, Scope::Participant));
    assert_eq!((refusal.limit, refusal.used, refusal.remaining), (Some(10), Some(6), Some(4)));
    assert_eq!((refusal.retry_after_ms, refusal.message_id), (None, Some(id("m7"))));
    assert_eq!(talk.share("ann").budget.used, Amounts { messages: 1, ..tokens(6) });
    talk.say_this(spend("ann", 4)).unwrap();
    assert_eq!(talk.count("participant_blocked"), 1);
    assert_eq!(talk.refused("ann"), Code::TokenLimit, "spent is spent, also for a message without tokens");
    talk.say_this(spend("bob", 10)).unwrap();
}

#[test]
fn of_two_budgets_the_participants_is_checked_first_but_for_messages() {
    let caps = |messages, tokens, cost_micros| Caps { messages, tokens, cost_micros };
    let mut talk = Talk::new(
        "",
        Limits {
            per_participant: caps(None, Some(5), Some(5)),
            total: caps(None, Some(5), Some(5)),
            ..Limits::default()
        },
    );
    let refusal = talk.say_this(Say { cost_micros: 9, ..spend("ann", 9) }).unwrap_err();
    assert_eq!((refusal.code, refusal.scope), (Code::TokenLimit, Scope::Participant));
    talk.say_this(spend("ann", 4)).unwrap();
    let refusal = talk.say_this(spend("bob", 2)).unwrap_err();
    assert_eq!((refusal.code, refusal.scope), (Code::TokenLimit, Scope::Conversation));
    let refusal = talk.say_this(Say { cost_micros: 6, ..spend("bob", 1) }).unwrap_err();
    assert_eq!((refusal.code, refusal.scope), (Code::CostLimit, Scope::Participant));
}

#[test]
fn a_share_that_refills_blocks_until_it_does() {
    let mut talk = Talk::new("ann bob", Limits { refill_every_ms: Some(100), ..limits(1, -1) });
    talk.now += 30;
    talk.say("ann").unwrap();
    let refusal = talk.say("ann").unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after_ms), (Code::ParticipantLimit, Some(70)));
    assert!(!talk.share("ann").exhausted);
    talk.say("bob").unwrap();
    assert_eq!(talk.ledger.exhausted(), None);
    let Some((Entry::Blocked(blocked), _)) = talk.log.last() else { panic!() };
    assert_eq!(blocked.until_ms, Some(Timestamp(1_000_100)));
    talk.now += 69;
    assert_eq!(talk.refused("ann"), Code::ParticipantLimit);
    talk.now += 1;
    assert!(talk.share("ann").may_send);
    assert!(talk.ledger.without_budget(Timestamp(talk.now)).is_empty());
    talk.say("ann").unwrap();
    assert_eq!(talk.count("participant_blocked"), 3, "once in each window");
    assert_eq!(talk.ledger.without_budget(Timestamp(talk.now)), [&id("ann")]);
}

#[test]
fn a_total_that_refills_blocks_once_a_window_and_ends_nothing() {
    let mut talk = Talk::new("ann bob", Limits { refill_every_ms: Some(100), ..limits(-1, 2) });
    for _ in 0..3 {
        talk.say("ann").unwrap();
        talk.say("bob").unwrap();
        let refusal = talk.say("ann").unwrap_err();
        assert_eq!((refusal.code, refusal.retry_after_ms), (Code::TotalLimit, Some(100)));
        talk.now += 100;
    }
    assert_eq!((talk.count("conversation_blocked"), talk.count("exhausted")), (3, 0));
    let handled = talk.handle(Command::End);
    let [Entry::Exhausted(end)] = &handled.entries[..] else { panic!() };
    assert_eq!(end.used.messages, 6, "final counts are of the whole conversation");
}

#[test]
fn what_never_fits_is_not_to_be_tried_again() {
    let total = Caps { tokens: Some(10), ..Caps::default() };
    let mut talk = Talk::new("", Limits { total, refill_every_ms: Some(100), ..Limits::default() });
    assert_eq!(talk.say_this(spend("ann", 11)).unwrap_err().retry_after_ms, None);
    talk.say_this(spend("ann", 5)).unwrap();
    assert_eq!(talk.say_this(spend("ann", 10)).unwrap_err().retry_after_ms, Some(100));
}

#[test]
fn nothing_refills_to_nothing() {
    let talk = Talk::new("ann bob", Limits { refill_every_ms: Some(100), ..limits(0, -1) });
    assert_eq!(talk.ledger.exhausted(), Some(ExhaustedBy::AllParticipantsExhausted));
    let talk = Talk::new("ann bob", Limits { refill_every_ms: Some(100), ..limits(-1, 0) });
    assert_eq!(talk.ledger.exhausted(), Some(ExhaustedBy::TotalLimit));
}

#[test]
fn what_is_blocked_for_good_is_not_said_to_refill() {
    let refilling = |limits| Limits { refill_every_ms: Some(100), ..limits };
    let mut talk = Talk::new("ann bob", refilling(limits(2, -1)));
    talk.say("ann").unwrap();
    let per_participant = Caps { messages: Some(1), tokens: Some(0), cost_micros: None };
    let limits = Some(refilling(Limits { per_participant, ..Limits::default() }));
    let change = SetupChange { limits, ..SetupChange::default() };
    let handled = talk.handle(Command::Configure(Box::new(change)));
    let Entry::Blocked(blocked) = &handled.entries[1] else { panic!("{handled:?}") };
    assert_eq!((blocked.resource, blocked.until_ms), (Resource::Tokens, None));
}

#[test]
fn a_clock_that_goes_back_refills_no_shared_budget() {
    let mut talk = shared(Some(1), None, Some(50));
    talk.now += 120;
    talk.say("ann").unwrap();
    let account = talk.accounts.get_mut(&AccountId::Owner(id("boss"))).unwrap();
    account.turn_to(Timestamp(1_000_060));
    assert_eq!((account.window, account.used.messages), (2, 1));
    account.configure(account.caps, Some(100), Timestamp(1_000_120));
    assert_eq!((account.window, account.used.messages), (1, 1), "counters stay");
}

#[test]
fn a_clock_that_goes_back_refills_nothing() {
    let mut talk = Talk::new("ann bob", Limits { refill_every_ms: Some(100), ..limits(1, -1) });
    talk.now += 250;
    talk.say("ann").unwrap();
    for back in [-100, -200, -1_000_000, i64::MIN / 2] {
        talk.now = 1_000_250 + back;
        assert_eq!(talk.refused("ann"), Code::ParticipantLimit);
    }
    talk.now = i64::MAX;
    talk.say("ann").unwrap();
}

#[test]
fn another_window_length_keeps_what_was_used_in_the_present_one() {
    let mut talk = Talk::new("ann bob", Limits { refill_every_ms: Some(10), ..limits(1, -1) });
    talk.now += 95;
    talk.say("ann").unwrap();
    let limits = Limits { refill_every_ms: Some(1_000), ..limits(1, -1) };
    let change = SetupChange { limits: Some(limits), ..SetupChange::default() };
    talk.handle(Command::Configure(Box::new(change))).outcome.unwrap();
    talk.now += 100;
    assert_eq!(talk.say("ann").unwrap_err().retry_after_ms, Some(805));
    talk.now += 805;
    talk.say("ann").unwrap();
}

#[test]
fn fast_talkers_leave_to_others_what_these_are_sure_of() {
    let sure = |total, sure| Limits { guaranteed_per_participant: sure, ..limits(-1, total) };
    let mut talk = Talk::new("ann bob cyd", sure(7, 2));
    (0..3).for_each(|_| drop(talk.say("ann").unwrap()));
    let refusal = talk.say("ann").unwrap_err();
    assert_eq!((refusal.code, refusal.remaining), (Code::GuaranteedToOthers, Some(4)));
    talk.say("bob").unwrap();
    assert_eq!(talk.refused("ann"), Code::GuaranteedToOthers);
    talk.say("bob").unwrap();
    assert_eq!(talk.refused("bob"), Code::GuaranteedToOthers);
    talk.say("cyd").unwrap();
    talk.say("cyd").unwrap();
    assert_eq!(talk.ledger.exhausted(), Some(ExhaustedBy::TotalLimit));
}

#[test]
fn nothing_is_kept_for_those_who_cannot_speak() {
    let own = Caps { tokens: Some(5), ..Caps::default() };
    let limits = Limits { guaranteed_per_participant: 2, per_participant: own, ..limits(-1, 4) };
    let mut talk = Talk::new("ann bob", limits);
    talk.say_this(spend("bob", 5)).unwrap();
    (0..3).for_each(|_| drop(talk.say("ann").unwrap()));
    assert_eq!(talk.ledger.exhausted(), Some(ExhaustedBy::TotalLimit));
}

fn shared(owner: Option<u64>, tree: Option<u64>, refill: Option<u64>) -> Talk {
    let setup = Setup { owner: Some(id("boss")), ..Setup::default() };
    let mut talk = Talk::of(setup);
    let caps = |messages| Caps { messages, ..Caps::default() };
    let account = |cap| Account::new(caps(cap), refill, Timestamp(1_000_000));
    talk.accounts.insert(AccountId::Owner(id("boss")), account(owner));
    talk.accounts.insert(AccountId::Tree(id("talk")), account(tree));
    talk
}

#[test]
fn a_shared_budget_refuses_and_ends_nothing() {
    let mut talk = shared(Some(1), None, None);
    talk.say("ann").unwrap();
    let refusal = talk.say("ann").unwrap_err();
    assert_eq!((refusal.code, refusal.scope), (Code::TotalLimit, Scope::Owner));
    assert_eq!(talk.events(), ["created", "message"]);
    let owner = talk.accounts.get_mut(&AccountId::Owner(id("boss"))).unwrap();
    owner.configure(Caps { messages: Some(2), ..Caps::default() }, None, Timestamp(talk.now));
    talk.say("ann").unwrap();
    assert_eq!(talk.accounts[&AccountId::Tree(id("talk"))].used.messages, 2);
}

#[test]
fn a_shared_budget_refills() {
    let mut talk = shared(None, Some(1), Some(50));
    talk.say("ann").unwrap();
    talk.now += 20;
    let refusal = talk.say("ann").unwrap_err();
    assert_eq!((refusal.scope, refusal.retry_after_ms), (Scope::Tree, Some(30)));
    talk.now += 30;
    talk.say("ann").unwrap();
    assert_eq!(talk.accounts[&AccountId::Owner(id("boss"))].used.messages, 1);
}

#[test]
fn accounts_are_those_of_the_owner_and_of_the_tree() {
    let talk = shared(None, None, None);
    let names: Vec<String> = talk.ledger.accounts().map(|id| id.to_string()).collect();
    assert_eq!(names, ["owner:boss", "tree:talk"]);
    let under = Setup { root: Some(id("top")), parent: Some(id("mid")), ..Setup::default() };
    let names: Vec<String> = Talk::of(under).ledger.accounts().map(|id| id.to_string()).collect();
    assert_eq!(names, ["tree:top"]);
}

/// Everything speaks against the message; one after the other is taken away.
#[test]
fn budgets_come_before_the_turn_and_the_turn_before_loops() {
    let mut talk = Talk::of(Setup {
        participants: roster("ann bob"),
        limits: Limits { guaranteed_per_participant: 2, ..limits(4, 5) },
        turns: Turns { policy: TurnPolicy::RoundRobin, timeout_ms: None },
        loops: Some(LoopRules { max_repeats: 2, ..LoopRules::default() }),
        owner: Some(id("boss")),
        ..Setup::default()
    });
    let owner = AccountId::Owner(id("boss"));
    talk.accounts.insert(owner.clone(), Account::new(Caps::default(), None, Timestamp(talk.now)));
    for n in 0..3 {
        talk.handle(Command::GiveTurn(id("ann"))).outcome.unwrap();
        talk.say_this(say("ann", &format!("{n}"))).unwrap();
    }
    let again = |talk: &mut Talk| {
        let refusal = talk.say_this(say("ann", "2")).unwrap_err();
        (refusal.code, refusal.scope)
    };
    talk.accounts.get_mut(&owner).unwrap().caps.messages = Some(3);
    assert_eq!(again(&mut talk), (Code::GuaranteedToOthers, Scope::Conversation));
    let total = Amounts { messages: 1, ..Amounts::default() };
    talk.handle(Command::TopUp(TopUp { total, ..TopUp::default() })).outcome.unwrap();
    assert_eq!(again(&mut talk), (Code::TotalLimit, Scope::Owner));
    talk.accounts.get_mut(&owner).unwrap().caps.messages = None;
    assert_eq!(again(&mut talk), (Code::NotYourTurn, Scope::Conversation));
    talk.handle(Command::GiveTurn(id("ann"))).outcome.unwrap();
    assert_eq!(again(&mut talk), (Code::LoopDetected, Scope::Participant));
    talk.say("ann").unwrap();
}

#[test]
fn numbers_at_the_end_of_counting_do_no_harm() {
    let total = Caps { tokens: Some(u64::MAX), ..Caps::default() };
    let mut talk = Talk::new("", Limits { total, ..Limits::default() });
    talk.say_this(spend("ann", u64::MAX - 1)).unwrap();
    assert_eq!(talk.say_this(spend("bob", 2)).unwrap_err().remaining, Some(1));
    talk.say_this(spend("bob", 1)).unwrap();
    assert_eq!(talk.ledger.exhausted(), Some(ExhaustedBy::TokenLimit));
}
