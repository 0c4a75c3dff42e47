//! Parts of budgets that are held while somebody writes.

use super::*;

fn hold(who: &str, name: &str, messages: u64, tokens: u64) -> Reserve {
    let amounts = Amounts { messages, tokens, cost_micros: 0 };
    Reserve { participant: id(who), id: id(name), amounts, lease_ms: 100 }
}

fn paid(who: &str, name: &str, tokens: u64) -> Say {
    Say { tokens, reservation: Some(id(name)), ..say(who, "written at last") }
}

impl Talk {
    fn reserve(&mut self, reserve: Reserve) -> Result<Done, Refusal> {
        self.handle(Command::Reserve(reserve)).outcome
    }
}

fn counted(talk: &Talk) -> (u64, u64) {
    let total = talk.capacity().total;
    (total.used.messages, total.held.messages)
}

#[test]
fn what_is_held_is_not_there_for_others_and_pays_its_message() {
    let mut talk = Talk::new("ann bob", limits(-1, 2));
    talk.reserve(hold("ann", "r1", 1, 0)).unwrap();
    talk.say("bob").unwrap();
    let refusal = talk.say("bob").unwrap_err();
    assert_eq!((refusal.code, refusal.used, refusal.remaining), (Code::TotalLimit, Some(2), Some(0)));
    assert_eq!(refusal.retry_after_ms, Some(100), "when the lease ends, it may be there again");
    assert_eq!(talk.ledger.exhausted(), None, "held is not spent");
    talk.say_this(paid("ann", "r1", 0)).unwrap();
    assert_eq!(counted(&talk), (2, 0));
    assert_eq!(talk.ledger.exhausted(), Some(ExhaustedBy::TotalLimit));
}

#[test]
fn a_release_gives_everything_back_once() {
    let mut talk = Talk::new("ann bob", limits(1, 1));
    talk.reserve(hold("ann", "r1", 1, 0)).unwrap();
    let release = |who: &str| Command::Release { participant: id(who), id: id("r1") };
    assert_eq!(talk.handle(release("bob")).outcome.unwrap_err().code, Code::ReservationNotFound);
    talk.handle(release("ann")).outcome.unwrap();
    assert_eq!(talk.handle(release("ann")).outcome.unwrap_err().code, Code::ReservationNotFound);
    assert_eq!(counted(&talk), (0, 0));
    talk.say("bob").unwrap();
}

#[test]
fn a_lease_that_ends_gives_it_back_by_itself() {
    let mut talk = Talk::new("ann bob", limits(-1, 1));
    let done = talk.reserve(hold("ann", "r1", 1, 0)).unwrap();
    assert_eq!(done.reservation, Some((id("r1"), Timestamp(1_000_100))));
    assert_eq!(talk.ledger.due(), Some(Timestamp(1_000_100)));
    talk.now += 99;
    assert_eq!(talk.refused("bob"), Code::TotalLimit);
    talk.now += 1;
    talk.say("bob").unwrap();
    assert_eq!(talk.events()[2..], ["released", "message", "exhausted"]);
    let Entry::Released(released) = &talk.log[2].0 else { panic!() };
    assert!(released.lapsed);
}

#[test]
fn what_is_due_is_seen_before_it_is_written_down() {
    let mut talk = Talk::new("ann bob", limits(-1, 1));
    talk.reserve(hold("ann", "r1", 1, 0)).unwrap();
    assert!(talk.share("ann").may_send, "by what is held");
    assert!(!talk.share("bob").may_send);
    talk.now += 100;
    assert!(talk.share("ann").may_send && talk.share("bob").may_send);
    assert_eq!(talk.capacity().total.held, Amounts::default());
    assert_eq!(talk.events(), ["created", "reserved"]);
}

#[test]
fn a_message_on_a_lapsed_reservation_is_an_ordinary_one() {
    let mut talk = Talk::new("ann bob", limits(-1, 2));
    talk.reserve(hold("ann", "r1", 1, 0)).unwrap();
    talk.now += 100;
    let handled = talk.handle(Command::Say(paid("ann", "r1", 0)));
    let Some(Entry::Message(message)) = handled.entries.last() else { panic!("{handled:?}") };
    assert_eq!(message.reservation, None);
    assert_eq!(counted(&talk), (1, 0));
}

