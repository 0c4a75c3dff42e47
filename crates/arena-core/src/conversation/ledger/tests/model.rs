//! Random commands at random times, beside a model that knows nothing but sums.
//!
//! The model is told what was let through, never why; it then checks what must hold whatever the rules decided: no cap
//! is ever passed, every end is told once, refusals leave no trace, what is held is what was held and not given back,
//! and the log makes the same ledger from any checkpoint.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const WHO: [&str; 5] = ["ann", "bob", "cyd", "dan", "eve"];

#[derive(Debug, Clone)]
enum Step {
    Say { who: usize, tokens: u64, cost: u64, text: u8, reservation: Option<u8> },
    System,
    Reserve { who: usize, name: u8, messages: u64, tokens: u64, lease: u64 },
    Release { who: usize, name: u8 },
    Add(usize),
    Remove(usize),
    Limits(Limits),
    Turns(Turns),
    TopUp(TopUp),
    Give(usize),
    Close,
    End,
    Reopen,
    Advance,
}

fn cap(most: u64) -> impl Strategy<Value = Option<u64>> {
    prop_oneof![3 => Just(None), 1 => Just(Some(0)), 8 => (1..=most).prop_map(Some)]
}

fn caps(messages: u64) -> impl Strategy<Value = Caps> {
    let rare = |most| prop_oneof![3 => Just(None), 1 => cap(most)];
    (cap(messages), rare(30), rare(30)).prop_map(|(messages, tokens, cost_micros)| Caps {
        messages,
        tokens,
        cost_micros,
    })
}

fn some_limits() -> impl Strategy<Value = Limits> {
    let ms = |most: u64| prop_oneof![3 => Just(None), 1 => (1..=most).prop_map(Some)];
    (caps(6), caps(15), ms(4_000), ms(1_000), 0..3u64, ms(800)).prop_map(
        |(
            per_participant,
            total,
            max_duration_ms,
            idle_timeout_ms,
            guaranteed_per_participant,
            refill_every_ms,
        )| Limits {
            per_participant,
            total,
            max_duration_ms,
            idle_timeout_ms,
            guaranteed_per_participant,
            refill_every_ms,
        },
    )
}

fn some_turns() -> impl Strategy<Value = Turns> {
    use TurnPolicy::*;
    let policy = prop_oneof![
        3 => Just(Free), 1 => Just(RoundRobin), 1 => Just(LeastSpokenFirst), 1 => Just(MentionFirst), 1 => Just(Moderator)
    ];
    let timeout = prop_oneof![Just(None), (1..300u64).prop_map(Some)];
    (policy, timeout).prop_map(|(policy, timeout_ms)| Turns { policy, timeout_ms })
}

fn amounts(messages: u64) -> impl Strategy<Value = Amounts> {
    (0..=messages, 0..6u64, 0..6u64).prop_map(|(messages, tokens, cost_micros)| Amounts {
        messages,
        tokens,
        cost_micros,
    })
}

fn top_up() -> impl Strategy<Value = TopUp> {
    let messages = |most: u64| (0..=most).prop_map(|messages| Amounts { messages, ..Amounts::default() });
    let total = prop_oneof![2 => messages(4), 1 => amounts(4)];
    let own = proptest::collection::vec((0..WHO.len(), messages(2)), 0..2);
    (total, messages(1), own, 0..500u64).prop_map(|(total, per_participant, own, duration_ms)| TopUp {
        total,
        per_participant,
        participants: own.into_iter().map(|(who, amounts)| (id(WHO[who]), amounts)).collect(),
        duration_ms: if duration_ms < 250 { 0 } else { duration_ms },
    })
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..WHO.len();
    let said = (who(), 0..8u64, 0..8u64, 0..6u8, proptest::option::weighted(0.3, 0..4u8));
    prop_oneof![
        24 => said.prop_map(|(who, tokens, cost, text, reservation)| Step::Say { who, tokens, cost, text, reservation }),
        1 => Just(Step::System),
        5 => (who(), 0..4u8, 0..3u64, 0..8u64, 1..400u64)
            .prop_map(|(who, name, messages, tokens, lease)| Step::Reserve { who, name, messages, tokens, lease }),
        2 => (who(), 0..4u8).prop_map(|(who, name)| Step::Release { who, name }),
        1 => who().prop_map(Step::Add),
        1 => who().prop_map(Step::Remove),
        1 => some_limits().prop_map(Step::Limits),
        1 => some_turns().prop_map(Step::Turns),
        4 => top_up().prop_map(Step::TopUp),
        2 => who().prop_map(Step::Give),
        1 => Just(Step::Close),
        1 => Just(Step::End),
        2 => Just(Step::Reopen),
        2 => Just(Step::Advance),
    ]
}

