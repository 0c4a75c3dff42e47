//! Rosters: files of bots, as CSV or JSON.

use arena_core::bot::{Profile, ProfileError};
use arena_core::channel::ChannelKind;
use arena_store::NewBot;
use serde::Deserialize;

/// Why a roster was refused; nothing of it was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// A row that is not acceptable. Rows count from 1, a CSV's header not included.
    #[error("row {row}: {problem}")]
    Row {
        /// Which.
        row: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// Not a roster at all.
    #[error("not a roster: {0}")]
    Malformed(String),
    /// More bots than one import may hold.
    #[error("the roster has {0} bots; at most {MAX_BOTS} can be imported at once")]
    TooLong(usize),
}

/// Bots in one roster.
pub const MAX_BOTS: usize = 100_000;

/// One row, as a file has it. Only the name is required.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row<Traits> {
    name: String,
    persona: Option<String>,
    traits: Option<Traits>,
    home_zone: Option<String>,
    region: Option<String>,
    channel_kind: Option<String>,
    channel: Option<String>,
}

/// Reads a CSV with the header `name,persona,traits,home_zone,region,channel_kind[,channel]`; traits are split by `;`.
pub fn parse_csv(text: &str) -> Result<Vec<NewBot>, RosterError> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut bots = Vec::new();
    for (index, row) in reader.deserialize::<Row<String>>().enumerate() {
        let row = row.map_err(|error| RosterError::Row { row: index + 1, problem: csv_problem(&error) })?;
        let traits = row.traits.as_deref().unwrap_or_default().split(';').map(str::trim);
        let traits = traits.filter(|word| !word.is_empty()).map(str::to_owned).collect();
        bots.push(new_bot(index, row, traits)?);
    }
    check(&bots)?;
    Ok(bots)
}

/// Reads a JSON array of objects; traits are an array of strings.
pub fn parse_json(text: &str) -> Result<Vec<NewBot>, RosterError> {
    let rows: Vec<serde_json::Value> =
        serde_json::from_str(text).map_err(|error| RosterError::Malformed(error.to_string()))?;
    let mut bots = Vec::with_capacity(rows.len());
    for (index, value) in rows.into_iter().enumerate() {
        let row: Row<Vec<String>> = serde_json::from_value(value)
            .map_err(|error| RosterError::Row { row: index + 1, problem: error.to_string() })?;
        let traits = row.traits.clone().unwrap_or_default();
        bots.push(new_bot(index, row, traits)?);
    }
    check(&bots)?;
    Ok(bots)
}

/// Checks every row of a roster.
pub fn check(bots: &[NewBot]) -> Result<(), RosterError> {
    if bots.len() > MAX_BOTS {
        return Err(RosterError::TooLong(bots.len()));
    }
    for (index, bot) in bots.iter().enumerate() {
        bot.profile.check().map_err(|error: ProfileError| row_error(index, &error))?;
    }
    Ok(())
}

fn new_bot<T>(index: usize, row: Row<T>, traits: Vec<String>) -> Result<NewBot, RosterError> {
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let kind = some(row.channel_kind).map(|kind| kind.parse::<ChannelKind>()).transpose();
    let region = some(row.region).map(|region| region.parse()).transpose();
    let channel = some(row.channel).map(|channel| channel.parse()).transpose();
    Ok(NewBot {
        profile: Profile {
            name: row.name,
            persona: row.persona.unwrap_or_default(),
            traits,
            home_zone: some(row.home_zone),
            region: region.map_err(|error| row_error(index, &error))?,
            kind: kind.map_err(|error| row_error(index, &error))?.unwrap_or(ChannelKind::Main),
        },
        channel: channel.map_err(|error| row_error(index, &error))?,
    })
}

fn row_error(index: usize, problem: &impl ToString) -> RosterError {
    RosterError::Row { row: index + 1, problem: problem.to_string() }
}

fn csv_problem(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_and_json_read_the_same() {
        let csv = "name,persona,traits,home_zone,region,channel_kind\n\
                   Ada,\"Counts, slowly.\",curious; shy,casino,,MAIN\nBo,,,,us-west-2,regional\n";
        let json = r#"[{"name": "Ada", "persona": "Counts, slowly.", "traits": ["curious", "shy"],
                       "home_zone": "casino", "channel_kind": "MAIN"},
                       {"name": "Bo", "region": "us-west-2", "channel_kind": "REGIONAL"}]"#;
        assert_eq!(parse_csv(csv).unwrap(), parse_json(json).unwrap());
    }

    #[test]
    fn an_old_roster_without_kind_and_channel_goes_to_main() {
        let bots = parse_csv("name,persona\nAda,Counts.\n").unwrap();
        assert_eq!((bots[0].profile.kind, &bots[0].channel), (ChannelKind::Main, &None));
    }

    #[test]
    fn a_bad_row_is_named() {
        for (text, row) in [
            ("name,channel_kind\nAda,MAIN\nBo,CASINO\n", 2),
            ("name,colour\nAda,red\n", 1),
            ("name,region,channel_kind\nAda,,REGIONAL\n", 1),
            ("name,persona\nAda\n", 1),
        ] {
            assert!(matches!(parse_csv(text), Err(RosterError::Row { row: r, .. }) if r == row), "{text}");
        }
        assert!(matches!(parse_json("{}"), Err(RosterError::Malformed(_))));
        assert!(matches!(parse_json(r#"[{"name": 1}]"#), Err(RosterError::Row { row: 1, .. })));
    }
}
