use super::{Helm, NotSent, Report, Sent, absent, router, standalone};
use crate::brain::ModelStats;
use crate::monitor::{
    Answered, BotReport, BotState, ErrorPattern, Monitor, MonitorSnapshot, PhaseName, Totals,
};
use crate::stats::{Breaker, FleetStats, Health, LobbyReport, ManagerReport, Mode, PoolReport};
use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::ServiceExt;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A fleet that says what it is told to say, and keeps what it was told to do.
#[derive(Default)]
struct Scripted {
    told: Mutex<Vec<String>>,
    reasons: Vec<String>,
}

impl Scripted {
    fn tell(&self, what: impl Into<String>) {
        self.told.lock().unwrap().push(what.into());
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.told.lock().unwrap())
    }
}

#[async_trait]
impl Helm for Scripted {
    fn stats(&self, each: bool) -> FleetStats {
        let mut stats = stats();
        if !each {
            stats.monitor.bots.clear();
        }
        stats
    }

    fn health(&self) -> Health {
        Health { healthy: self.reasons.is_empty(), reasons: self.reasons.clone() }
    }

    fn pause(&self) {
        self.tell("pause");
    }

    fn resume(&self) {
        self.tell("resume");
    }

    fn drain(&self) {
        self.tell("drain");
    }

    fn scale(&self, bots: Option<usize>) {
        self.tell(format!("scale {bots:?}"));
    }

    async fn talk(&self, conversation: &str, bot: Option<&str>) -> Result<Sent, NotSent> {
        self.tell(format!("talk {conversation} {bot:?}"));
        match bot {
            None => Err(NotSent::NobodyIdle),
            Some("bot-ada") => Ok(Sent { bot: "bot-ada".to_owned(), name: "Ada".to_owned() }),
            Some("bot-bo") => {
                Err(NotSent::Busy { bot: "bot-bo".to_owned(), why: "is in a conversation".to_owned() })
            }
            Some("bot-cy") => {
                Err(NotSent::Refused { code: "conversation_gone".to_owned(), detail: "no `tea`".to_owned() })
            }
            Some(other) => Err(NotSent::Unknown(other.to_owned())),
        }
    }
}

fn stats() -> FleetStats {
    let snapshot: MonitorSnapshot = {
        let monitor = Monitor::default();
        monitor.answered(Answered::Join, Duration::from_millis(3));
        monitor.snapshot()
    };
    let bot = BotReport {
        id: "bot-ada".to_owned(),
        name: "Ada".to_owned(),
        persona: "host".to_owned(),
        brain: crate::BrainKind::Scripted,
        state: BotState::Idle,
        since_ms: 1,
        started_at_ms: 1,
        degraded: false,
        conversation: None,
        attempts: 0,
        last_fault: None,
        channels: Vec::new(),
        history: Vec::new(),
    };
    let error = |code: &str, sample: &str| ErrorPattern {
        class: "rate_limit".to_owned(),
        code: code.to_owned(),
        count: 2,
        first_seen_ms: 1,
        last_seen_ms: 2,
        sample: sample.to_owned(),
    };
    FleetStats {
        instance: "f-1".to_owned(),
        started_at_ms: 1_500,
        manager: ManagerReport {
            mode: Mode::Running,
            target: 3,
            pinned: None,
            min: 3,
            max: 15,
            target_percent: 30,
            starts_waiting: 1,
            start_gap_ms: 6_500,
            ticks: 7,
            last_tick_ms: Some(2_000),
            maintenance_every_ms: 60_000,
            behind: None,
            cooling: 0,
            taken_elsewhere: 0,
            lobby: LobbyReport { joined: true, humans: 4, ..LobbyReport::default() },
        },
        pool: PoolReport { breaker: Breaker::HalfOpen, connects_per_sec: 12.5, ..PoolReport::default() },
        model: Some(ModelStats { up: true, tokens: 17, ..ModelStats::default() }),
        monitor: MonitorSnapshot {
            totals: Totals {
                total: 3,
                active: 2,
                by_state: [(BotState::Idle, 2), (BotState::Starting, 1)].into(),
                connections: [(PhaseName::Open, 2)].into(),
                ..Totals::default()
            },
            errors: vec![error("Too\"Many\\\n", "one"), error("Too\"Many\\\n", "two")],
            bots: vec![bot],
            ..snapshot
        },
    }
}

struct Answer {
    status: u16,
    head: axum::http::HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// Status and code of a refusal, which must be a problem with an id.
    fn problem(&self) -> (u16, String) {
        assert_eq!(self.head["content-type"], "application/problem+json", "{}", self.text);
        let json = self.json();
        assert_eq!(json["status"], self.status);
        assert_eq!(json["request_id"].as_str().unwrap(), self.head["x-request-id"].to_str().unwrap());
        (self.status, json["code"].as_str().unwrap().to_owned())
    }
}

async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (status, head) = (response.status().as_u16(), response.headers().clone());
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    Answer { status, head, text: String::from_utf8(bytes.to_vec()).unwrap() }
}

