use arena_core::channel::{ChannelKind, Mode, Seats};
use arena_core::health::{ChannelFacts, HealthReport, HealthRules, StateCounts, WorldState};
use serde_json::{Value, json};

fn facts(name: &str, kind: ChannelKind, bots: StateCounts, max_bots: u32, world: WorldState) -> ChannelFacts {
    let name: arena_core::channel::ChannelName = name.parse().unwrap();
    let seats = Seats {
        group: name.split().0,
        name,
        kind,
        region: None,
        mode: Mode::Active,
        max_bots,
        bots: bots.total(),
        players: 0,
    };
    ChannelFacts { seats, bots, world, trouble: None }
}

fn live(live: u32) -> StateCounts {
    StateCounts { live, ..StateCounts::default() }
}

fn valid(world: &str) -> WorldState {
    WorldState::Valid { world: world.parse().unwrap(), lagging: false }
}

/// A report made by the same rules as the server's. `worst` is 0 for all healthy, 1 with a warning, 2 with what
/// is critical too.
pub fn health_report(worst: u8) -> String {
    let mut channels = vec![
        facts("main", ChannelKind::Main, live(12), 30, valid("w-1")),
        facts("vip", ChannelKind::Vip, live(0), 20, WorldState::None),
    ];
    if worst >= 1 {
        let bots = StateCounts { live: 20, failed: 2, backoff: 1, ..StateCounts::default() };
        channels.push(facts("main-2", ChannelKind::Main, bots, 30, valid("w-2")));
        let mut draining = facts("old-town", ChannelKind::Regional, live(3), 30, valid("w-3"));
        draining.seats.mode = Mode::Draining;
        channels.push(draining);
    }
    if worst >= 2 {
        let bots = StateCounts { pending: 30, ..StateCounts::default() };
        channels.push(facts("main-3", ChannelKind::Main, bots, 30, WorldState::Gone));
        let mut host = facts("cup-2026", ChannelKind::Tournament, live(30), 30, valid("w-4"));
        host.world = WorldState::Unknown { detail: "the host did not answer within 5 s".to_owned() };
        host.trouble = Some("timeout".to_owned());
        channels.push(host);
    }
    let report = HealthReport::new(&channels, &HealthRules::default(), Some(98.76));
    serde_json::to_string(&report).unwrap()
}

pub fn channel(name: &str, bots: u32, max_bots: u32) -> Value {
    json!({
        "name": name, "group": "main", "shard": 1, "kind": "MAIN",
        "status": if bots >= max_bots { "FULL" } else { "ACTIVE" }, "region": null, "max_bots": max_bots,
        "bots": bots, "load_percent": f64::from(bots) * 100.0 / f64::from(max_bots), "metadata": {},
        "world": "w-1", "created_at_ms": 1_767_225_599_999_i64, "updated_at_ms": 1_767_225_599_999_i64,
    })
}

pub fn bot(number: u32, name: &str, state: &str) -> Value {
    let backoff = state == "backoff";
    json!({
        "id": format!("0190a3c4-0000-7000-8000-{number:012}"), "name": name, "persona": "Plays piano.",
        "traits": ["shy", "dry-witted"], "home_zone": "casino", "region": null, "channel_kind": "MAIN",
        "channel": "main", "state": state, "reason": backoff.then_some("world is full"),
        "attempt": if backoff { 3 } else { 0 }, "retry_at_ms": backoff.then_some(1_767_225_609_999_i64),
        "world": (state == "live").then_some("w-1"), "created_at_ms": 1_767_225_599_999_i64,
        "changed_at_ms": 1_767_225_599_999_i64,
        "why_not_live": backoff.then_some("attempt 3 failed: world is full; next attempt in 2.5 s"),
    })
}

pub fn conversation(id: &str) -> Value {
    json!({
        "id": id, "participants": ["ada", "bo"],
        "limits": {
            "max_replies_per_participant": 2, "max_total_messages": 5, "max_duration_ms": null,
            "guaranteed_per_participant": 0,
        },
        "turns": {"policy": "round_robin", "timeout_ms": null}, "delivery": "all", "on_refusal": "tell",
        "loops": null, "moderation": null, "owner": "olga", "parent": null, "root": id, "metadata": {"a": 1},
        "exhausted": null, "created_at_ms": 1_767_225_599_999_i64,
    })
}

pub fn receipt(left: Option<u64>) -> Value {
    let amounts = |messages: Option<u64>| json!({"messages": messages, "tokens": null, "cost_micros": null});
    let used = json!({"messages": 3, "tokens": 0, "cost_micros": 0});
    let zero = json!({"messages": 0, "tokens": 0, "cost_micros": 0});
    let total = json!({"limit": amounts(Some(5)), "used": used, "held": zero, "remaining": amounts(left)});
    json!({
        "offset": 7, "epoch": "e", "id": "e:7", "repeated": false, "dropped": null, "notices": [],
        "turn": null, "share": null, "total": total, "exhausted": null, "reservation": null,
    })
}

