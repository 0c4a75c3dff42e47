//! `arena fleet run`: a process that is nothing but a bot service.

use super::news::Look;
use super::{FleetError, Opened};
use crate::config::{Key, Loaded, LogLevel, Source};
use crate::interrupt::Interrupt;
use crate::progress::{Progress, say};
use arena_fleet::Fleet;
use arena_fleet::http::Helm;
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use ureq::http::Uri;

/// The variable that names a project, and no endpoint.
const SUPABASE_URL: &str = "SUPABASE_URL";

/// How often it looks for news.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long open requests get to finish at the end.
const DRAIN: Duration = Duration::from_secs(2);

/// Runs with settings that have been checked, until it is interrupted. The exit code is 0 if everything was brought to its
/// end in time.
pub(crate) fn run(loaded: &Loaded) -> Result<ExitCode, FleetError> {
    let mut config = loaded.config.clone();
    // Only a server of ours has a matchmaker, and whose the endpoint is nobody but the operator knows.
    if Key::find("fleet", "queues").is_some_and(|key| loaded.setting(key).source == Source::Default) {
        config.fleet.queues.clear();
    }
    let config = &config;
    for name in &loaded.ignored {
        say(&ignored_words(name));
    }
    let mut log = config.log.clone();
    // What matters is told in lines for people; log lines between progress bars help nobody.
    if log.level == LogLevel::Info {
        log.level = LogLevel::Warn;
    }
    crate::logging::start(&log);
    crate::files::allow(config.fleet.max_connections as u64);
    Runtime::new().map_err(FleetError::Runtime)?.block_on(async {
        let mut interrupt = Interrupt::listen().map_err(FleetError::Runtime)?;
        let address = config.fleet.listen;
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|source| FleetError::Listen { address, source })?;
        let address = listener.local_addr().unwrap_or(address);
        let project = variable(loaded, "endpoint").is_some_and(|name| name == SUPABASE_URL);
        let opened = super::open(config, config.server.listen, project)?;
        announce(loaded, &config.fleet.queues, &opened, address);
        let (stop, mut doors) = (CancellationToken::new(), JoinSet::new());
        let router = arena_fleet::http::standalone(Arc::new(opened.fleet.clone()), address.ip());
        doors.spawn(arena_api::serve(listener, router, stop.clone().cancelled_owned(), DRAIN));
        tokio::select! {
            () = tell(opened.fleet.clone()) => {}
            () = interrupt.wait() => {}
        }
        say("ending: bots take their leave (Ctrl-C again ends at once)");
        let ending = async {
            let in_time = opened.fleet.shutdown(config.fleet.settings().manager.shutdown_deadline).await;
            stop.cancel();
            while doors.join_next().await.is_some() {}
            in_time
        };
        tokio::select! {
            in_time = ending => Ok(if in_time { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
            () = interrupt.wait() => Ok(ExitCode::from(130)),
        }
    })
}

/// Where bots go, how many, and which settings are not from the file or the defaults.
fn announce(loaded: &Loaded, queues: &[String], opened: &Opened, address: SocketAddr) {
    let fleet = &loaded.config.fleet;
    say(&format!("bots connect to {}{}", opened.endpoint, from(loaded, "endpoint")));
    if !fleet.endpoint.is_empty() && is_open(&opened.endpoint) {
        say(
            "  unencrypted: whoever is on the way reads the key and what is said; use wss:// where there is a network between",
        );
    }
    let numbers = match fleet.min == fleet.max {
        true => format!("{} bots", fleet.min),
        false => format!(
            "{} to {} bots, {} for each 100 humans in {}",
            fleet.min, fleet.max, fleet.target_percent, fleet.lobby
        ),
    };
    say(&numbers);
    if !queues.is_empty() {
        say(&format!("idle bots wait for humans in {}", queues.join(", ")));
    }
    let names = ["min", "max", "target_percent", "maintenance_ms", "apikey", "jwt_secret"];
    let taken: Vec<String> = names.into_iter().filter_map(|name| variable(loaded, name)).collect();
    if !taken.is_empty() {
        say(&format!("taken from the environment: {}", taken.join(", ")));
    }
    say(&format!("the bot service answers at http://{address} (Ctrl-C ends it)"));
}

/// What is said of a project's key that is not used.
fn ignored_words(name: &str) -> String {
    let (flag, own) = match name {
        "SUPABASE_JWT_SECRET" => ("--jwt-secret", "ARENA_FLEET__JWT_SECRET"),
        _ => ("--apikey", "ARENA_FLEET__APIKEY"),
    };
    format!(
        "{name} is not used: it belongs to the project of SUPABASE_URL, and bots connect to something else. If it is for \
         this endpoint, give it as {own} or {flag}"
    )
}

/// Whether this endpoint is reached over a network, and not by TLS.
fn is_open(endpoint: &str) -> bool {
    let url: Option<Uri> = endpoint.parse().ok();
    let host = url.as_ref().and_then(Uri::host).unwrap_or_default().trim_matches(['[', ']']);
    let is_local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    endpoint.starts_with("ws://") && !is_local
}

fn from(loaded: &Loaded, name: &str) -> String {
    variable(loaded, name).map(|variable| format!(" ({variable})")).unwrap_or_default()
}

/// The environment variable that a setting comes from.
fn variable(loaded: &Loaded, name: &str) -> Option<String> {
    let key = Key::find("fleet", name)?;
    match &loaded.setting(key).source {
        Source::Variable(name) => Some(name.clone()),
        _ => None,
    }
}

/// Shows how far the start is, and says what matters from then on. Does not end by itself.
async fn tell(fleet: Fleet) {
    let began = Instant::now();
    let mut before = Look::first(&Helm::stats(&fleet, false));
    let mut start = Some(Start::to(before.target));
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = Look::at(&Helm::stats(&fleet, false));
        let news = now.since(&before);
        if let Some(starting) = start.take_if(|_| now.active >= now.target || now.halted.is_some()) {
            starting.end(&now, began.elapsed());
        }
        if start.as_ref().is_some_and(|start| start.target != now.target) {
            start = Some(Start::to(now.target));
        }
        // A bar that is drawn over a line would hide it.
        for news in news {
            match &start {
                Some(start) => start.bar.above(&news.text),
                None => say(&news.text),
            }
        }
        if let Some(start) = &start {
            start.bar.set(now.active as u64);
        }
        before = now;
    }
}