#[test]
fn nobody_pays_from_what_another_holds() {
    let mut talk = Talk::new("ann bob", limits(-1, 1));
    talk.reserve(hold("ann", "r1", 1, 0)).unwrap();
    assert_eq!(talk.say_this(paid("bob", "r1", 0)).unwrap_err().code, Code::TotalLimit);
    assert_eq!(counted(&talk), (0, 1));
}

#[test]
fn what_costs_more_than_is_held_has_to_fit_into_what_is_left() {
    let total = Caps { tokens: Some(10), ..Caps::default() };
    let mut talk = Talk::new("ann bob", Limits { total, ..Limits::default() });
    talk.reserve(hold("ann", "r1", 1, 4)).unwrap();
    talk.say_this(Say { tokens: 3, ..say("bob", "three") }).unwrap();
    assert_eq!(talk.say_this(paid("ann", "r1", 8)).unwrap_err().remaining, Some(7));
    assert_eq!(counted(&talk), (1, 1), "the reservation stays");
    talk.say_this(paid("ann", "r1", 7)).unwrap();
    assert_eq!(talk.ledger.exhausted(), Some(ExhaustedBy::TokenLimit));
}

#[test]
fn what_costs_less_gives_the_rest_back() {
    let total = Caps { messages: Some(3), tokens: Some(10), ..Caps::default() };
    let mut talk = Talk::new("ann bob", Limits { total, ..Limits::default() });
    talk.reserve(hold("ann", "r1", 2, 10)).unwrap();
    talk.say_this(paid("ann", "r1", 4)).unwrap();
    assert_eq!(
        talk.capacity().total.remaining,
        Caps { messages: Some(2), tokens: Some(6), cost_micros: None }
    );
}

#[test]
fn the_same_reservation_again_is_the_same() {
    let mut talk = Talk::new("ann bob", limits(-1, 1));
    let first = talk.reserve(hold("ann", "r1", 1, 0)).unwrap();
    talk.now += 10;
    let again = talk.reserve(hold("ann", "r1", 1, 0)).unwrap();
    assert_eq!((again.reservation, again.entry), (first.reservation, None));
    for other in [hold("bob", "r1", 1, 0), hold("ann", "r1", 2, 0)] {
        assert_eq!(talk.reserve(other).unwrap_err().code, Code::IdConflict);
    }
    assert_eq!(talk.count("reserved"), 1);
}

#[test]
fn a_reservation_is_refused_like_a_message() {
    let mut talk = Talk::new("ann bob", limits(1, 5));
    assert_eq!(talk.reserve(hold("cyd", "r1", 1, 0)).unwrap_err().code, Code::NotAParticipant);
    assert_eq!(talk.reserve(hold("ann", "r1", 2, 0)).unwrap_err().code, Code::ParticipantLimit);
    talk.reserve(hold("ann", "r1", 1, 0)).unwrap();
    assert_eq!(talk.reserve(hold("ann", "r2", 1, 0)).unwrap_err().code, Code::ParticipantLimit);
    talk.handle(Command::Close).outcome.unwrap();
    assert_eq!(talk.reserve(hold("bob", "r3", 1, 0)).unwrap_err().code, Code::ClosedByModerator);
}

#[test]
fn nonsense_is_not_held() {
    let mut talk = Talk::new("ann bob", Limits::default());
    let bad = [
        hold("ann", "r", 0, 5),
        Reserve { lease_ms: 0, ..hold("ann", "r", 1, 0) },
        Reserve { lease_ms: Reserve::MAX_LEASE_MS + 1, ..hold("ann", "r", 1, 0) },
    ];
    for reserve in bad {
        assert_eq!(talk.reserve(reserve).unwrap_err().code, Code::Invalid);
    }
}

#[test]
fn nobody_holds_so_many_reservations_that_others_can_hold_none() {
    let mut talk = Talk::of(Setup::default());
    (0..8).for_each(|n| drop(talk.reserve(hold("ann", &format!("r{n}"), 1, 0)).unwrap()));
    assert_eq!(talk.reserve(hold("ann", "r8", 1, 0)).unwrap_err().code, Code::Invalid);
    let others = (8..64).map(|n| hold(&format!("p{}", n / 8), &format!("r{n}"), 1, 0));
    others.for_each(|reserve| drop(talk.reserve(reserve).unwrap()));
    assert_eq!(talk.reserve(hold("bob", "more", 1, 0)).unwrap_err().code, Code::Invalid);
}

