//! Looking again and again, until Ctrl-C.

use super::error::CommandError;
use super::screen::Screen;
use crate::client::Client;
use crate::interrupt::Interrupt;
use crate::progress::say;
use crate::server::StartError;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(2);
/// Cursor home, and clear from there on: less flicker than clearing everything first.
const REDRAW: &str = "\u{1b}[H\u{1b}[J";
/// Lines of a terminal that are not the report's: the footer, the line before it and the cursor's.
pub(super) const FRAME_LINES: usize = 3;

/// Asks and shows until Ctrl-C. A server that is away is asked again, as `show` says so.
pub(super) fn repeatedly<T: Send + 'static>(
    client: &Client,
    ask: fn(&Client) -> Result<T, CommandError>,
    mut show: impl FnMut(Result<T, CommandError>) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(StartError::Runtime)?;
    let outcome = runtime.block_on(async {
        let mut interrupt = Interrupt::listen().map_err(StartError::Runtime)?;
        loop {
            tokio::select! {
                answer = ask_aside(client, ask) => show(answer)?,
                () = interrupt.wait() => return Ok(()),
            }
            tokio::select! {
                () = sleep(EVERY) => {}
                () = interrupt.wait() => return Ok(()),
            }
        }
    });
    // A server that takes long to answer is not waited for.
    runtime.shutdown_background();
    outcome
}

/// Asks on another thread, so that Ctrl-C is heard meanwhile.
async fn ask_aside<T: Send + 'static>(
    client: &Client,
    ask: fn(&Client) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    let client = client.clone();
    spawn_blocking(move || ask(&client)).await.expect("invariant: asking does not panic")
}

/// A report as it is drawn over the one before; without a terminal, below it.
pub(super) fn frame(report: &str, screen: &Screen) -> String {
    match screen.style.size {
        Some(_) => format!("{REDRAW}{report}\n{}\n", footer()),
        None => format!("{report}\n"),
    }
}

/// Why there is no report this time.
pub(super) fn show_error(screen: &Screen, error: &CommandError) -> Result<(), CommandError> {
    if screen.style.size.is_none() {
        say(&format!("error: {error}"));
        return Ok(());
    }
    screen.write(&format!("{REDRAW}error: {error}\n\n{}\n", footer()))
}

fn footer() -> String {
    format!("every {} s; Ctrl-C ends", EVERY.as_secs())
}
