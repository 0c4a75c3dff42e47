//! The demo's stages: import, deploy, live, wipe, heal.

use super::debate::{self, Debate};
use super::fleet::{self, Company};
use super::guest::Guest;
use super::strangers::Strangers;
use super::visitor::{Visit, Visitor};
use super::{DemoError, screen};
use crate::config::Config;
use crate::progress::{Progress, say};
use crate::server::Server;
use arena_control::{Actor, ConversationFilter, ConversationStats, NewBot, PageRequest, Services};
use arena_core::health::HealthReport;
use arena_worlds::WorldHost;
use std::time::{Duration, Instant};

/// How long bots may take to come to life, besides the time that their number explains.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often progress is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// How long the residents are left to themselves before the wipe: long enough for a snapshot of positions and for some
/// to meet and answer each other, at most this long if nobody is heard talking.
const LIVE_AT_LEAST: Duration = Duration::from_secs(6);
const LIVE_AT_MOST: Duration = Duration::from_secs(8);
const LISTEN_EVERY: Duration = Duration::from_millis(250);

/// What the demo measured.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Timings {
    /// Bots that were new, and that were there from an earlier run.
    pub(super) created: u32,
    pub(super) existing: u32,
    /// Bots, channels and worlds at the end.
    pub(super) bots: u64,
    pub(super) channels: usize,
    pub(super) worlds: u32,
    /// From reading the roster until every bot is stored, each in a channel.
    pub(super) imported: Duration,
    /// From the first import transaction until every bot was a resident.
    pub(super) deployed: Duration,
    /// From the wipe until no world was left, and until every bot was a resident again.
    pub(super) wiped: u32,
    pub(super) healed: Duration,
    /// The player who came meanwhile, and how long after the wipe it was told of the next world.
    pub(super) visit: Option<(Visit, Option<Duration>)>,
    /// What was said in the end.
    pub(super) talk: Talk,
    /// The bots that are clients.
    pub(super) fleet: Option<Company>,
    /// Whether every bot is live.
    pub(super) all_live: bool,
}

/// What was said, by residents and by two agents.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Talk {
    /// What this process has counted.
    pub(super) stats: ConversationStats,
    /// Conversations in the store, those of earlier runs too.
    pub(super) stored: usize,
    /// The agents' part of it.
    pub(super) debate: Option<Debate>,
}

/// Runs every stage.
pub(super) async fn show(
    server: &Server,
    config: &Config,
    roster: Vec<NewBot>,
) -> Result<Timings, DemoError> {
    let services = &server.services;
    let actor = Actor::parse("demo").expect("invariant: a constant that is an actor");
    let started = Instant::now();
    let imported = import(services, &actor, roster).await?;
    let import_took = started.elapsed();
    let wanted = wanted(services).await?;
    let report = services.health.report().await?;
    let channels = report.channels.len();
    say(&screen::imported(imported.created, imported.existing, channels, import_took));

    until_live(server, wanted, "deploying").await?;
    let deployed = started.elapsed();
    let report = services.health.report().await?;
    say(&screen::deployed(wanted, report.valid_worlds, deployed));

    let present_after = fleet::gather(server).await;
    let guest = present_after.and_then(|_| Guest::come(server, config));
    let strangers = present_after.and_then(|_| Strangers::come(server, config));
    let visitor = Visitor::enter(server).await;
    let debate = debate::hold(server).await;
    let_live(server).await?;
    screen::health(&services.health.report().await?);

    let wipe = Instant::now();
    let wiped = services.worlds.wipe(&actor, None).await?;
    say(&screen::wiped(wiped, wipe.elapsed()));
    until_live(server, wanted, "healing").await?;
    let healed = wipe.elapsed();
    let report = services.health.report().await?;
    say(&screen::healed(wanted, report.valid_worlds, healed));
    let visit = match visitor {
        Some(visitor) => {
            let visit = visitor.leave().await;
            let told = visit.replaced_at.map(|at| at.saturating_duration_since(wipe));
            Some((visit, told))
        }
        None => None,
    };
    let fleet = fleet::look_back(server.fleet.as_ref(), present_after, guest, strangers).await;
    Ok(Timings {
        created: imported.created,
        existing: imported.existing,
        bots: wanted,
        channels: report.channels.len(),
        worlds: report.valid_worlds,
        imported: import_took,
        deployed,
        wiped,
        healed,
        visit,
        talk: Talk { stats: services.conversations.stats(), stored: stored(services).await?, debate },
        fleet,
        all_live: u64::from(report.bots.live) == wanted,
    })
}

