//! The tickets of one call, as they are compared: in the order of their turns, with numbers for words.

use super::Avoid;
use super::index::INDEXED;
use crate::conversation::ParticipantId;
use crate::matching::{Field, Kind, Rules, Waiting, Wish};
use crate::time::Timestamp;
use std::cmp::Reverse;
use std::collections::HashMap;

/// The values of some fields; 0 is a value that was left out.
pub(super) type Values = [u32; Rules::MAX_FIELDS];

/// A ticket as it is compared. It is as small as a cache line, because those who are looked at stand far apart: what is
/// rarely asked for is kept elsewhere.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Card {
    /// How long it waits.
    pub waited_ms: u64,
    /// How strong it plays.
    pub rating: Option<i32>,
    /// What has to be the same, as one number.
    pub must: u32,
    /// What had better be the same, in the order of the rules.
    pub prefer: Values,
    /// Where its interests begin.
    likes_from: u32,
    /// How many it has.
    likes: u8,
    /// Users on it.
    pub size: u8,
    /// Not a bot.
    pub human: bool,
    /// Whether there is anybody whom it is not to be matched with.
    avoids: bool,
}

const _: () = assert!(size_of::<Card>() == 64);

/// Those who may be matched now: humans first, then bots; of each those who were let down, then by their wait, then by id.
/// Whoever has not waited long enough is not among them.
#[derive(Debug)]
pub(super) struct Crowd<'a> {
    pub rules: &'a Rules,
    pub cards: Vec<Card>,
    /// Their places in the list that was given.
    pub places: Vec<usize>,
    /// The interests of all, those of each in ascending order.
    likes: Vec<u32>,
    /// Whom each is not to be matched with, in ascending order.
    apart: Vec<Vec<u32>>,
    /// So many of the first are humans.
    pub humans: usize,
    /// Preferences that make lists, see [`super::index`].
    pub indexed: Vec<usize>,
}

impl<'a> Crowd<'a> {
    pub fn new(rules: &'a Rules, tickets: &'a [Waiting], avoid: &Avoid, now: Timestamp) -> Crowd<'a> {
        let (places, users) = turns(rules, tickets, now);
        let mut words = Words::default();
        let mut cards: Vec<Card> =
            places.iter().map(|place| words.card(rules, &tickets[*place], now)).collect();
        let own = places.iter().map(|place| &tickets[*place].wish);
        let own = own.flat_map(|wish| wish.avoid.iter().map(|other| (&wish.user, other)));
        let mut apart = vec![Vec::new(); cards.len()];
        for (one, other) in avoid.pairs().map(|(one, other)| (one, other)).chain(own) {
            if let (Some(one), Some(other)) = (users.get(one), users.get(other)) {
                apart[*one as usize].push(*other);
                apart[*other as usize].push(*one);
            }
        }
        for (card, apart) in cards.iter_mut().zip(&mut apart) {
            apart.sort_unstable();
            card.avoids = !apart.is_empty();
        }
        let humans = cards.partition_point(|card| card.human);
        Crowd { rules, cards, places, likes: words.likes, apart, humans, indexed: indexed(rules) }
    }

    /// What somebody likes, in ascending order, each once.
    pub fn likes(&self, rank: usize) -> &[u32] {
        let card = &self.cards[rank];
        &self.likes[card.likes_from as usize..][..card.likes.into()]
    }

    /// Whether these two are not to be matched.
    pub fn apart(&self, one: usize, other: usize) -> bool {
        self.cards[one].avoids && self.apart[one].binary_search(&(other as u32)).is_ok()
    }

    /// Which of [`Self::indexed`] somebody says something of, as bits.
    pub fn said(&self, rank: usize) -> usize {
        let prefer = &self.cards[rank].prefer;
        let said = self.indexed.iter().enumerate().filter(|(_, field)| prefer[**field] != 0);
        said.fold(0, |mask, (nth, _)| mask | 1 << nth)
    }

    /// Which of [`Self::indexed`] somebody says something of and insists on, as bits.
    pub fn insists(&self, rank: usize) -> usize {
        let insisted: Vec<usize> = self.insisted(self.cards[rank].waited_ms).collect();
        let on = self.indexed.iter().enumerate().filter(|(_, field)| insisted.contains(field));
        self.said(rank) & on.fold(0, |mask, (nth, _)| mask | 1 << nth)
    }
}

