//! `arena conversations messages`: a log, as it is and as it grows.

use super::Session;
use super::conversations::of;
use super::error::CommandError;
use crate::cli::LogArgs;
use crate::client::wire::{Line, Log};
use crate::client::{Answer, ApiPath, ClientError, Event, Events};
use crate::progress::say;
use crate::render::{log_line, log_table};
use std::thread::sleep;
use std::time::Duration;

/// Lines that the server gives at once at most.
const LARGEST: u32 = 1_000;

/// Delays before it connects again; the last one is repeated.
const DELAYS: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5)];

pub(super) fn run(session: &Session, args: &LogArgs) -> Result<(), CommandError> {
    let path = of(&args.conversation).segment("messages");
    if args.follow { follow(session, args, &path.segment("stream")) } else { show(session, args, &path) }
}

fn show(session: &Session, args: &LogArgs, path: &ApiPath) -> Result<(), CommandError> {
    let limit = args.limit.or(args.all.then_some(LARGEST));
    let page =
        |after: u64| session.client.get(&path.clone().query("after", Some(after)).query("limit", limit));
    let mut answer = page(args.after)?;
    let mut log: Log = answer.parse()?;
    while args.all && log.more {
        answer = page(log.position)?;
        let next: Log = answer.parse()?;
        if next.position <= log.position {
            return Err(answer.refuse("a part of a log that does not go on").into());
        }
        log.items.extend(next.items);
        (log.position, log.more) = (next.position, next.more);
    }
    let lines: Vec<Line> = parse(&answer, &log)?;
    if session.screen.is_json() {
        let json = serde_json::to_string(&log).expect("invariant: a log that was read can be written");
        return session.screen.write_json(&json);
    }
    if lines.is_empty() {
        say("no lines");
    } else {
        session.screen.write(&log_table(&lines, &session.screen.style))?;
    }
    if log.more {
        say(&format!("there are more: --after {}, or --all", log.position));
    }
    Ok(())
}

fn parse(answer: &Answer, log: &Log) -> Result<Vec<Line>, ClientError> {
    let lines: Result<Vec<Line>, _> = log.items.iter().map(|line| serde_json::from_str(line.get())).collect();
    lines.map_err(|error| answer.refuse(&error.to_string()))
}

/// Follows the log until it has seen enough or the conversation is gone. A connection that ends is made anew, and goes
/// on where it ended.
fn follow(session: &Session, args: &LogArgs, path: &ApiPath) -> Result<(), CommandError> {
    let (mut after, mut left, mut failures) = (args.after, args.count.unwrap_or(u64::MAX), 0);
    let mut begun = false;
    loop {
        let error = match session.client.events(path, &after.to_string()) {
            Ok(mut events) => {
                begun = true;
                loop {
                    match next(&mut events) {
                        Ok((event, line)) => {
                            (after, failures) = (line.offset, 0);
                            write(session, &event, &line)?;
                            left -= 1;
                            if left == 0 {
                                return Ok(());
                            }
                        }
                        Err(why) => break why,
                    }
                }
            }
            Err(ClientError::Refused(problem)) if !problem.retryable => {
                return Err(ClientError::Refused(problem).into());
            }
            Err(error) if !begun => return Err(error.into()),
            Err(error) => error.to_string(),
        };
        let delay = DELAYS[failures.min(DELAYS.len() - 1)];
        failures += 1;
        say(&format!("{error}; connecting again in {} s", delay.as_secs_f32()));
        sleep(delay);
    }
}

/// The next line, or why there is none.
fn next(events: &mut Events) -> Result<(Event, Line), String> {
    let event = events.next().ok_or("the stream has ended")?.map_err(|error| error.to_string())?;
    let line = serde_json::from_str(&event.data).map_err(|error| error.to_string())?;
    Ok((event, line))
}

fn write(session: &Session, event: &Event, line: &Line) -> Result<(), CommandError> {
    if session.screen.is_json() {
        session.screen.write_json(&event.data)
    } else {
        session.screen.write(&log_line(line, &session.screen.style))
    }
}