/// How many conversations the store has.
async fn stored(services: &Services) -> Result<usize, DemoError> {
    let (mut stored, mut cursor) = (0, None);
    loop {
        let page = PageRequest { limit: PageRequest::MAX_LIMIT, cursor };
        let page = services.conversations.list(ConversationFilter::default(), page).await?;
        stored += page.items.len();
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(stored);
        }
    }
}

async fn import(
    services: &Services,
    actor: &Actor,
    roster: Vec<NewBot>,
) -> Result<arena_control::Imported, DemoError> {
    let bar = Progress::bar(roster.len() as u64, "importing");
    let imported = services.bots.import_with(actor, roster, |done| bar.set(done as u64)).await?;
    Ok(imported)
}

/// Bots that should be live: all but the disabled ones and those that an operator took out of their channel.
async fn wanted(services: &Services) -> Result<u64, DemoError> {
    let bots = services.health.report().await?.bots;
    Ok(u64::from(bots.total() - bots.disabled))
}

/// Waits until every bot is live in the store and in the worlds: the store alone is behind the truth after a wipe.
async fn until_live(server: &Server, wanted: u64, what: &'static str) -> Result<(), DemoError> {
    let bar = Progress::bar(wanted, what);
    let patience = PATIENCE + Duration::from_millis(wanted);
    let started = Instant::now();
    loop {
        let (_, recorded) = server.services.bots.totals().await?;
        let live = recorded.min(residents(server).await);
        bar.set(live);
        if live >= wanted {
            return Ok(());
        }
        if started.elapsed() > patience {
            return Err(DemoError::TooSlow { live, wanted, secs: patience.as_secs() });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn residents(server: &Server) -> u64 {
    // The native host is in this process and always answers.
    let worlds = server.host.list().await.unwrap_or_default();
    worlds.iter().map(|world| u64::from(world.residents)).sum()
}

/// Lets the residents live until some of them were heard talking, and a snapshot of where they stand was saved.
async fn let_live(server: &Server) -> Result<(), DemoError> {
    let spinner = Progress::spinner("the residents go about their lives");
    let started = Instant::now();
    let mut heard = Vec::new();
    while started.elapsed() < LIVE_AT_LEAST
        || (heard.len() < screen::OVERHEARD && started.elapsed() < LIVE_AT_MOST)
    {
        tokio::time::sleep(LISTEN_EVERY).await;
        heard = overheard(server).await;
    }
    drop(spinner);
    screen::overheard(&heard);
    Ok(())
}

/// The last line of each of a few worlds in which somebody said something: channel, who, what.
async fn overheard(server: &Server) -> Vec<(String, (String, String))> {
    let mut heard = Vec::new();
    for world in server.host.list().await.unwrap_or_default() {
        if let Ok(view) = server.host.view(&world.hosted.world).await {
            heard.extend(view.overheard.last().map(|line| (world.hosted.channel.to_string(), line.clone())));
        }
        if heard.len() == screen::OVERHEARD {
            break;
        }
    }
    heard
}

/// The health report's bots, for the screen.
pub(super) fn live_share(report: &HealthReport) -> String {
    format!("{} of {} bots live", report.bots.live, report.bots.total() - report.bots.disabled)
}
