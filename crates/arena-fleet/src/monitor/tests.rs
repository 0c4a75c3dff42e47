use super::*;
use arena_core::fleet::FaultClass;

fn identity(id: &str) -> Arc<Identity> {
    Arc::new(Identity {
        id: id.to_owned(),
        name: id.to_owned(),
        persona: "guide".to_owned(),
        brain: crate::BrainKind::Scripted,
        world: None,
    })
}

fn channel(bot: &str, topic: &str) -> Subject {
    Subject::Channel { bot: bot.into(), topic: topic.into() }
}

fn down(code: &str, attempt: u32) -> Phase {
    let fault = Fault::new(FaultClass::Network, code, format!("{code} happened"));
    Phase::BackingOff { fault, attempt, after: Duration::from_secs(4) }
}

#[tokio::test(start_paused = true)]
async fn a_bot_whose_channels_are_all_down_is_reconnecting_and_active_again_with_the_first_that_is_back() {
    let monitor = Monitor::default();
    monitor.bot_started(identity("bot-ada"));
    monitor.phase(&channel("bot-ada", "lobby:main"), Phase::Open);
    monitor.phase(&channel("bot-ada", "conversation:c"), Phase::Open);
    monitor.bot_is("bot-ada", BotState::Talking, Some("c"));
    assert_eq!(monitor.totals().active, 1);

    monitor.phase(&channel("bot-ada", "lobby:main"), down("reset", 1));
    let totals = monitor.totals();
    assert_eq!((totals.active, totals.degraded), (1, 1));

    monitor.phase(&channel("bot-ada", "conversation:c"), down("reset", 1));
    let totals = monitor.totals();
    assert_eq!((totals.active, totals.degraded, totals.by_state[&BotState::Reconnecting]), (0, 0, 1));
    assert_eq!(totals.reconnect_attempts, 2);

    monitor.phase(&channel("bot-ada", "conversation:c"), Phase::Open);
    let snapshot = monitor.snapshot();
    assert_eq!((snapshot.totals.active, snapshot.totals.degraded), (1, 1));
    let states: Vec<BotState> = snapshot.bots[0].history.iter().map(|entry| entry.state).collect();
    assert_eq!(states, [BotState::Starting, BotState::Talking, BotState::Reconnecting, BotState::Talking]);
}

#[tokio::test(start_paused = true)]
async fn histories_keep_the_last_sixteen_and_tell_when_and_why() {
    let monitor = Monitor::default();
    let line = Subject::Connection(7);
    for n in 0..100u32 {
        tokio::time::advance(Duration::from_secs(1)).await;
        monitor.phase(&line, if n % 2 == 0 { Phase::Opening } else { down("overloaded", n) });
    }
    let snapshot = monitor.snapshot();
    let report = &snapshot.connections[0].line;
    assert_eq!(report.history.len(), 16);
    assert_eq!((report.phase, report.attempts), (PhaseName::BackingOff, 99));
    assert_eq!(report.since_ms, snapshot.now_ms);
    assert_eq!(report.retry_at_ms, Some(snapshot.now_ms + 4_000));
    let last = report.history.last().unwrap();
    assert_eq!((last.at_ms, last.code.as_deref()), (snapshot.now_ms, Some("overloaded")));
    assert_eq!(report.history[0].at_ms, snapshot.now_ms - 15_000);
    assert_eq!(snapshot.errors[0].count, 50);
}

#[test]
fn an_open_line_has_no_attempts_and_remembers_its_last_failure() {
    let monitor = Monitor::default();
    let line = Subject::Connection(1);
    monitor.phase(&line, down("refused", 3));
    monitor.phase(&line, Phase::Open);
    let report = monitor.snapshot().connections.remove(0).line;
    assert_eq!((report.attempts, report.retry_at_ms), (0, None));
    assert_eq!(report.last_fault.unwrap().code, "refused");
}

#[test]
fn what_is_gone_is_forgotten_and_late_news_of_it_bring_nothing_back() {
    let monitor = Monitor::default();
    monitor.bot_started(identity("bot-ada"));
    monitor.phase(&channel("bot-ada", "lobby:main"), Phase::Open);
    monitor.bot_gone("bot-ada");
    monitor.phase(&channel("bot-ada", "lobby:main"), Phase::Closed);
    monitor.bot_is("bot-ada", BotState::Idle, None);
    monitor.bot_failed("bot-ada", &Fault::new(FaultClass::Protocol, "late", "late"));
    monitor.phase(&Subject::Connection(1), Phase::Open);
    monitor.forget(&Subject::Connection(1));
    let snapshot = monitor.snapshot();
    assert!(snapshot.bots.is_empty() && snapshot.connections.is_empty());
    assert_eq!((snapshot.totals.bots_failed, snapshot.totals.total), (0, 0));
}

#[test]
fn a_snapshot_survives_json() {
    let monitor = Monitor::default();
    monitor.bot_started(identity("bot-ada"));
    monitor.phase(&channel("bot-ada", "lobby:main"), down("reset", 2));
    monitor.phase(&Subject::Connection(1), Phase::Opening);
    monitor.answered(Answered::Join, Duration::from_millis(3));
    monitor.bot_failed("bot-ada", &Fault::new(FaultClass::Protocol, "brain_panicked", "no"));
    let snapshot = monitor.snapshot();
    let json = serde_json::to_string(&snapshot).unwrap();
    assert!(json.contains(r#""response_times":{"connect":{"count":0"#), "{json}");
    let back: MonitorSnapshot = serde_json::from_str(&json).unwrap();
    assert_eq!(back.totals, snapshot.totals);
    assert_eq!(back.bots, snapshot.bots);
    assert_eq!(back.connections, snapshot.connections);
}

/// Bytes on the heap, roughly: what is serialized is about what is kept.
#[test]
fn a_bot_that_fails_for_ever_takes_no_more_memory_than_one_report() {
    let monitor = Monitor::default();
    monitor.bot_started(identity("bot-ada"));
    for n in 0..10_000 {
        for topic in ["lobby:main", "conversation:c", "world:main"] {
            let fault = Fault::new(FaultClass::Network, format!("code-{n}"), "long ".repeat(1_000));
            let phase = Phase::BackingOff { fault, attempt: n, after: Duration::from_secs(1) };
            monitor.phase(&channel("bot-ada", topic), phase);
            monitor.phase(&channel("bot-ada", topic), Phase::Opening);
        }
    }
    let report = monitor.snapshot().bots.remove(0);
    assert!(report.channels.iter().all(|channel| channel.line.history.len() == 16));
    assert!(serde_json::to_vec(&report).unwrap().len() < 8 * 1024);
}

#[tokio::test(start_paused = true)]
async fn the_last_connections_that_ended_are_known_with_their_causes() {
    let monitor = Monitor::default();
    for number in 0..50 {
        let subject = Subject::Connection(number);
        monitor.phase(&subject, Phase::Open);
        monitor.phase(&subject, Phase::Failed(Fault::new(FaultClass::Network, "connection_lost", "reset")));
        monitor.forget(&subject);
    }
    let snapshot = monitor.snapshot();
    assert!(snapshot.connections.is_empty());
    let ended: Vec<_> = snapshot.ended_connections.iter().map(|ended| ended.id).collect();
    assert_eq!(ended, (30..50).collect::<Vec<_>>());
    let last = &snapshot.ended_connections[19].line;
    assert_eq!((last.phase, last.history.len()), (PhaseName::Failed, 2));
    assert_eq!(last.last_fault.as_ref().unwrap().code, "connection_lost");
}
