//! What a bot sees of its world: snapshots and deltas, as in `docs/realtime.md`.

use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

/// Residents that are kept in sight: some hundred bytes each, in every bot. Worlds hold fewer; of more, the later ones are
/// not seen.
const MAX_RESIDENTS: usize = 1_024;
/// Conversations that are kept in sight: one for every two residents.
const MAX_TALKS: usize = MAX_RESIDENTS / 2;

/// A tile.
pub(super) type Tile = (i64, i64);

/// Somebody in the world, as it is told.
#[derive(Deserialize)]
struct Told {
    id: Box<str>,
    #[serde(default)]
    x: f64,
    #[serde(default)]
    y: f64,
    #[serde(default)]
    to: Option<Tile>,
}

/// Somebody in the world, as far as it matters to a walker.
#[derive(Debug, Clone, Copy)]
struct Resident {
    at: Tile,
    to: Option<Tile>,
}

/// A conversation in the world.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Talk {
    conversation: u64,
    #[serde(default)]
    a: String,
    #[serde(default)]
    b: String,
    #[serde(default)]
    state: String,
}

#[derive(Deserialize)]
struct Map {
    width: i64,
    height: i64,
}

#[derive(Deserialize)]
struct Snapshot {
    map: Map,
    #[serde(default)]
    residents: Vec<Told>,
    #[serde(default)]
    conversations: Vec<Talk>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Delta {
    left: Vec<String>,
    joined: Vec<Told>,
    moved: Vec<Told>,
    invited: Vec<Talk>,
    accepted: Vec<Talk>,
    met: Vec<Talk>,
    said: Vec<Said>,
    ended: Vec<Talk>,
}

#[derive(Deserialize)]
struct Said {
    id: String,
    text: String,
    #[serde(default)]
    conversation: Option<u64>,
}

/// What happened to the bot itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// Somebody invites it.
    Invited(u64),
    /// It has taken an invitation, or its own was taken, and they walk up to each other.
    Expected,
    /// It stands together with somebody: they talk.
    Met(u64),
    /// The other one in its conversation said something.
    Heard(u64, String),
    /// The conversation, or the invitation, is over.
    Ended(u64),
}

/// The world, as far as it is seen.
#[derive(Debug, Default)]
pub(super) struct Sight {
    body: String,
    pub(super) width: i64,
    pub(super) height: i64,
    residents: HashMap<Box<str>, Resident>,
    talks: HashMap<u64, Talk>,
}

impl Sight {
    /// Looks at a new world with the eyes of `body`. Gives the bot's own conversation there, if it has one; `None` if
    /// this is no snapshot.
    pub(super) fn look(&mut self, snapshot: Value, body: &str) -> Option<Vec<News>> {
        let snapshot: Snapshot = serde_json::from_value(snapshot).ok()?;
        let residents = snapshot.residents.into_iter().take(MAX_RESIDENTS);
        let talks = snapshot.conversations.into_iter().take(MAX_TALKS);
        *self = Sight {
            body: body.to_owned(),
            width: snapshot.map.width,
            height: snapshot.map.height,
            residents: residents.map(Told::seen).collect(),
            talks: talks.map(|talk| (talk.conversation, talk)).collect(),
        };
        let mine = self.talks.values().filter(|talk| self.is_mine(talk));
        let news = mine.filter_map(|talk| match talk.state.as_str() {
            "invited" if talk.b == self.body => Some(News::Invited(talk.conversation)),
            "approaching" => Some(News::Expected),
            "talking" => Some(News::Met(talk.conversation)),
            _ => None,
        });
        Some(news.collect())
    }

    /// Takes in what a tick did. Gives what of it happened to the bot itself.
    pub(super) fn follow(&mut self, delta: Value) -> Vec<News> {
        let delta: Delta = serde_json::from_value(delta).unwrap_or_default();
        for id in &delta.left {
            self.residents.remove(id.as_str());
        }
        for (id, resident) in delta.joined.into_iter().map(Told::seen) {
            if self.residents.len() < MAX_RESIDENTS || self.residents.contains_key(&id) {
                self.residents.insert(id, resident);
            }
        }
        for (id, resident) in delta.moved.into_iter().map(Told::seen) {
            if let Some(known) = self.residents.get_mut(&id) {
                *known = resident;
            }
        }
        let mut news = Vec::new();
        for talk in delta.invited {
            if talk.b == self.body {
                news.push(News::Invited(talk.conversation));
            }
            self.keep(talk, "invited");
        }
        for Talk { conversation, .. } in delta.accepted {
            if let Some(talk) = self.talks.get_mut(&conversation) {
                talk.state = "approaching".to_owned();
            }
        }
        for talk in delta.met {
            if self.is_mine(&talk) {
                news.push(News::Met(talk.conversation));
            }
            self.keep(talk, "talking");
        }
        for said in delta.said {
            let talk =
                said.conversation.and_then(|talk| self.talks.get(&talk)).filter(|talk| self.is_mine(talk));
            if let Some(talk) = talk.filter(|_| said.id != self.body) {
                news.push(News::Heard(talk.conversation, said.text));
            }
        }
        for Talk { conversation, .. } in delta.ended {
            if self.talks.remove(&conversation).is_some_and(|talk| self.is_mine(&talk)) {
                news.push(News::Ended(conversation));
            }
        }
        news
    }

    /// The tile that the bot stands on, or walks over; `None` while it has no body here.
    pub(super) fn here(&self) -> Option<Tile> {
        self.me().map(|me| me.at)
    }

    /// Whether the bot is on its way.
    pub(super) fn walks(&self) -> bool {
        self.me().is_some_and(|me| me.to.is_some())
    }

    /// Whether somebody stands there or is on the way there.
    pub(super) fn is_taken(&self, tile: Tile) -> bool {
        self.residents.values().any(|resident| resident.at == tile || resident.to == Some(tile))
    }

    /// Whether there is such a tile.
    pub(super) fn is_on_map(&self, (x, y): Tile) -> bool {
        (0..self.width).contains(&x) && (0..self.height).contains(&y)
    }

    /// Tiles that others stand on: one can walk there, or next to it.
    pub(super) fn trodden(&self) -> Vec<Tile> {
        let mut tiles: Vec<Tile> = self.residents.values().map(|resident| resident.at).collect();
        // The map has no order of its own, and the same bot does the same again.
        tiles.sort_unstable();
        tiles
    }

    fn me(&self) -> Option<&Resident> {
        self.residents.get(self.body.as_str())
    }

    fn is_mine(&self, talk: &Talk) -> bool {
        talk.a == self.body || talk.b == self.body
    }

    fn keep(&mut self, talk: Talk, state: &str) {
        if self.talks.len() < MAX_TALKS || self.talks.contains_key(&talk.conversation) {
            self.talks.insert(talk.conversation, Talk { state: state.to_owned(), ..talk });
        }
    }
}

impl Told {
    fn seen(self) -> (Box<str>, Resident) {
        let at = (self.x.round() as i64, self.y.round() as i64);
        (self.id, Resident { at, to: self.to })
    }
}
