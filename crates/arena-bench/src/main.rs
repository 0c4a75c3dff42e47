//! Arena's benchmarks: `cargo xtask bench <name>`. Each prints ratios to a floor or a peer that it measures in the same
//! run, because a figure alone says more about the machine than about Arena. docs/benchmarks.md explains them.
//!
//! Must not import: the HTTP layer or the binary. The `start` benchmark runs the real program as a child.

mod admission;
mod databases;
mod dialect;
mod engine;
mod fanout;
mod fleet;
mod floor;
mod healing;
mod hosts;
mod http;
mod latency;
mod load;
mod machine;
mod matching;
mod messages;
mod players;
mod raw_room;
mod report;
mod roster;
mod server;
mod start;
mod table;
mod worlds;

use clap::{Parser, Subcommand};
use report::Report;
use std::process::ExitCode;

/// Arena's benchmarks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Cli {
    #[command(subcommand)]
    bench: Bench,
    /// Print one JSON object instead of tables
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Bots assigned to sharded channels by concurrent callers
    Admission(admission::Args),
    /// All worlds wiped at once, until every bot is live again
    Healing(healing::Args),
    /// What a simulated second costs, and how it grows with the crowd
    Engine(engine::Args),
    /// Thousands of worlds in one process, in real time
    Worlds(worlds::Args),
    /// From starting the server to its first deployed bot; what it takes when idle
    Start(start::Args),
    /// Messages to rooms through the gateway, beside bare sockets
    Fanout(fanout::Args),
    /// Conversations that charge, store and deliver messages, beside the bare database
    Messages(messages::Args),
    /// People in live worlds, who move, come and go
    Players(players::Args),
    /// A thousand bots of the bot service, beside naive clients: start, a gateway that restarts, memory
    Fleet(fleet::Args),
    /// Waiting tickets that are put together: what it costs, and how long they wait
    Match(matching::Args),
    /// A process of `messages` that holds conversations
    #[command(hide = true)]
    MessagesHolder(messages::holder::Args),
    /// The server of bare sockets that `fanout` starts
    #[command(hide = true)]
    RawRoom(raw_room::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli.bench) {
        Ok(report) => {
            if let Some(report) = report {
                println!("{}", if cli.json { report.to_json() } else { report.to_string() });
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A server that a benchmark has started has nothing to report.
fn run(bench: &Bench) -> anyhow::Result<Option<Report>> {
    let report = match bench {
        Bench::Admission(args) => runtime()?.block_on(admission::run(args))?,
        Bench::Healing(args) => runtime()?.block_on(healing::run(args))?,
        Bench::Engine(args) => engine::run(args)?,
        Bench::Worlds(args) => runtime()?.block_on(worlds::run(args))?,
        Bench::Start(args) => start::run(args)?,
        Bench::Fanout(args) => fanout::run(args)?,
        Bench::Messages(args) => runtime()?.block_on(messages::run(args))?,
        Bench::Players(args) => players::run(args)?,
        Bench::Fleet(args) => fleet::run(args)?,
        Bench::Match(args) => runtime()?.block_on(matching::run(args))?,
        Bench::MessagesHolder(args) => {
            return runtime()?.block_on(messages::holder::run(args)).map(|()| None);
        }
        Bench::RawRoom(args) => return raw_room::run(args).map(|()| None),
    };
    Ok(Some(report))
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// Says on standard error what is being done; standard output is for the figures.
fn progress(what: &str) {
    eprintln!("… {what}");
}
