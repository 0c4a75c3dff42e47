//! Tournaments: how they begin, what is played in them, and how they end.
//!
//! What was played is written over the version that was read, so that two reports at once are one after the other. A
//! tournament that is over ends its match; the sweep finds one that a crash has left between the two.

use super::Matchmaking;
use super::acting::{Requeue, users};
use super::clock::{ago, millis};
use super::error::MatchError;
use super::service::Inner;
use crate::error::ServiceError;
use arena_core::Timestamp;
use arena_core::admission::Op;
use arena_core::channel::Mode;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{Formed, MatchEnd, MatchId, MatchState, Outcome, Waiting};
use arena_core::tournament::{Tournament, TournamentError};
use arena_store::{Actor, MatchFilter, MatchRow, OpError, PageRequest, QueueRow, TournamentDraft, now};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

/// How long players may stay in the channel of a tournament that is over.
const LINGER: Duration = Duration::from_secs(300);

/// How often a report is tried anew that others were faster than: each of them has got something done.
const TRIES: usize = 64;

/// Tournaments that are looked at in one sweep.
const ROUND: u32 = 500;

/// A tournament as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    tournament: Tournament,
    /// By game: what players say of games that they do not say to have lost.
    #[serde(default)]
    claims: BTreeMap<u32, Vec<Claim>>,
}

/// What a player says of a game, until the other says the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Claim {
    by: ParticipantId,
    winner: Option<ParticipantId>,
    #[serde(default)]
    score: Option<(u32, u32)>,
}

/// What somebody says of a game.
struct Said<'a> {
    game: u32,
    by: Option<&'a ParticipantId>,
    winner: Option<&'a ParticipantId>,
    score: Option<(u32, u32)>,
}

impl Matchmaking {
    /// A tournament.
    pub async fn tournament(&self, id: MatchId) -> Result<(MatchRow, Tournament), ServiceError> {
        let row = self.inner.match_row(id).await?;
        let (kept, _) = self.inner.kept(id).await?;
        Ok((row, kept.tournament))
    }

    /// The result of a game: who has won it (`None` is a draw), and the points of each, if they are told. By a user who
    /// plays it, or by an operator (`None`).
    ///
    /// An operator's word stands. Whoever says that they have lost is believed; that they have won, or that it was a
    /// draw, stands when the other says the same: until then nothing has changed. Saying it again changes nothing.
    pub async fn report_game(
        &self,
        id: MatchId,
        game: u32,
        by: Option<&ParticipantId>,
        winner: Option<ParticipantId>,
        score: Option<(u32, u32)>,
    ) -> Result<(MatchRow, Tournament), ServiceError> {
        let inner = &self.inner;
        let row = match by {
            Some(user) => inner.match_of(id, user).await?,
            None => inner.match_row(id).await?,
        };
        let said = Said { game, by, winner: winner.as_ref(), score };
        let tournament = inner.change(id, |kept, now| kept.hear(&said, now)).await?;
        let row = inner.finish_if_over(row, &tournament).await?;
        Ok((row, tournament))
    }
}

impl Kept {
    /// Takes what somebody says. Returns whether there is something to write.
    fn hear(&mut self, said: &Said<'_>, now: Timestamp) -> Result<bool, TournamentError> {
        let Said { game, by, winner, score } = *said;
        let mut after = self.tournament.clone();
        let changes = after.report(game, winner, score, by, now)?;
        if let (true, Some(user)) = (changes, by) {
            let has_result = self.tournament.game(game).is_some_and(|game| game.result.is_some());
            let concedes = winner.is_some_and(|winner| winner != user);
            if !has_result && !concedes && !self.is_confirmed(said) {
                return Ok(self.claim(game, Claim { by: user.clone(), winner: winner.cloned(), score }));
            }
        }
        if changes {
            self.tournament = after;
            self.claims.remove(&game);
        }
        Ok(changes)
    }