async fn get(router: &Router, path: &str) -> Answer {
    send(router, Request::get(path).body(Body::empty()).unwrap()).await
}

async fn post(router: &Router, path: &str, body: impl Into<String>) -> Answer {
    let body: String = body.into();
    let request = Request::post(path).header("content-type", "application/json");
    send(router, request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn a_report_is_given_with_its_bots_or_without() {
    let router = router(Arc::new(Scripted::default()));
    let whole = get(&router, "/api/fleet/stats").await;
    assert_eq!((whole.status, whole.json()["manager"]["target"].clone()), (200, json!(3)));
    let parsed: Report = serde_json::from_str(&whole.text).unwrap();
    assert_eq!((parsed.stats.monitor.bots.len(), parsed.stats.monitor.totals.total), (1, 3));
    assert!(parsed.health.healthy);
    let short = get(&router, "/api/fleet/stats?bots=false").await;
    assert_eq!(short.json()["bots"], json!([]));
    let wrong = get(&router, "/api/fleet/stats?bot=false").await;
    assert_eq!(wrong.problem(), (400, "invalid_query".to_owned()));
}

#[tokio::test]
async fn health_is_that_of_the_work_and_says_what_is_wrong() {
    let well = get(&standalone(Arc::new(Scripted::default()), LOOPBACK), "/healthz").await;
    assert_eq!((well.status, well.json()), (200, json!({"healthy": true, "reasons": []})));
    let ill = Scripted { reasons: vec!["the manager has not looked".to_owned()], ..Scripted::default() };
    let ill = get(&standalone(Arc::new(ill), LOOPBACK), "/api/fleet/healthz").await;
    assert_eq!(ill.status, 503);
    assert_eq!(ill.json(), json!({"healthy": false, "reasons": ["the manager has not looked"]}));
}

#[tokio::test]
async fn orders_reach_the_fleet_and_are_answered_with_how_it_is() {
    let helm = Arc::new(Scripted::default());
    let router = standalone(helm.clone(), LOOPBACK);
    for (path, body, told) in [
        ("/pause", "", "pause"),
        ("/resume", "{}", "resume"),
        ("/api/fleet/drain", "", "drain"),
        ("/scale", r#"{"count": 7}"#, "scale Some(7)"),
        ("/scale", r#"{"count": "auto"}"#, "scale None"),
    ] {
        let answer = post(&router, path, body).await;
        assert_eq!((answer.status, answer.json()["mode"].clone()), (200, json!("running")), "{path}");
        assert_eq!(helm.told(), [told]);
    }
    let sent = post(&router, "/talks", r#"{"conversation": "tea", "bot": "bot-ada"}"#).await;
    let expected = json!({"conversation": "tea", "bot": "bot-ada", "name": "Ada"});
    assert_eq!((sent.status, sent.json()), (200, expected));
}

#[tokio::test]
async fn bots_that_cannot_talk_are_refused_by_code() {
    let router = standalone(Arc::new(Scripted::default()), LOOPBACK);
    let anybody = post(&router, "/talks", r#"{"conversation": "tea"}"#).await;
    assert_eq!(anybody.problem(), (503, "no_idle_bot".to_owned()));
    assert_eq!(
        (&anybody.head["retry-after"], &anybody.json()["retryable"]),
        (&"5".parse().unwrap(), &json!(true))
    );
    for (bot, status, code) in [
        ("bot-bo", 409, "bot_busy"),
        ("bot-cy", 409, "conversation_gone"),
        ("bot-di", 404, "bot_not_running"),
    ] {
        let body = json!({"conversation": "tea", "bot": bot}).to_string();
        assert_eq!(post(&router, "/talks", body).await.problem(), (status, code.to_owned()));
    }
}

#[tokio::test]
async fn what_is_no_order_reaches_nobody() {
    let helm = Arc::new(Scripted::default());
    let router = standalone(helm.clone(), LOOPBACK);
    let long = json!({"conversation": "x".repeat(201)}).to_string();
    for (path, body, status, code) in [
        ("/scale", "", 400, "malformed_json"),
        ("/scale", "{", 400, "malformed_json"),
        ("/scale", "{}", 422, "invalid_body"),
        ("/scale", r#"{"count": -1}"#, 422, "invalid_body"),
        ("/scale", r#"{"count": 100001}"#, 422, "invalid_body"),
        ("/scale", r#"{"count": "many"}"#, 422, "invalid_body"),
        ("/scale", r#"{"count": 1, "of": 2}"#, 422, "invalid_body"),
        ("/pause", r#"{"for": "ever"}"#, 422, "invalid_body"),
        ("/talks", r#"{"conversation": ""}"#, 422, "invalid_body"),
        ("/talks", r#"{"conversation": "a\u0007b"}"#, 422, "invalid_body"),
        ("/talks", long.as_str(), 422, "invalid_body"),
        ("/stop", "", 404, "no_such_route"),
    ] {
        assert_eq!(post(&router, path, body).await.problem(), (status, code.to_owned()), "{path} {body}");
    }
    let large = post(&router, "/talks", " ".repeat(20_000)).await;
    assert_eq!(large.problem(), (413, "body_too_large".to_owned()));
    let text = send(&router, Request::post("/scale").body(Body::from(r#"{"count": 1}"#)).unwrap()).await;
    assert_eq!(text.problem(), (415, "unsupported_media_type".to_owned()));
    let wrong = get(&router, "/pause").await;
    assert_eq!(wrong.problem(), (405, "method_not_allowed".to_owned()));
    assert_eq!(wrong.head["allow"], "POST");
    assert!(helm.told().is_empty());
}

#[tokio::test]
async fn pages_of_other_sites_command_nobody() {
    let helm = Arc::new(Scripted::default());
    let router = standalone(helm.clone(), LOOPBACK);
    for (origin, status) in [("http://elsewhere.example", 403), ("null", 403), ("http://127.0.0.1:7710", 200)]
    {
        let request = Request::post("/pause").header("origin", origin).header("host", "127.0.0.1:7710");
        let answer = send(&router, request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, status, "{origin}");
    }
    assert_eq!(helm.told(), ["pause"]);
}

#[tokio::test]
async fn a_name_that_was_made_to_point_here_opens_nothing_on_loopback() {
    let helm = Arc::new(Scripted::default());
    let request = |router: Router, method: &'static str, path: &'static str, host: &'static str| async move {
        let request = Request::builder().method(method).uri(path).header("host", host);
        let request = request.header("origin", format!("http://{host}"));
        send(&router, request.body(Body::empty()).unwrap()).await.status
    };
    for path in ["/stats", "/metrics", "/healthz", "/api/fleet/stats", "/nowhere"] {
        for host in
            ["evil.example:7710", "evil.example", "localhost.evil.example", "10.0.0.1", "127.0.0.1.x:1", ""]
        {
            let router = standalone(helm.clone(), LOOPBACK);
            assert_eq!(request(router, "GET", path, host).await, 403, "{path} {host}");
        }
    }
    assert_eq!(request(standalone(helm.clone(), LOOPBACK), "POST", "/drain", "evil.example:7710").await, 403);
    assert!(helm.told().is_empty());
    for host in ["localhost", "LOCALHOST:7710", "127.0.0.1:7710", "[::1]", "[::1]:7710"] {
        assert_eq!(request(standalone(helm.clone(), LOOPBACK), "GET", "/stats", host).await, 200, "{host}");
    }
    let elsewhere = standalone(helm.clone(), Ipv4Addr::UNSPECIFIED.into());
    assert_eq!(request(elsewhere, "GET", "/stats", "fleet.example").await, 200);
}

#[tokio::test]
async fn a_server_without_a_fleet_says_what_to_do() {
    let router = absent();
    for path in ["/api/fleet", "/api/fleet/stats", "/api/fleet/a/b"] {
        let answer = get(&router, path).await;
        assert_eq!(answer.problem(), (404, "fleet_not_running".to_owned()));
        assert!(answer.text.contains("arena serve --fleet"), "{}", answer.text);
    }
    assert_eq!(post(&router, "/api/fleet/pause", "").await.problem().1, "fleet_not_running");
}

#[tokio::test]
async fn metrics_are_text_that_prometheus_reads() {
    let page = get(&standalone(Arc::new(Scripted::default()), LOOPBACK), "/metrics").await;
    assert_eq!(page.head["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    for line in [
        "# TYPE arena_fleet_bots gauge",
        "arena_fleet_bots{state=\"idle\"} 2",
        "arena_fleet_target_bots 3",
        "arena_fleet_lobby_humans 4",
        "arena_fleet_mode{mode=\"running\"} 1",
        "arena_fleet_start_gap_seconds 6.5",
        "arena_fleet_start_time_seconds 1.5",
        "arena_fleet_errors_total{class=\"rate_limit\",code=\"Too\\\"Many\\\\\\n\"} 4",
        "arena_fleet_response_seconds_bucket{what=\"join\",le=\"0.0001\"} 0",
        "arena_fleet_response_seconds_bucket{what=\"join\",le=\"+Inf\"} 1",
        "arena_fleet_response_seconds_sum{what=\"join\"} 0.003",
        "arena_fleet_connects_allowed_per_second 12.5",
        "arena_fleet_breaker{state=\"half_open\"} 1",
        "arena_fleet_halted 0",
        "arena_fleet_model_tokens_total 17",
        "arena_fleet_healthy 1",
    ] {
        assert!(page.text.lines().any(|known| known == line), "{line}\nis not in\n{}", page.text);
    }
    check_format(&page.text);
    assert!(!page.text.contains("bot-ada"), "ids are no labels");
}

/// Every family is announced once, before its samples, and stands together.
fn check_format(text: &str) {
    let (mut family, mut seen) = (String::new(), std::collections::BTreeSet::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            family = rest.split(' ').next().unwrap().to_owned();
            assert!(seen.insert(family.clone()), "{family} stands twice");
        } else if !line.starts_with('#') {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let name = name.split('{').next().unwrap();
            let plain = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            assert!(name == family || plain == Some(family.as_str()), "{line} is not of {family}");
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
    assert!(text.ends_with('\n'));
}
