//! `arena channels health`.

use super::Session;
use super::error::CommandError;
use super::exit::Exit;
use super::screen::Screen;
use super::watching;
use crate::cli::HealthArgs;
use crate::client::{Answer, ApiPath, Client};
use crate::render::{HealthView, health_view};
use arena_core::health::{HealthReport, Level};
use std::process::ExitCode;

/// Channels that a terminal shows unless all are wanted.
const MOST_CHANNELS: usize = 20;

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
    let mut last = ExitCode::from(Exit::CannotTell);
    watching::repeatedly(&session.client, ask, |report| {
        last = redraw(report, args, &session.screen)?;
        Ok(())
    })?;
    Ok(last)
}

fn redraw(report: Report, args: &HealthArgs, screen: &Screen) -> Result<ExitCode, CommandError> {
    match &report {
        Ok((answer, _)) if screen.is_json() => screen.write_json(answer.text())?,
        Ok((_, report)) => screen.write(&frame(report, args, screen))?,
        Err(error) => watching::show_error(screen, error)?,
    }
    Ok(report.map_or_else(|_| Exit::CannotTell.into(), |(_, report)| code(report.level)))
}

fn frame(report: &HealthReport, args: &HealthArgs, screen: &Screen) -> String {
    match screen.style.size {
        Some((_, height)) => {
            let view = view(screen, args, height.saturating_sub(watching::FRAME_LINES));
            watching::frame(&health_view(report, view, &screen.style), screen)
        }
        None => watching::frame(&health_view(report, HealthView::All, &screen.style), screen),
    }
}

fn view(screen: &Screen, args: &HealthArgs, lines: usize) -> HealthView {
    if args.all || screen.style.size.is_none() {
        return HealthView::All;
    }
    HealthView::Fitting { channels: MOST_CHANNELS, lines }
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
