//! What is worth a line for people, found by looking at a fleet twice.

use crate::render::{clean, counted};
use arena_fleet::monitor::PhaseName;
use arena_fleet::{Breaker, FleetStats, Halt, Mode};

/// Something that people should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct News {
    /// Whether somebody has to do something.
    pub(crate) urgent: bool,
    /// In words.
    pub(crate) text: String,
}

/// What of a fleet is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    mode: Mode,
    pub(crate) target: usize,
    pub(crate) active: usize,
    failed: u64,
    humans: Option<usize>,
    /// Whether the manager has looked at all.
    ticked: bool,
    breaker: Breaker,
    /// Why there is no connection at all; `None` where there is one, or none was tried.
    away: Option<String>,
    /// Why nothing is tried any more.
    pub(crate) halted: Option<String>,
}

impl Look {
    /// Before anything was said: what is wrong already is news to the next look.
    pub(crate) fn first(stats: &FleetStats) -> Look {
        Look { away: None, halted: None, ..Look::at(stats) }
    }

    pub(crate) fn at(stats: &FleetStats) -> Look {
        let (manager, pool) = (&stats.manager, &stats.pool);
        Look {
            mode: manager.mode,
            target: manager.target,
            active: stats.monitor.totals.active,
            failed: stats.monitor.totals.bots_failed,
            humans: manager.lobby.joined.then_some(manager.lobby.humans),
            ticked: manager.ticks > 0,
            breaker: pool.breaker,
            away: away(stats),
            halted: pool.halted.as_ref().map(halted),
        }
    }

    /// Whether the manager has to do without the lobby. At first it is only not known yet, and where the endpoint refuses
    /// everything it goes without saying.
    fn is_blind(&self) -> bool {
        self.ticked && self.halted.is_none() && self.humans.is_none()
    }

    /// What is new since `before`. Numbers that wander are no news.
    pub(crate) fn since(&self, before: &Look) -> Vec<News> {
        let mut news = Vec::new();
        let mut add = |urgent, text: String| news.push(News { urgent, text });
        match (&before.halted, &self.halted) {
            (None, Some(why)) => add(true, halted_words(why)),
            (Some(_), None) => add(false, "the endpoint is tried again".to_owned()),
            _ => {}
        }
        if let (None, Some(why)) = (&before.away, &self.away)
            && self.halted.is_none()
            && self.mode != Mode::Stopping
        {
            add(true, format!("the endpoint cannot be reached: {}; it is tried again and again", clean(why)));
        }
        if self.breaker != before.breaker && self.halted.is_none() {
            match self.breaker {
                Breaker::Open if before.breaker == Breaker::Closed => {
                    add(true, "the endpoint does not answer; one bot tries it for all".to_owned());
                }
                Breaker::Closed => add(false, "the endpoint is back".to_owned()),
                _ => {}
            }
        }
        if self.mode != before.mode {
            add(false, mode_words(self.mode).to_owned());
        }
        if self.target != before.target && self.mode == Mode::Running {
            let humans = self.humans.map_or("a lobby that cannot be read".to_owned(), |humans| {
                format!("{} in the lobby", counted(humans as u64, "human"))
            });
            add(false, format!("{} wanted, {humans}", counted(self.target as u64, "bot")));
        } else if self.is_blind() != before.is_blind() {
            let text = match self.is_blind() {
                false => "the lobby can be read",
                true => "the lobby cannot be read: nobody counts until it can",
            };
            add(self.is_blind(), text.to_owned());
        }
        if self.failed > before.failed {
            let failed = counted(self.failed - before.failed, "bot");
            add(true, format!("{failed} failed for good; `arena fleet status` shows why"));
        }
        news
    }
}

/// What is said when the endpoint refuses the fleet as such.
pub(crate) fn halted_words(why: &str) -> String {
    format!(
        "stopped: the endpoint refuses the fleet ({}). Nothing is tried any more. Check the API key and the endpoint, \
         then restart the bot service, or `arena fleet resume` if the endpoint was at fault",
        clean(why)
    )
}

