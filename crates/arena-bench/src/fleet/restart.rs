//! The gateway ends under everybody and comes back.

use super::rig::Rig;
use super::{Args, Start, Who};
use crate::progress;
use crate::report::Report;
use crate::table::{Cell, Table};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a start, or coming back, may take at most, before it counts as never.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long everybody stays before the end comes.
const SETTLED: Duration = Duration::from_secs(5);
const AIM_SECS: f64 = 45.0;
const AIM_PERCENT: f64 = 15.0;

/// How the gateway ends.
#[derive(Debug, Clone, Copy)]
enum End {
    /// As a power cut would end it.
    Killed,
    /// In good order: sessions are sent away one after the other, with 1012.
    Asked,
}

/// The outcome of one, all times from its end.
struct Returned {
    most: Duration,
    all: Duration,
    /// The most connects within any second that reached the gateway, and that were tried.
    peak_reached: usize,
    peak_tried: usize,
    tried: usize,
    refused: u64,
}

/// Ends the gateway under each of them, and compares.
pub fn measure(args: &Args, start: Start<'_>, report: &mut Report) -> anyhow::Result<()> {
    const COLUMNS: [&str; 8] = [
        "gateway",
        "who",
        "back_99_s",
        "back_all_s",
        "peak_connects_s",
        "peak_percent",
        "connects_tried",
        "refused",
    ];
    let title = format!("the gateway comes back after {} s to {} clients", args.down_seconds, args.bots);
    let mut table = Table::new(title, &COLUMNS);
    for end in [End::Killed, End::Asked] {
        for who in &args.who {
            for run in 1..=args.runs {
                progress(&format!("restart: the gateway is {}: {}, run {run}", end.name(), who.name()));
                let returned = once(args, end, start(*who, args.count(), &[])?)?;
                table.row(returned.row(args, end, *who));
                if *who == Who::Fleet {
                    returned.aims(args, end, report);
                }
            }
        }
    }
    report.table(table);
    report.note(
        "times count from the end of the gateway (from being asked to end), as everybody present in the lobby is \
         counted there; peaks are of any second that the proxy saw, the worst of knocking at the closed port included",
    );
    Ok(())
}

impl End {
    fn name(self) -> &'static str {
        match self {
            End::Killed => "killed",
            End::Asked => "asked to end",
        }
    }
}

impl Returned {
    fn percent(&self, args: &Args) -> f64 {
        self.peak_tried as f64 / f64::from(args.bots) * 100.0
    }

    fn row(&self, args: &Args, end: End, who: Who) -> [Cell; 8] {
        [
            Cell::text(end.name()),
            Cell::text(who.name()),
            Cell::Number(self.most.as_secs_f64(), 1),
            Cell::Number(self.all.as_secs_f64(), 1),
            Cell::Number(self.peak_reached as f64, 0),
            Cell::Number(self.percent(args), 1),
            Cell::Number(self.tried as f64, 0),
            Cell::Number(self.refused as f64, 0),
        ]
    }

    fn aims(&self, args: &Args, end: End, report: &mut Report) {
        let what = format!("{}: seconds until 99 % of the bots are back", end.name());
        report.at_most(what, AIM_SECS, self.most.as_secs_f64());
        let what = format!("{}: most connects in any second, in percent of the bots", end.name());
        report.at_most(what, AIM_PERCENT, self.percent(args));
    }
}

fn once(args: &Args, end: End, mut rig: Rig) -> anyhow::Result<Returned> {
    let begun = rig.begun;
    rig.until_present(args.count(), begun, PATIENCE)?;
    sleep(SETTLED);
    rig.check_present(begun)?;
    let ended = Instant::now();
    match end {
        End::Killed => rig.server.kill(),
        End::Asked => rig.server.terminate()?,
    }
    sleep(args.down()?);
    rig.server.start_again()?;
    let again = Instant::now();
    let nearly_all = (args.count() * 99).div_ceil(100);
    let most = rig.until_present(nearly_all, again, PATIENCE)?;
    let all = rig.until_present(args.count(), again, PATIENCE)?;
    sleep(SETTLED);
    rig.check_present(again)?;
    let (arrivals, totals) = (rig.proxy.arrivals().since(ended), rig.totals()?);
    rig.stop()?;
    Ok(Returned {
        most: most - ended,
        all: all - ended,
        peak_reached: arrivals.peak_reached,
        peak_tried: arrivals.peak_knocks,
        tried: arrivals.knocks,
        refused: arrivals.refused as u64 + totals.refused_joins,
    })
}
