//! Somebody is told when bots fail, and when they are well again.

use super::ErrorPattern;
use crate::settings::AlertSettings;
use serde::Serialize;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};

/// How often it is looked.
const LOOKS: Duration = Duration::from_secs(5);
/// How long a post may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often one is tried, and the time in between. What is not taken then is given up; the next alert has its time.
const ATTEMPTS: u32 = 3;
const BETWEEN: Duration = Duration::from_secs(2);

/// What is looked at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sight {
    pub(crate) instance: String,
    /// Bots that are wanted; 0 while nobody expects any.
    pub(crate) target: usize,
    /// Bots that do their work.
    pub(crate) active: usize,
    /// Bots that were started less than a minute ago.
    pub(crate) coming: usize,
    /// Starts that are still to be made.
    pub(crate) waiting: usize,
    /// Bots that failed so far.
    pub(crate) bots_failed: u64,
    /// What failed most.
    pub(crate) errors: Vec<ErrorPattern>,
}

/// What is posted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Alert {
    /// `bots_failing`, or `bots_recovered`.
    alert: &'static str,
    instance: String,
    target: usize,
    active: usize,
    /// Share of the wanted bots that are not active.
    failed_percent: u32,
    /// For how long there were too many of them.
    lasted_secs: u64,
    errors: Vec<ErrorPattern>,
}

/// When somebody is to be told. Pure: whoever looks tells the time.
#[derive(Debug)]
struct Rule {
    settings: AlertSettings,
    /// Since when too many fail.
    since: Option<Instant>,
    /// When the last alert was.
    told: Option<Instant>,
    /// Whether the last that was told is that they fail.
    failing: bool,
    /// When a bot failed last, and how many had then.
    failed: (Option<Instant>, u64),
}

impl Rule {
    fn new(settings: AlertSettings) -> Rule {
        Rule { settings, since: None, told: None, failing: false, failed: (None, 0) }
    }

    /// Gives what is to be told now, if anything is.
    fn look(&mut self, sight: &Sight, now: Instant) -> Option<Alert> {
        if sight.bots_failed > self.failed.1 {
            self.failed = (Some(now), sight.bots_failed);
        }
        let percent = self.failed_percent(sight, now);
        if percent < self.settings.failed_percent.max(1) {
            let recovered = self.failing;
            let lasted = self.since.take().map_or(Duration::ZERO, |since| now - since);
            self.failing = false;
            return recovered.then(|| alert("bots_recovered", sight, percent, lasted));
        }
        let lasted = now - *self.since.get_or_insert(now);
        let due = self.told.is_none_or(|told| now - told >= self.settings.every);
        if lasted < self.settings.lasting || !due {
            return None;
        }
        self.told = Some(now);
        self.failing = true;
        Some(alert("bots_failing", sight, percent, lasted))
    }

    /// Bots that were just started, or wait for their turn, are not missed; unless they stand in for others that failed.
    fn failed_percent(&self, sight: &Sight, now: Instant) -> u32 {
        let failed_lately = self.failed.0.is_some_and(|at| now - at < self.settings.lasting.max(LOOKS * 2));
        let excused = if failed_lately { 0 } else { sight.coming + sight.waiting };
        let missing = sight.target.saturating_sub(sight.active + excused);
        (missing * 100).checked_div(sight.target).map_or(0, |percent| percent as u32)
    }
}

fn alert(alert: &'static str, sight: &Sight, failed_percent: u32, lasted: Duration) -> Alert {
    Alert {
        alert,
        instance: sight.instance.clone(),
        target: sight.target,
        active: sight.active,
        failed_percent,
        lasted_secs: lasted.as_secs(),
        errors: sight.errors.clone(),
    }
}

/// Watches, and posts alerts to a webhook.
pub(crate) struct Alerts {
    rule: Rule,
    webhook: String,
}

impl Alerts {
    /// `None` where nobody is to be told.
    pub(crate) fn new(settings: AlertSettings) -> Option<Alerts> {
        let webhook = settings.webhook.clone()?;
        Some(Alerts { rule: Rule::new(settings), webhook })
    }
}

/// Looks every few seconds until there is nothing to look at any more. An alert that is being posted delays the next
/// look and nothing else.
pub(crate) async fn watch(mut alerts: Alerts, sight: impl Fn() -> Option<Sight>) {
    let client =
        match reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build()
        {
            Ok(client) => client,
            Err(error) => return tracing::error!(%error, "no alerts: the HTTP client cannot be made"),
        };
    let mut looks = tokio::time::interval(LOOKS);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let Some(sight) = sight() else { return };
        if let Some(alert) = alerts.rule.look(&sight, Instant::now()) {
            post(&client, &alerts.webhook, &alert).await;
        }
    }
}

