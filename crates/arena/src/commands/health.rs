//! `arena channels health`.

use super::Session;
use super::error::CommandError;
use super::exit::Exit;
use super::screen::Screen;
use crate::cli::HealthArgs;
use crate::client::{Answer, ApiPath, Client};
use crate::interrupt::Interrupt;
use crate::progress::say;
use crate::render::{HealthView, health_view};
use crate::server::StartError;
use arena_core::health::{HealthReport, Level};
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// Channels that a terminal shows unless all are wanted.
const MOST_CHANNELS: usize = 20;
/// How often the watch looks.
const EVERY: Duration = Duration::from_secs(2);
/// Cursor home, and clear from there on: less flicker than clearing everything first.
const REDRAW: &str = "\u{1b}[H\u{1b}[J";
/// Lines of a terminal that the watch does not give to the report: the footer, the line before it and the cursor's.
const FRAME_LINES: usize = 3;

type Report = Result<(Answer, HealthReport), CommandError>;

pub(super) fn run(session: &Session, args: &HealthArgs) -> Result<ExitCode, CommandError> {
    if args.watch { watch(session, args) } else { once(session, args) }
}

fn once(session: &Session, args: &HealthArgs) -> Result<ExitCode, CommandError> {
    let (answer, report) = ask(&session.client)?;
    let screen = &session.screen;
    if screen.is_json() {
        screen.write_json(answer.text())?;
    } else {
        screen.write(&health_view(&report, view(screen, args, usize::MAX), &screen.style))?;
    }
    Ok(code(report.level))
}

/// Reports until Ctrl-C. A server that is away is said, and looked for again.
fn watch(session: &Session, args: &HealthArgs) -> Result<ExitCode, CommandError> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(StartError::Runtime)?;
    let outcome = runtime.block_on(async {
        let mut interrupt = Interrupt::listen().map_err(StartError::Runtime)?;
        let mut last = ExitCode::from(Exit::CannotTell);
        loop {
            tokio::select! {
                report = ask_aside(&session.client) => last = redraw(report, args, &session.screen)?,
                () = interrupt.wait() => return Ok(last),
            }
            tokio::select! {
                () = sleep(EVERY) => {}
                () = interrupt.wait() => return Ok(last),
            }
        }
    });
    // A server that takes long to answer is not waited for.
    runtime.shutdown_background();
    outcome
}

fn redraw(report: Report, args: &HealthArgs, screen: &Screen) -> Result<ExitCode, CommandError> {
    match &report {
        Ok((answer, _)) if screen.is_json() => screen.write_json(answer.text())?,
        Ok((_, report)) => screen.write(&frame(report, args, screen))?,
        Err(error) if screen.style.size.is_none() => say(&format!("error: {error}")),
        Err(error) => screen.write(&format!("{REDRAW}error: {error}\n\n{}\n", footer()))?,
    }
    Ok(report.map_or_else(|_| Exit::CannotTell.into(), |(_, report)| code(report.level)))
}

fn frame(report: &HealthReport, args: &HealthArgs, screen: &Screen) -> String {
    match screen.style.size {
        Some((_, height)) => {
            let view = view(screen, args, height.saturating_sub(FRAME_LINES));
            format!("{REDRAW}{}\n{}\n", health_view(report, view, &screen.style), footer())
        }
        None => format!("{}\n", health_view(report, HealthView::All, &screen.style)),
    }
}

fn footer() -> String {
    format!("every {} s; Ctrl-C ends", EVERY.as_secs())
}

fn view(screen: &Screen, args: &HealthArgs, lines: usize) -> HealthView {
    if args.all || screen.style.size.is_none() {
        return HealthView::All;
    }
    HealthView::Fitting { channels: MOST_CHANNELS, lines }
}

/// Asks on another thread, so that Ctrl-C is heard meanwhile.
async fn ask_aside(client: &Client) -> Report {
    let client = client.clone();
    spawn_blocking(move || ask(&client)).await.expect("invariant: asking does not panic")
}

fn ask(client: &Client) -> Report {
    let answer = client.get(&ApiPath::new("health"))?;
    let report = answer.parse()?;
    Ok((answer, report))
}

fn code(level: Level) -> ExitCode {
    ExitCode::from(match level {
        Level::Healthy => 0,
        Level::Warning => 1,
        Level::Critical => 2,
    })
}