/// The clock goes on by so much, now and then a little back.
fn pause() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 0..60i64, 2 => 60..500i64, 1 => -100..0i64]
}

fn setup() -> impl Strategy<Value = Setup> {
    let loops = proptest::option::weighted(0.3, Just(LoopRules { pair_messages: 6, ..LoopRules::default() }));
    (0..4usize, some_limits(), some_turns(), loops).prop_map(|(many, mut limits, mut turns, loops)| {
        if many == 0 {
            turns.policy = TurnPolicy::Free;
        }
        let room = limits.total.messages.unwrap_or(0) / (many as u64).max(1) * u64::from(many > 0);
        let own = limits.per_participant.messages.unwrap_or(u64::MAX);
        limits.guaranteed_per_participant = limits.guaranteed_per_participant.min(room).min(own);
        let participants = WHO[..many].iter().map(|who| id(who)).collect();
        Setup { participants, limits, turns, loops, owner: Some(id("boss")), ..Setup::default() }
    })
}

fn command(step: &Step) -> Command {
    let change = |change| Command::Configure(Box::new(change));
    let reservation = |name: &u8| id(&format!("r{name}"));
    match step {
        Step::Say { who, tokens, cost, text, reservation: paid } => Command::Say(Say {
            tokens: *tokens,
            cost_micros: *cost,
            reservation: paid.as_ref().map(reservation),
            ..say(WHO[*who], &format!("well, @{} {}", WHO[*text as usize % 5], text / 2))
        }),
        Step::System => Command::SaySystem { id: None, text: "note".into(), data: None },
        Step::Reserve { who, name, messages, tokens, lease } => Command::Reserve(Reserve {
            participant: id(WHO[*who]),
            id: reservation(name),
            amounts: Amounts { messages: *messages, tokens: *tokens, cost_micros: 0 },
            lease_ms: *lease,
        }),
        Step::Release { who, name } => Command::Release { participant: id(WHO[*who]), id: reservation(name) },
        Step::Add(who) => Command::AddParticipant(id(WHO[*who])),
        Step::Remove(who) => Command::RemoveParticipant(id(WHO[*who])),
        Step::Limits(limits) => {
            change(SetupChange { limits: Some(limits.clone()), ..SetupChange::default() })
        }
        Step::Turns(turns) => change(SetupChange { turns: Some(turns.clone()), ..SetupChange::default() }),
        Step::TopUp(by) => Command::TopUp(by.clone()),
        Step::Give(who) => Command::GiveTurn(id(WHO[*who])),
        Step::Close => Command::Close,
        Step::End => Command::End,
        Step::Reopen => Command::Reopen,
        Step::Advance => Command::Advance,
    }
}

/// Sums, by the log alone.
#[derive(Default)]
struct Model {
    created: i64,
    now: i64,
    /// When the last entry was written: time never goes back behind it.
    written: i64,
    refill: Option<i64>,
    /// Whose messages were charged what, and when.
    charged: Vec<(ParticipantId, Amounts, i64)>,
    /// What was charged before the window's length was changed counts from here on.
    since: i64,
    held: BTreeMap<ReservationId, (ParticipantId, Amounts, i64)>,
    ended: bool,
}

impl Model {
    fn window_began(&self) -> i64 {
        match self.refill {
            Some(every) => self.created + (self.now - self.created) / every * every,
            None => self.since,
        }
    }

    fn used(&self, who: Option<&ParticipantId>) -> Amounts {
        let from = self.window_began();
        let mine = |(author, _, at): &&(ParticipantId, Amounts, i64)| {
            who.is_none_or(|who| who == author) && *at >= from
        };
        self.charged.iter().filter(mine).fold(Amounts::default(), |sum, (_, cost, _)| sum.plus(*cost))
    }

    fn held(&self, who: Option<&ParticipantId>) -> Amounts {
        let mine = self.held.values().filter(|(holder, ..)| who.is_none_or(|who| who == holder));
        mine.fold(Amounts::default(), |sum, (_, amounts, _)| sum.plus(*amounts))
    }