async fn post(client: &reqwest::Client, webhook: &str, alert: &Alert) {
    let Ok(body) = serde_json::to_vec(alert) else { return };
    for attempt in 1..=ATTEMPTS {
        let request = client.post(webhook).header("content-type", "application/json").body(body.clone());
        match request.send().await {
            Ok(answer) if answer.status().is_success() => return,
            // A webhook's URL is often its secret, and so is not told.
            Ok(answer) => {
                tracing::warn!(attempt, status = answer.status().as_u16(), "an alert was not taken")
            }
            Err(error) => tracing::warn!(attempt, error = %error.without_url(), "an alert was not taken"),
        }
        if attempt < ATTEMPTS {
            tokio::time::sleep(BETWEEN).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn settings() -> AlertSettings {
        AlertSettings { webhook: None, failed_percent: 20, lasting: secs(60), every: secs(900) }
    }

    fn sight(target: usize, active: usize) -> Sight {
        Sight { target, active, ..Sight::default() }
    }

    /// Looks every five seconds for so long; tells what was told, and after how many seconds.
    fn looked(rule: &mut Rule, now: &mut Instant, sight: &Sight, time: Duration) -> Vec<(&'static str, u64)> {
        let begun = *now;
        let mut told = Vec::new();
        while *now < begun + time {
            told.extend(rule.look(sight, *now).map(|alert| (alert.alert, (*now - begun).as_secs())));
            *now += LOOKS;
        }
        told
    }

    #[tokio::test(start_paused = true)]
    async fn too_many_that_fail_for_long_enough_are_told_once_and_so_is_their_recovery() {
        let (mut rule, mut now) = (Rule::new(settings()), Instant::now());
        assert_eq!(looked(&mut rule, &mut now, &sight(10, 9), secs(300)), []);
        assert_eq!(looked(&mut rule, &mut now, &sight(10, 8), secs(55)), []);
        assert_eq!(looked(&mut rule, &mut now, &sight(10, 9), secs(5)), []);
        assert_eq!(looked(&mut rule, &mut now, &sight(10, 8), secs(900)), [("bots_failing", 60)]);
        assert_eq!(looked(&mut rule, &mut now, &sight(10, 9), secs(60)), [("bots_recovered", 0)]);
        // Not more often than every fifteen minutes.
        assert_eq!(looked(&mut rule, &mut now, &sight(10, 0), secs(120)), [("bots_failing", 60)]);
        assert_eq!(looked(&mut rule, &mut now, &sight(10, 9), secs(5)), [("bots_recovered", 0)]);
        assert_eq!(looked(&mut rule, &mut now, &sight(10, 0), secs(600)), []);
    }

    #[tokio::test(start_paused = true)]
    async fn bots_that_wait_for_their_turn_are_not_missed_unless_they_replace_others() {
        let (mut rule, mut now) = (Rule::new(settings()), Instant::now());
        let ramp = Sight { coming: 3, waiting: 90, ..sight(100, 7) };
        assert_eq!(looked(&mut rule, &mut now, &ramp, secs(600)), []);
        let mut told = Vec::new();
        for failed in 1..60 {
            let dying = Sight { bots_failed: failed, ..ramp.clone() };
            told.extend(looked(&mut rule, &mut now, &dying, secs(5)));
        }
        assert_eq!(told.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn where_no_bots_are_wanted_none_are_missed() {
        let (mut rule, mut now) = (Rule::new(settings()), Instant::now());
        assert_eq!(looked(&mut rule, &mut now, &sight(0, 0), secs(600)), []);
    }

    /// Answers each request with the next of the statuses; gives the bodies.
    async fn stub(listener: TcpListener, statuses: &[u16]) -> Vec<String> {
        let mut bodies = Vec::new();
        for status in statuses {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = String::new();
            loop {
                let mut part = [0; 4096];
                let read = stream.read(&mut part).await.unwrap();
                text.push_str(std::str::from_utf8(&part[..read]).unwrap());
                if read == 0 || text.contains("\r\n\r\n") && text.ends_with('}') {
                    break;
                }
            }
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            bodies.push(text.split_once("\r\n\r\n").unwrap().1.to_owned());
        }
        bodies
    }

    #[tokio::test]
    async fn an_alert_is_posted_again_until_it_is_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let webhook = format!("http://{}/hook", listener.local_addr().unwrap());
        let client = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build().unwrap();
        let alert = alert("bots_failing", &sight(10, 5), 50, secs(60));
        let ((), bodies) = tokio::join!(post(&client, &webhook, &alert), stub(listener, &[500, 204]));
        assert_eq!(bodies.len(), 2);
        assert_eq!(bodies[0], bodies[1]);
        let body: serde_json::Value = serde_json::from_str(&bodies[0]).unwrap();
        assert_eq!((&body["alert"], &body["failed_percent"]), (&"bots_failing".into(), &50.into()));
    }
}