/// The first bots are on their way.
struct Start {
    target: usize,
    bar: Progress,
}

impl Start {
    fn to(target: usize) -> Start {
        Start { target, bar: Progress::bar(target as u64, "starting bots") }
    }

    /// All are there, or none will come.
    fn end(self, now: &Look, took: Duration) {
        // Why none comes is said as news.
        if now.halted.is_none() {
            self.bar.finish(&format!("{} bots are there after {:.1} s", now.active, took.as_secs_f64()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_crosses_a_network_in_clear_is_told_apart() {
        for endpoint in
            ["ws://arena.example/socket/websocket", "ws://10.0.0.1:7700/socket", "ws://[fe80::1]/x"]
        {
            assert!(is_open(endpoint), "{endpoint}");
        }
        for endpoint in ["wss://arena.example/x", "ws://127.0.0.1:1/x", "ws://[::1]:1/x", "ws://localhost/x"]
        {
            assert!(!is_open(endpoint), "{endpoint}");
        }
    }

    #[test]
    fn a_key_that_is_not_used_is_named_with_what_to_give_instead() {
        let words = ignored_words("SUPABASE_SERVICE_ROLE_KEY");
        for word in
            ["SUPABASE_SERVICE_ROLE_KEY is not used", "SUPABASE_URL", "ARENA_FLEET__APIKEY", "--apikey"]
        {
            assert!(words.contains(word), "{words}");
        }
        assert!(ignored_words("SUPABASE_JWT_SECRET").contains("--jwt-secret"));
    }
}