    fn add(&mut self, entry: &Entry) {
        self.written = self.now;
        match entry {
            Entry::Message(message) => {
                assert!(!self.ended, "said after the end");
                if let Some(name) = &message.reservation {
                    let (holder, _, until) = self.held.remove(name).expect("it was held");
                    assert!(holder == message.author && until > self.now, "not theirs, or lapsed");
                }
                self.charged.push((message.author.clone(), message.cost(), self.now));
            }
            Entry::System(_) => assert!(!self.ended, "said after the end"),
            Entry::Reserved(reserved) => {
                assert!(!self.ended, "reserved after the end");
                let held = (reserved.participant.clone(), reserved.amounts, reserved.until_ms.0);
                assert!(self.held.insert(reserved.id.clone(), held).is_none(), "held twice");
            }
            Entry::Released(released) => {
                let (_, _, until) = self.held.remove(&released.id).expect("it was held");
                assert_eq!(released.lapsed, until <= self.now);
            }
            Entry::Exhausted(end) => {
                assert!(!std::mem::replace(&mut self.ended, true), "two ends and nothing between");
                let all = self.charged.iter().fold(Amounts::default(), |sum, (_, cost, _)| sum.plus(*cost));
                assert_eq!(end.used, all, "final counts are of everything");
                let each =
                    end.participants.iter().fold(Amounts::default(), |sum, count| sum.plus(count.used));
                assert_eq!(each, all);
            }
            Entry::Reopened => assert!(std::mem::replace(&mut self.ended, false), "opened twice"),
            _ => {}
        }
    }
}

fn within(caps: Caps, used: Amounts) -> bool {
    caps.refuses(used, Amounts::default()).is_none()
}

/// One run: how far it came is for the caller to look at.
struct Run {
    talk: Talk,
    model: Model,
    /// Limits were replaced, so that more may be used than is allowed now.
    lowered: bool,
    /// The length of windows was changed, so that sums by the clock say nothing any more.
    rewound: bool,
    /// Somebody came late or was given more: they are sure of no more than what was left then.
    late: bool,
    checkpoint: Option<(String, usize)>,
}

impl Run {
    fn new(setup: Setup, shared: Caps) -> Run {
        let mut talk = Talk::of(setup);
        let account = Account::new(shared, None, Timestamp(talk.now));
        talk.accounts.insert(AccountId::Owner(id("boss")), account);
        let mut model = Model { created: talk.now, now: talk.now, ..Model::default() };
        talk.log.iter().for_each(|(entry, _)| model.add(entry));
        Run { talk, model, lowered: false, rewound: false, late: false, checkpoint: None }
    }

    fn step(&mut self, step: &Step, pause: i64) {
        self.talk.now += pause;
        self.model.now = self.talk.now.max(self.model.written);
        self.model.refill = self.refill();
        let command = command(step);
        if let Command::Say(say) = &command {
            self.foresees(say);
        }
        let before = self.talk.ledger.clone();
        let handled =
            self.talk.ledger.handle(&command, "op", &mut self.talk.accounts, Timestamp(self.talk.now));
        handled.entries.iter().for_each(|entry| self.model.add(entry));
        if handled.entries.is_empty() {
            assert_eq!(self.talk.ledger, before, "nothing was written, so nothing may have changed");
        }
        if let (Err(refusal), Command::Say(_)) = (&handled.outcome, &command) {
            assert!(!handled.entries.iter().any(|entry| matches!(entry, Entry::Message(_))), "{refusal:?}");
        }
        if matches!(step, Step::Limits(_)) && handled.outcome.is_ok() {
            self.lowered = true;
            self.rewound |= self.refill() != self.model.refill;
        }
        if let (
            Ok(Done { entry: Some(_), .. }),
            Command::Say(Say { author, .. }) | Command::Reserve(Reserve { participant: author, .. }),
        ) = (&handled.outcome, &command)
        {
            self.fitted(author);
        }
        self.late |= matches!(step, Step::Add(_) | Step::TopUp(_));
        let at = Timestamp(self.talk.now);
        self.talk.log.extend(handled.entries.into_iter().map(|entry| (entry, at)));
        self.holds();
    }

    /// Whatever was lowered before: what was let through fitted into what there was.
    fn fitted(&self, author: &ParticipantId) {
        let now = Timestamp(self.talk.now);
        let share = self.talk.ledger.share(author, &self.talk.accounts, now).budget;
        let total = self.talk.capacity().total;
        for budget in [share, total] {
            assert!(within(budget.limit, budget.used.plus(budget.held)), "a cap was passed: {budget:?}");
        }
    }