/// Those preferences that are insisted on longest.
fn indexed(rules: &Rules) -> Vec<usize> {
    let mut fields: Vec<usize> = (0..rules.prefer.len().min(Rules::MAX_FIELDS)).collect();
    fields.sort_by_key(|nth| Reverse(rules.prefer[*nth].for_ms.unwrap_or(u64::MAX)));
    fields.truncate(INDEXED);
    fields
}

/// Places of those who may be matched now in the order of their turns, and whose turn is each user's.
fn turns<'a>(
    rules: &Rules,
    tickets: &'a [Waiting],
    now: Timestamp,
) -> (Vec<usize>, HashMap<&'a ParticipantId, u32>) {
    let ready = |ticket: &Waiting| {
        waited_ms(ticket, now) >= rules.min_wait_ms && ticket.wish.size() <= rules.team_size
    };
    let mut turns: Vec<usize> = (0..tickets.len()).filter(|place| ready(&tickets[*place])).collect();
    turns.sort_unstable_by_key(|place| {
        let ticket = &tickets[*place];
        (ticket.wish.kind, !ticket.ahead, ticket.since, ticket.id)
    });
    let mut users = HashMap::with_capacity(turns.len());
    let mut next = 0;
    turns.retain(|place| {
        let wish = &tickets[*place].wish;
        let alone = !wish.users().any(|user| users.contains_key(user));
        if alone {
            users.extend(wish.users().map(|user| (user, next)));
            next += 1;
        }
        alone
    });
    (turns, users)
}

fn waited_ms(ticket: &Waiting, now: Timestamp) -> u64 {
    u64::try_from(now.0.saturating_sub(ticket.since.0)).unwrap_or(0)
}

/// Numbers for words, from 1 on. They say what is equal and nothing else.
#[derive(Debug, Default)]
struct Words<'a> {
    words: HashMap<&'a str, u32>,
    musts: HashMap<Values, u32>,
    /// The interests of all cards so far.
    likes: Vec<u32>,
}

impl<'a> Words<'a> {
    fn card(&mut self, rules: &Rules, ticket: &'a Waiting, now: Timestamp) -> Card {
        let wish: &'a Wish = &ticket.wish;
        let must = self.values(rules.must.iter(), wish);
        let musts = self.musts.len() as u32;
        let likes_from = self.likes.len();
        Card {
            waited_ms: waited_ms(ticket, now),
            rating: wish.rating,
            must: *self.musts.entry(must).or_insert(musts),
            prefer: self.values(rules.prefer.iter().map(|preference| &preference.field), wish),
            likes_from: likes_from as u32,
            likes: self.like(wish),
            size: u8::try_from(wish.size()).unwrap_or(u8::MAX),
            human: wish.kind == Kind::Human,
            avoids: false,
        }
    }

    /// Adds the interests of a ticket. Returns how many there are; more than a wish may have are not compared.
    fn like(&mut self, wish: &'a Wish) -> u8 {
        let mut likes: Vec<u32> =
            wish.interests.iter().map(|interest| self.number(interest.as_str())).collect();
        likes.sort_unstable();
        likes.dedup();
        likes.truncate(Wish::MAX_INTERESTS);
        self.likes.extend_from_slice(&likes);
        likes.len() as u8
    }

    /// Fields beyond [`Rules::MAX_FIELDS`] are not compared; rules with so many do not pass [`Rules::check`].
    fn values<'r>(&mut self, fields: impl Iterator<Item = &'r Field>, wish: &'a Wish) -> Values {
        let mut values = Values::default();
        for (value, field) in values.iter_mut().zip(fields) {
            let word = match field {
                Field::Region => wish.region.as_ref().map(|region| region.as_str()),
                Field::Language => wish.language.as_ref().map(|language| language.as_str()),
                Field::Attribute(name) => wish.attributes.get(name).map(|value| value.as_str()),
            };
            *value = word.map_or(0, |word| self.number(word));
        }
        values
    }

    fn number(&mut self, word: &'a str) -> u32 {
        let next = self.words.len() as u32 + 1;
        *self.words.entry(word).or_insert(next)
    }
}