pub fn line(offset: u64, event: &str, payload: Value) -> Value {
    json!({
        "offset": offset, "epoch": "e", "at_ms": 1_767_225_599_999_i64, "event": event,
        "id": format!("e:{offset}"), "payload": payload,
    })
}

pub fn page(items: &[Value], next_cursor: Option<&str>) -> String {
    json!({"items": items, "next_cursor": next_cursor}).to_string()
}

pub fn reset(applied: bool) -> String {
    json!({
        "channels": [
            {"channel": "main", "world": "w-1", "bots": 24, "failed": 0},
            {"channel": "main-2", "world": null, "bots": 7, "failed": 5},
        ],
        "applied": applied,
    })
    .to_string()
}

pub fn problem(status: u16, code: &str, detail: &str) -> String {
    json!({
        "type": "about:blank", "title": "No", "status": status, "code": code, "detail": detail,
        "retryable": status >= 500, "request_id": "0190a3c4",
    })
    .to_string()
}

/// A fleet of three bots, as `GET /api/fleet/stats` tells of it.
pub fn fleet(healthy: bool) -> Value {
    let now = 1_767_225_599_999_u64;
    let fault = json!({
        "class": "rate_limit", "code": "ConnectionRateLimitReached", "detail": "Too many connected users",
        "retry_after_ms": 2_000, "at_ms": now - 90_000,
    });
    let line = |phase: &str| {
        json!({
            "topic": "lobby:main", "phase": phase, "since_ms": now - 5_000, "attempts": 0, "retry_at_ms": null,
            "last_fault": null, "history": [{"at_ms": now - 5_000, "phase": phase}],
        })
    };
    let bot = |id: &str, name: &str, state: &str, conversation: Option<&str>, channels: Value| {
        json!({
            "id": id, "name": name, "persona": "host", "brain": "scripted", "state": state,
            "since_ms": now - 125_000, "started_at_ms": now - 400_000, "degraded": false,
            "conversation": conversation, "attempts": 0, "last_fault": null, "channels": channels, "history": [],
        })
    };
    let mut away = bot("bot-cy", "Cy", "reconnecting", None, json!([line("backing_off")]));
    away["attempts"] = json!(3);
    away["last_fault"] = fault.clone();
    let times = |count: u64| json!({"count": count, "sum_ms": 20.0, "p50_ms": 1.25, "p95_ms": 8.0, "p99_ms": 12.5, "buckets": []});
    let reasons = if healthy { json!([]) } else { json!(["1 of 3 bots is active, older than a minute"]) };
    json!({
        "health": {"healthy": healthy, "reasons": reasons},
        "instance": "f-1", "started_at_ms": now - 400_000, "now_ms": now,
        "manager": {
            "mode": "running", "target": 3, "pinned": null, "min": 3, "max": 15, "target_percent": 30,
            "starts_waiting": 1, "start_gap_ms": 6_500, "ticks": 7, "last_tick_ms": now - 1_000,
            "maintenance_every_ms": 60_000, "cooling": 0, "taken_elsewhere": 0,
            "lobby": {
                "topic": "lobby:main", "joined": true, "humans": 4, "own_bots": 2, "other_bots": 0,
                "occupancy": false,
            },
        },
        "pool": {
            "connections": 2, "waiting": 1, "connecting": 0, "channels": 4, "supervised": 4, "breaker": "closed", "connects_per_sec": 12.5, "joins_per_sec": 100.0, "halted": null,
        },
        "totals": {
            "total": 3, "active": 2, "failed": 0, "degraded": 0,
            "by_state": {"starting": 0, "idle": 1, "talking": 1, "leaving": 0, "reconnecting": 1, "failed": 0},
            "connections": {"open": 2, "backing_off": 1}, "channels": {"open": 3, "backing_off": 1},
            "reconnect_attempts": 1_234, "bots_failed": 1,
        },
        "response_times": {"connect": times(5), "join": times(12), "push": times(0), "heartbeat": times(1_000)},
        "errors": [{
            "class": "rate_limit", "code": "ConnectionRateLimitReached", "count": 17, "first_seen_ms": now - 300_000,
            "last_seen_ms": now - 90_000, "sample": "Too many connected users",
        }],
        "connections": [],
        "bots": [
            bot("bot-ada", "Ada", "idle", None, json!([line("open")])),
            bot("bot-bo", "Bo", "talking", Some("tea"), json!([line("open"), line("open")])),
            away,
        ],
    })
}
