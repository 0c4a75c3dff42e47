//! `arena match simulate`: how fair a queue's rules are, without a server.

use super::error::CommandError;
use super::matchmaking::text_of;
use super::screen::Screen;
use crate::cli::SimulateArgs;
use crate::render::simulation_view;
use arena_core::matching::Rules;
use arena_core::matching::simulate::{Plan, simulate};
use serde_json::json;
use std::path::Path;

pub(super) fn run(screen: &Screen, args: &SimulateArgs) -> Result<(), CommandError> {
    let rules = args.rules.as_deref().map_or_else(|| Ok(Rules::strangers()), rules_in)?;
    let plan = Plan {
        seed: args.seed,
        duration_s: args.seconds,
        humans_per_s: args.humans_per_s,
        bots: args.bots,
        ..Plan::default()
    };
    let report = simulate(&rules, &plan).map_err(|error| CommandError::Simulation(error.to_string()))?;
    if screen.is_json() {
        let plan = json!({
            "seed": plan.seed, "seconds": plan.duration_s, "humans_per_s": plan.humans_per_s, "bots": plan.bots,
        });
        let told = json!({ "plan": plan, "rules": report.rules, "first_come": report.first_come });
        return screen.write_json(&told.to_string());
    }
    screen.write(&simulation_view(&plan, &report, &screen.style))
}

/// Rules as a queue takes them.
fn rules_in(path: &Path) -> Result<Rules, CommandError> {
    let bad = |why| CommandError::BadRules { path: path.to_path_buf(), why };
    arena_api::rules_from_json(&text_of(path)?).map_err(bad)
}