    /// Whether the other player has said the same.
    fn is_confirmed(&self, said: &Said<'_>) -> bool {
        let same = |claim: &Claim| {
            let same_score = claim.score.is_none() || said.score.is_none() || claim.score == said.score;
            Some(&claim.by) != said.by && claim.winner.as_ref() == said.winner && same_score
        };
        self.claims.get(&said.game).into_iter().flatten().any(same)
    }

    /// Keeps what a player says; the last word counts.
    fn claim(&mut self, game: u32, claim: Claim) -> bool {
        let claims = self.claims.entry(game).or_default();
        if claims.contains(&claim) {
            return false;
        }
        claims.retain(|kept| kept.by != claim.by);
        claims.push(claim);
        true
    }
}

impl Inner {
    /// Begins a tournament of these tickets. Returns whether it has begun: not if a ticket was claimed by another, or
    /// somebody can get no seat.
    pub(super) async fn begin_tournament(
        &self,
        queue: &QueueRow,
        waiting: &[Waiting],
        formed: &Formed,
    ) -> Result<bool, ServiceError> {
        let Some(draft) = self.tournament_draft(queue, waiting, formed)? else { return Ok(false) };
        let begun = match self.store.make_tournament(&queue.name, &draft, now()).await {
            Ok(Some(begun)) => begun,
            Ok(None) => return Ok(false),
            Err(OpError::Refused(refused)) => {
                tracing::warn!(queue = %queue.name, error = %refused, "a tournament cannot begin; tried again");
                return Ok(false);
            }
            Err(OpError::Store(error)) => return Err(error.into()),
        };
        self.channels.shared.nudges.nudge(&begun.touched);
        self.counters.proposed.add(1);
        self.counters.confirmed.add(1);
        self.changed_in(&begun.row);
        let detail = serde_json::json!({
            "match": draft.id, "queue": queue.name, "channel": begun.row.channel, "entrants": draft.tickets.len(),
        });
        self.note(&Actor::system(), "tournament.began", detail).await?;
        Ok(true)
    }

    fn tournament_draft(
        &self,
        queue: &QueueRow,
        waiting: &[Waiting],
        formed: &Formed,
    ) -> Result<Option<TournamentDraft>, ServiceError> {
        let Outcome::Tournament { format, region } = &queue.rules.outcome else { return Ok(None) };
        let mut entrants: Vec<&Waiting> = formed.teams.iter().flatten().map(|nth| &waiting[*nth]).collect();
        let strength = |ticket: &&Waiting| (std::cmp::Reverse(ticket.wish.rating), ticket.since, ticket.id);
        entrants.sort_by_key(strength);
        let users = entrants.iter().map(|ticket| ticket.wish.user.clone()).collect();
        let tournament = match Tournament::new(*format, users) {
            Ok(tournament) => tournament,
            Err(error) => {
                tracing::error!(queue = %queue.name, %error, "the rules allow a tournament that cannot be");
                return Ok(None);
            }
        };
        let reserve_for = self.channels.shared.settings.players.reserve_for;
        Ok(Some(TournamentDraft {
            id: MatchId(Uuid::now_v7()),
            tickets: entrants.iter().map(|ticket| (ticket.id, ticket.version)).collect(),
            state: written(&Kept { tournament, claims: BTreeMap::new() }),
            region: region.clone(),
            quality: formed.quality,
            seats_until: now().after(reserve_for),
        }))
    }

    async fn kept(&self, id: MatchId) -> Result<(Kept, i64), ServiceError> {
        let (state, version) = self.store.tournament(id).await?.ok_or(MatchError::NoTournament(id))?;
        let kept = serde_json::from_str(&state)
            .map_err(|error| arena_store::StoreError::Corrupt(format!("tournament {id}: {error}")))?;
        Ok((kept, version))
    }