#[test]
fn leases_lapse_after_the_end_too() {
    let mut talk = Talk::new("ann bob", limits(-1, 5));
    talk.reserve(hold("ann", "r1", 1, 0)).unwrap();
    talk.handle(Command::Close).outcome.unwrap();
    assert_eq!(talk.ledger.due(), Some(Timestamp(1_000_100)));
    talk.now += 100;
    talk.handle(Command::Advance).outcome.unwrap();
    assert_eq!((counted(&talk), talk.ledger.due()), ((0, 0), None));
}

#[test]
fn shared_budgets_hold_and_get_back_the_same() {
    let mut talk = Talk::of(Setup::default());
    let tree = AccountId::Tree(id("talk"));
    talk.reserve(hold("ann", "early", 1, 9)).unwrap();
    let caps = Caps { tokens: Some(10), ..Caps::default() };
    talk.accounts.insert(tree.clone(), Account::new(caps, None, Timestamp(talk.now)));
    talk.reserve(hold("ann", "r1", 1, 6)).unwrap();
    assert_eq!(talk.reserve(hold("bob", "r2", 1, 5)).unwrap_err().scope, Scope::Tree);
    let refusal = talk.say_this(paid("ann", "early", 9)).unwrap_err();
    assert_eq!(refusal.scope, Scope::Tree, "and what was never held there pays for nothing");
    let release = |name| Command::Release { participant: id("ann"), id: id(name) };
    talk.handle(release("early")).outcome.unwrap();
    assert_eq!(talk.accounts[&tree].held.tokens, 6, "what was never held there is not given back");
    talk.say_this(paid("ann", "r1", 10)).unwrap();
    let account = &talk.accounts[&tree];
    assert_eq!((account.used.tokens, account.held), (10, Amounts::default()));
}

#[test]
fn guarantees_hold_against_reservations() {
    let mut talk = Talk::new("ann bob", Limits { guaranteed_per_participant: 2, ..limits(-1, 4) });
    assert_eq!(talk.reserve(hold("ann", "r1", 3, 0)).unwrap_err().code, Code::GuaranteedToOthers);
    talk.reserve(hold("ann", "r1", 2, 0)).unwrap();
    assert_eq!(talk.refused("ann"), Code::GuaranteedToOthers);
    talk.say_this(paid("ann", "r1", 0)).unwrap();
    talk.say("ann").unwrap();
    talk.say("bob").unwrap();
}

#[test]
fn looking_ahead_copies_no_accounts_of_others() {
    let mut talk = Talk::of(Setup { owner: Some(id("boss")), ..Setup::default() });
    for owner in ["boss", "other", "third"] {
        let account = Account::new(Caps::default(), None, Timestamp(talk.now));
        talk.accounts.insert(AccountId::Owner(id(owner)), account);
    }
    talk.reserve(hold("ann", "r1", 1, 0)).unwrap();
    talk.now += 100;
    let seen = talk.ledger.as_of(&talk.accounts, Timestamp(talk.now), |_, accounts, _| accounts.clone());
    let [(AccountId::Owner(owner), account)] = &Vec::from_iter(seen)[..] else { panic!("not its own alone") };
    assert_eq!((owner, account.held), (&id("boss"), Amounts::default()), "what is due was given back");
}

#[test]
fn a_conversation_that_goes_leaves_nothing_held_of_shared_budgets() {
    let mut talk = Talk::of(Setup { owner: Some(id("boss")), ..Setup::default() });
    let others = Amounts { messages: 3, ..Amounts::default() };
    for account in [AccountId::Owner(id("boss")), AccountId::Tree(id("talk"))] {
        let held = Account { held: others, ..Account::new(Caps::default(), None, Timestamp(talk.now)) };
        talk.accounts.insert(account, held);
    }
    talk.reserve(hold("ann", "r1", 1, 5)).unwrap();
    talk.reserve(hold("bob", "r2", 2, 0)).unwrap();
    talk.now += 100;
    talk.ledger.give_back(&mut talk.accounts);
    assert!(talk.accounts.values().all(|account| account.held == others), "{:?}", talk.accounts);
}
