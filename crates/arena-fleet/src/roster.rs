//! Who there is to be started. The same identities come back again and again, so that nothing is ever made up for good.

use crate::identity::{BrainKind, Identity};
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The roster that is built in.
const BUILT_IN: &str = include_str!("../rosters/default.json");
/// How long an identity is left alone after it failed.
const COOL_OFF: Duration = Duration::from_secs(600);
/// Entries of a file at most, and its bytes.
const MAX_ENTRIES: usize = 10_000;
const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// Bytes of an id or a name at most: ids are participants of conversations, which have as many.
const MAX_NAME: usize = 64;

/// Why there is no roster.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not as it has to be.
    #[error("{from}: {problem}")]
    Invalid {
        /// Which one.
        from: String,
        /// What is wrong, and what is allowed.
        problem: String,
    },
}

/// An entry of a roster's file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Option<String>,
    name: String,
    persona: Option<String>,
    #[serde(default)]
    brain: BrainKind,
    world: Option<String>,
}

/// Identities, in the order in which they are started.
#[derive(Debug)]
pub struct Roster {
    /// Those of the file, and after them those that were added because more were wanted.
    identities: Vec<Arc<Identity>>,
    /// How many are of the file.
    given: usize,
    ids: BTreeSet<String>,
    /// Until when an identity is left alone.
    cooling: HashMap<String, Instant>,
}

impl Roster {
    /// The one that is built in.
    ///
    /// # Errors
    /// Never; a test sees to that.
    pub fn built_in() -> Result<Roster, RosterError> {
        Roster::parse(BUILT_IN, "the roster that is built in")
    }

    /// Reads a file: a JSON list of `{"name", "id"?, "persona"?, "brain"?, "world"?}`.
    ///
    /// # Errors
    /// A file that cannot be read or is not as it has to be.
    pub fn read(path: &Path) -> Result<Roster, RosterError> {
        let unreadable = |source| RosterError::Unreadable { path: path.to_owned(), source };
        let from = path.display().to_string();
        if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_BYTES {
            return Err(invalid(&from, format!("it is larger than {MAX_BYTES} bytes")));
        }
        Roster::parse(&std::fs::read_to_string(path).map_err(unreadable)?, &from)
    }

    /// Reads a roster's text; `from` names it in errors.
    ///
    /// # Errors
    /// A text that is not as it has to be.
    pub fn parse(text: &str, from: &str) -> Result<Roster, RosterError> {
        let entries: Vec<Entry> =
            serde_json::from_str(text).map_err(|error| invalid(from, error.to_string()))?;
        if entries.is_empty() || entries.len() > MAX_ENTRIES {
            return Err(invalid(
                from,
                format!("it has {} bots; 1 to {MAX_ENTRIES} are allowed", entries.len()),
            ));
        }
        let mut roster =
            Roster { identities: Vec::new(), given: 0, ids: BTreeSet::new(), cooling: HashMap::new() };
        for (number, entry) in entries.into_iter().enumerate() {
            let identity =
                identity_of(entry).map_err(|why| invalid(from, format!("bot {}: {why}", number + 1)))?;
            if !roster.ids.insert(identity.id.clone()) {
                return Err(invalid(
                    from,
                    format!("bot {}: the id `{}` is there twice", number + 1, identity.id),
                ));
            }
            roster.identities.push(Arc::new(identity));
        }
        roster.given = roster.identities.len();
        Ok(roster)
    }

    /// All of the file, in their order.
    pub fn given(&self) -> &[Arc<Identity>] {
        &self.identities[..self.given]
    }

    /// The first that is free: not `taken` and not cooling off. Where nobody is, one more is made up, by the pattern
    /// `Ada 2`, as long as there are fewer than `most`.
    pub fn next(&mut self, taken: impl Fn(&str) -> bool, most: usize) -> Option<Arc<Identity>> {
        let now = Instant::now();
        self.cooling.retain(|_, until| *until > now);
        let free =
            |identity: &&Arc<Identity>| !taken(&identity.id) && !self.cooling.contains_key(&identity.id);
        if let Some(identity) = self.identities.iter().find(free) {
            return Some(identity.clone());
        }
        while self.identities.len() < most.min(MAX_ENTRIES) {
            let identity = self.make_up();
            if !taken(&identity.id) {
                return Some(identity);
            }
        }
        None
    }

    /// An identity failed: others go first for ten minutes.
    pub fn cool_off(&mut self, id: &str) {
        self.cooling.insert(id.to_owned(), Instant::now() + COOL_OFF);
    }

    /// How many cool off.
    pub fn cooling(&self) -> usize {
        let now = Instant::now();
        self.cooling.values().filter(|until| **until > now).count()
    }