/// The newest failure to connect, while no connection is open.
fn away(stats: &FleetStats) -> Option<String> {
    let totals = &stats.monitor.totals;
    if totals.connections.get(&PhaseName::Open).is_some_and(|open| *open > 0) {
        return None;
    }
    let of_network =
        stats.monitor.errors.iter().filter(|error| matches!(&*error.class, "network" | "timeout"));
    let newest = of_network.max_by_key(|error| error.last_seen_ms)?;
    Some(format!("{} ({}, {})", newest.sample, newest.class, newest.code))
}

fn halted(halt: &Halt) -> String {
    format!("{}, {}, {}", halt.class, halt.code, halt.detail)
}

fn mode_words(mode: Mode) -> &'static str {
    match mode {
        Mode::Running => "running: bots start and stop as they are wanted",
        Mode::Paused => "paused: nothing starts and nothing stops until `arena fleet resume`",
        Mode::Draining => "draining: all bots leave, those that talk when they have finished",
        Mode::Stopping => "ending",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calm() -> Look {
        Look {
            mode: Mode::Running,
            target: 3,
            active: 3,
            failed: 0,
            humans: Some(2),
            ticked: true,
            breaker: Breaker::Closed,
            away: None,
            halted: None,
        }
    }

    fn lines(before: &Look, now: &Look) -> Vec<String> {
        now.since(before).into_iter().map(|news| news.text).collect()
    }

    #[test]
    fn what_wanders_is_no_news() {
        assert!(calm().since(&calm()).is_empty());
        let wandering = Look { active: 2, humans: Some(7), ..calm() };
        assert!(wandering.since(&calm()).is_empty());
    }

    #[test]
    fn a_refused_key_is_urgent_and_says_what_to_do() {
        let word = str::to_owned;
        let halt = Halt { class: word("authentication"), code: word("MalformedJWT"), detail: word("no JWT") };
        let halted = Look { halted: Some(halted(&halt)), breaker: Breaker::Open, ..calm() };
        let halted = Look { humans: None, ..halted };
        let news = halted.since(&calm());
        assert!(news.len() == 1 && news[0].urgent, "{news:?}");
        assert!(
            news[0].text.contains("authentication, MalformedJWT, no JWT") && news[0].text.contains("API key")
        );
        assert_eq!(lines(&halted, &calm()), ["the endpoint is tried again", "the endpoint is back"]);
    }

    #[test]
    fn an_endpoint_that_is_away_is_said_once_and_so_is_its_return() {
        let open = Look { breaker: Breaker::Open, ..calm() };
        let half = Look { breaker: Breaker::HalfOpen, ..calm() };
        assert_eq!(lines(&calm(), &open).len(), 1);
        assert!(lines(&open, &half).is_empty() && lines(&half, &open).is_empty());
        assert_eq!(lines(&half, &calm()), ["the endpoint is back"]);
    }

    #[test]
    fn why_nothing_is_connected_is_said_once_and_not_at_the_end() {
        let why = |code: &str| Some(format!("Connection refused (network, {code})"));
        let away = Look { away: why("connect"), ..calm() };
        let later = Look { away: why("reset"), ..calm() };
        let said = lines(&calm(), &away);
        assert_eq!(
            said,
            [
                "the endpoint cannot be reached: Connection refused (network, connect); it is tried again and again"
            ]
        );
        assert!(lines(&away, &later).is_empty() && lines(&later, &calm()).is_empty());
        let ending = Look { mode: Mode::Stopping, ..away.clone() };
        assert_eq!(lines(&calm(), &ending), ["ending"]);
    }

    #[test]
    fn another_target_names_the_humans_behind_it() {
        let more = Look { target: 9, humans: Some(30), ..calm() };
        assert_eq!(lines(&calm(), &more), ["9 bots wanted, 30 humans in the lobby"]);
        let blind = Look { humans: None, ..calm() };
        assert_eq!(lines(&calm(), &blind), ["the lobby cannot be read: nobody counts until it can"]);
        let ending = Look { mode: Mode::Stopping, target: 0, ..calm() };
        assert_eq!(lines(&calm(), &ending), ["ending"], "that nobody is wanted then goes without saying");
        let early = Look { humans: None, ticked: false, ..calm() };
        assert!(lines(&early, &calm()).is_empty(), "it was not known yet");
        let failed = Look { failed: 2, ..calm() };
        assert_eq!(lines(&calm(), &failed), ["2 bots failed for good; `arena fleet status` shows why"]);
    }
}