    /// Changes a tournament, however many do so at the same time. Returns it as it is then.
    async fn change(
        &self,
        id: MatchId,
        change: impl Fn(&mut Kept, Timestamp) -> Result<bool, TournamentError>,
    ) -> Result<Tournament, ServiceError> {
        for _ in 0..TRIES {
            let (mut kept, version) = self.kept(id).await?;
            let now = now();
            if !change(&mut kept, now).map_err(refusal)?
                || self.store.write_tournament(id, version, &written(&kept), now).await?
            {
                return Ok(kept.tournament);
            }
        }
        Err(ServiceError::Overloaded)
    }

    /// A user leaves a tournament; the others play on, and win by forfeit what was to be played against it.
    pub(super) async fn leave_tournament(
        &self,
        row: MatchRow,
        user: &ParticipantId,
    ) -> Result<MatchRow, ServiceError> {
        if row.state != MatchState::Standing {
            return Ok(row);
        }
        let not_in = || MatchError::NotInMatch { user: user.clone(), id: row.id };
        let member =
            row.members.iter().find(|member| users(member).any(|on| on == user)).ok_or_else(not_in)?;
        let (ticket, entrant) = (member.ticket, member.user.clone());
        let tournament = self.change(row.id, |kept, now| kept.tournament.withdraw(&entrant, now)).await?;
        if self.store.leave_match(row.id, ticket, now()).await? {
            self.changed(ticket, [&entrant]);
        }
        self.finish_if_over(row, &tournament).await
    }

    /// Ends the match of a tournament that is over.
    async fn finish_if_over(&self, row: MatchRow, of: &Tournament) -> Result<MatchRow, ServiceError> {
        if row.state != MatchState::Standing || !of.is_over() {
            return Ok(row);
        }
        let Some((row, ended)) = self.end(row.id, MatchEnd::Finished, None, Requeue::No).await? else {
            return Ok(row);
        };
        if ended {
            let detail =
                serde_json::json!({ "match": row.id, "channel": row.channel, "champion": of.champion() });
            self.note(&Actor::system(), "tournament.finished", detail).await?;
        }
        Ok(row)
    }

    /// Ends what a crash has left undone: tournaments that are played, and whose matches stand.
    pub(super) async fn finish_played(&self) -> Result<(), ServiceError> {
        let state = Some(MatchState::Standing);
        let filter = MatchFilter { state, tournaments: true, ..MatchFilter::default() };
        let mut page = PageRequest::first(ROUND);
        loop {
            let rows = self.store.matches(&filter, &page).await?;
            for row in rows.items {
                let (kept, _) = self.kept(row.id).await?;
                self.finish_if_over(row, &kept.tournament).await?;
            }
            match rows.next_cursor {
                Some(cursor) => page.cursor = Some(cursor),
                None => return Ok(()),
            }
        }
    }

    /// A tournament is over: its bots go where they belong, its channel drains, and is closed when its players have left,
    /// after five minutes at the latest. Doing it again changes nothing. Returns whether nothing is left to do.
    pub(super) async fn end_tournament(&self, row: &MatchRow) -> Result<bool, ServiceError> {
        let Some(name) = &row.channel else { return Ok(true) };
        let Some(channel) = self.store.channel(name).await? else { return Ok(true) };
        let (shared, actor) = (&self.channels.shared, Actor::system());
        let seats = channel.channel.seats;
        if seats.mode == Mode::Active {
            let drain = Op::Configure { channel: name.clone(), max_bots: None, mode: Some(Mode::Draining) };
            shared.carry_out(&actor, drain).await?;
        }
        if seats.players > 0 && row.changed_at > ago(now(), millis(LINGER)) {
            return Ok(false);
        }
        shared.carry_out(&actor, Op::Close { channel: name.clone() }).await?;
        Ok(true)
    }
}

fn written(kept: &Kept) -> String {
    serde_json::to_string(kept).expect("invariant: a tournament is JSON")
}

fn refusal(error: TournamentError) -> MatchError {
    match error {
        TournamentError::Contradicts { .. } => MatchError::GameOver(error.to_string()),
        _ => MatchError::InvalidGame(error.to_string()),
    }
}