    fn make_up(&mut self) -> Arc<Identity> {
        let number = self.identities.len();
        let pattern = self.identities[number % self.given].clone();
        let mut round = number / self.given + 1;
        while self.ids.contains(&format!("{}-{round}", pattern.id)) {
            round += self.given;
        }
        let identity = Arc::new(Identity {
            id: format!("{}-{round}", pattern.id),
            name: format!("{} {round}", pattern.name),
            ..(*pattern).clone()
        });
        self.ids.insert(identity.id.clone());
        self.identities.push(identity.clone());
        identity
    }
}

fn invalid(from: &str, problem: String) -> RosterError {
    RosterError::Invalid { from: from.to_owned(), problem }
}

fn identity_of(entry: Entry) -> Result<Identity, String> {
    let fits = |what: &str, text: &str| {
        if (1..=MAX_NAME).contains(&text.len()) && !text.chars().any(char::is_control) {
            return Ok(());
        }
        Err(format!("{what} has to have 1 to {MAX_NAME} bytes without control characters"))
    };
    fits("name", &entry.name)?;
    let id = entry.id.unwrap_or_else(|| id_of(&entry.name));
    fits("id", &id)?;
    if let Some(world) = &entry.world {
        fits("world", world)?;
    }
    let persona = entry.persona.unwrap_or_else(|| "ada".to_owned());
    fits("persona", &persona)?;
    Ok(Identity { id, name: entry.name, persona, brain: entry.brain, world: entry.world })
}

/// `bot-` and the name in small letters, with everything that is no letter and no digit as a dash.
fn id_of(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() { c.to_lowercase().next().unwrap_or(c) } else { '-' };
    format!("bot-{}", name.chars().map(plain).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Roster, String> {
        Roster::parse(text, "test").map_err(|error| error.to_string())
    }

    fn ids(roster: &mut Roster, count: usize, most: usize) -> Vec<String> {
        let mut taken: Vec<String> = Vec::new();
        for _ in 0..count {
            let next = roster.next(|id| taken.iter().any(|taken| taken == id), most);
            taken.extend(next.map(|identity| identity.id.clone()));
        }
        taken
    }

    #[tokio::test]
    async fn the_built_in_roster_is_valid_diverse_and_extended_by_number() {
        let mut roster = Roster::built_in().unwrap();
        assert!(roster.given().len() >= 15);
        let personas: BTreeSet<&str> =
            roster.given().iter().map(|identity| identity.persona.as_str()).collect();
        assert!(personas.len() >= 5);
        let all = ids(&mut roster, 1_000, 1_000);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 1_000);
        let given = roster.given().len();
        assert_eq!((all[0].as_str(), all[given].as_str()), ("bot-ada", "bot-ada-2"));
        assert_eq!(all, ids(&mut Roster::built_in().unwrap(), 1_000, 1_000), "the same bots at each start");
    }

    #[tokio::test]
    async fn nobody_is_made_up_beyond_the_most() {
        let mut roster = parse(r#"[{"name": "Ada"}, {"name": "Bo"}]"#).unwrap();
        assert_eq!(ids(&mut roster, 10, 3), ["bot-ada", "bot-bo", "bot-ada-2"]);
    }

    #[tokio::test]
    async fn a_made_up_name_that_is_given_already_is_passed_over() {
        let mut roster = parse(r#"[{"name": "Ada"}, {"name": "Ada 2"}]"#).unwrap();
        let all = ids(&mut roster, 6, 6);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 6, "{all:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_failed_is_left_alone_for_ten_minutes() {
        let mut roster = parse(r#"[{"name": "Ada"}, {"name": "Bo"}]"#).unwrap();
        roster.cool_off("bot-ada");
        assert_eq!((roster.next(|_| false, 2).unwrap().id.as_str(), roster.cooling()), ("bot-bo", 1));
        tokio::time::advance(COOL_OFF).await;
        assert_eq!((roster.next(|_| false, 2).unwrap().id.as_str(), roster.cooling()), ("bot-ada", 0));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, part) in [
            ("[]", "it has 0 bots"),
            ("{}", "invalid type"),
            (r#"[{"name": "Ada", "colour": "red"}]"#, "unknown field `colour`"),
            (r#"[{"name": ""}]"#, "bot 1: name"),
            (r#"[{"name": "A\u0007"}]"#, "bot 1: name"),
            (r#"[{"name": "Ada"}, {"name": "ADA"}]"#, "bot 2: the id `bot-ada` is there twice"),
            (r#"[{"name": "Ada", "brain": "big"}]"#, "unknown variant `big`"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn an_entry_says_what_it_wants_to() {
        let text =
            r#"[{"id": "ann", "name": "Ann", "persona": "pip", "brain": "wanderer", "world": "main"}]"#;
        let roster = parse(text).unwrap();
        let expected = Identity {
            id: "ann".to_owned(),
            name: "Ann".to_owned(),
            persona: "pip".to_owned(),
            brain: BrainKind::Wanderer,
            world: Some("main".to_owned()),
        };
        assert_eq!(*roster.given()[0], expected);
    }
}