    fn refill(&self) -> Option<i64> {
        self.talk.ledger.setup().limits.refill_every_ms.map(|every| i64::try_from(every).unwrap())
    }

    /// What is foreseen for a message is what comes of it.
    fn foresees(&self, say: &Say) {
        let now = Timestamp(self.talk.now);
        let (mut ledger, mut accounts) = (self.talk.ledger.clone(), self.talk.accounts.clone());
        let foreseen = ledger.check(say, &accounts, now);
        let outcome = ledger.handle(&Command::Say(say.clone()), "op", &mut accounts, now).outcome;
        assert_eq!(foreseen, outcome.map(drop));
    }

    /// What must hold after every step.
    fn holds(&mut self) {
        let ledger = &self.talk.ledger;
        assert_eq!(ledger.position(), self.talk.log.len() as u64);
        assert_eq!(ledger.exhausted().is_some(), self.model.ended);
        self.adds_up();
        let account = &self.talk.accounts[&AccountId::Owner(id("boss"))];
        let everything =
            self.model.charged.iter().fold(Amounts::default(), |sum, (_, cost, _)| sum.plus(*cost));
        assert_eq!((account.used, account.held), (everything, self.model.held(None)));
        assert!(within(account.caps, account.used.plus(account.held)), "a shared cap is passed");
        let capacity = self.talk.capacity();
        assert_eq!(capacity.total.held, self.model.held(None));
        for share in &capacity.participants {
            assert_eq!(share.budget.held, self.model.held(Some(&share.participant)));
        }
        if self.rewound {
            return;
        }
        assert_eq!(capacity.total.used, self.model.used(None));
        for share in &capacity.participants {
            assert_eq!(share.budget.used, self.model.used(Some(&share.participant)));
            assert!(!share.may_send || !capacity.exhausted);
        }
        if self.lowered {
            return;
        }
        assert!(
            within(capacity.total.limit, capacity.total.used.plus(capacity.total.held)),
            "the total is passed"
        );
        for share in &capacity.participants {
            let taken = share.budget.used.plus(share.budget.held);
            assert!(within(share.budget.limit, taken), "a share is passed: {share:?}");
        }
        self.keeps_promises(&capacity);
    }

    /// What is kept of sums is what adding up gives.
    fn adds_up(&self) {
        let mut ledger = self.talk.ledger.clone();
        ledger.add_up_owed();
        assert_eq!(ledger, self.talk.ledger);
    }

    /// Whoever is sure of messages finds them.
    fn keeps_promises(&self, capacity: &Capacity) {
        if self.late {
            return;
        }
        let sure = self.talk.ledger.setup().limits.guaranteed_per_participant;
        let Some(left) = capacity.total.remaining.messages.filter(|_| sure > 0) else { return };
        let roster = &self.talk.ledger.setup().participants;
        let shares = capacity.participants.iter().filter(|share| roster.contains(&share.participant));
        let unmet = |share: &Share| {
            let taken = share.budget.used.plus(share.budget.held);
            let spent = share.budget.limit.reached(share.budget.used).is_some();
            if spent { 0 } else { sure.saturating_sub(taken.messages) }
        };
        let unmet: u64 = shares.map(unmet).sum();
        assert!(left >= unmet, "{left} are left of {unmet} that were promised");
    }

    /// The log makes the same ledger: from the start, and from a checkpoint.
    fn replays(&self) {
        self.talk.replay();
        let Some((json, at)) = &self.checkpoint else { return };
        let mut again: Ledger = serde_json::from_str(json).unwrap();
        for (entry, at) in &self.talk.log[*at..] {
            again.apply(&Entry::read(entry.event(), &entry.body()).unwrap(), *at);
        }
        assert_eq!(again, self.talk.ledger);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_the_books_are_right(
        setup in setup(),
        shared in caps(25),
        steps in proptest::collection::vec((step(), pause()), 1..80),
        checkpoint in 0..80usize,
    ) {
        let mut run = Run::new(setup, shared);
        for (n, (step, pause)) in steps.iter().enumerate() {
            if n == checkpoint {
                run.checkpoint = Some((serde_json::to_string(&run.talk.ledger).unwrap(), run.talk.log.len()));
            }
            run.step(step, *pause);
        }
        run.replays();
        // When every lease has ended, nothing is held by anybody.
        run.step(&Step::Advance, 10_000);
        prop_assert_eq!(run.talk.capacity().total.held, Amounts::default());
        prop_assert_eq!(run.talk.accounts[&AccountId::Owner(id("boss"))].held, Amounts::default());
    }
}
