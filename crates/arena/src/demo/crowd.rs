//! The demo's roster: the built-in file, or one that is named, cut or repeated to the size asked for.

use super::{DemoError, DemoOptions};
use arena_control::{NewBot, roster};
use std::path::Path;

/// The thousand bots that ship with Arena.
const BUILT_IN: &str = include_str!("../../../../examples/rosters/town-1000.csv");

/// As many bots as were asked for.
pub(super) fn roster(options: &DemoOptions) -> Result<Vec<NewBot>, DemoError> {
    let bots = match &options.roster {
        None => roster::parse_csv(BUILT_IN)?,
        Some(path) => read(path)?,
    };
    let wanted = usize::try_from(options.bots).unwrap_or(usize::MAX).min(roster::MAX_BOTS);
    if bots.is_empty() { Err(DemoError::NoBots) } else { Ok(resize(&bots, wanted)) }
}

fn read(path: &Path) -> Result<Vec<NewBot>, DemoError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| DemoError::File { path: path.to_owned(), source })?;
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    Ok(if is_json { roster::parse_json(&text)? } else { roster::parse_csv(&text)? })
}

/// The first `wanted` bots; beyond the roster's end it starts over, with a number behind each name.
fn resize(bots: &[NewBot], wanted: usize) -> Vec<NewBot> {
    let mut crowd: Vec<NewBot> = bots.iter().cycle().take(wanted).cloned().collect();
    for (index, bot) in crowd.iter_mut().enumerate().skip(bots.len()) {
        let number = format!(" {}", index / bots.len() + 1);
        let room = arena_core::bot::Profile::MAX_NAME - number.chars().count();
        let name: String = bot.profile.name.chars().take(room).collect();
        bot.profile.name = format!("{}{number}", name.trim_end());
    }
    crowd
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn options(bots: u32) -> DemoOptions {
        DemoOptions { bots, exit: true, roster: None }
    }

    #[test]
    fn the_built_in_roster_has_a_thousand_bots_of_many_kinds() {
        let bots = roster(&options(1_000)).unwrap();
        let names: HashSet<_> = bots.iter().map(|bot| &bot.profile.name).collect();
        let kinds: HashSet<_> = bots.iter().map(|bot| bot.profile.kind).collect();
        assert_eq!((bots.len(), names.len(), kinds.len()), (1_000, 1_000, 5));
    }

    #[test]
    fn a_larger_crowd_repeats_the_roster_under_other_names() {
        let bots = roster(&options(2_500)).unwrap();
        let names: HashSet<_> = bots.iter().map(|bot| &bot.profile.name).collect();
        assert_eq!((bots.len(), names.len()), (2_500, 2_500));
        assert!(bots.iter().all(|bot| bot.profile.check().is_ok()));
    }
}
