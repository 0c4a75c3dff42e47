//! Tournaments: how they begin, what is played in them, and how they end.
//!
//! What was played is written over the version that was read, so that two reports at once are one after the other. A
//! tournament that is over ends its match; the sweep finds one that a crash has left between the two.

use super::Matchmaking;
use super::acting::{Requeue, users};
use super::clock::{ago, millis};
use super::cup::{Cup, Said};
use super::error::MatchError;
use super::service::Inner;
use crate::error::ServiceError;
use arena_core::Timestamp;
use arena_core::admission::{AdmitError, Op};
use arena_core::channel::Mode;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{Formed, MatchEnd, MatchId, MatchState, Outcome, TicketId, Waiting};
use arena_core::tournament::{Tournament, TournamentError};
use arena_store::{Actor, Beginning, MatchRow, OpError, QueueRow, TournamentDraft, now};
use std::time::Duration;
use uuid::Uuid;

/// How long players may stay in the channel of a tournament that is over.
const LINGER: Duration = Duration::from_secs(300);

/// How often a report is tried anew that others were faster than: each of them has got something done.
const TRIES: usize = 64;

/// How long players at least could be heard of before a game is decided without them: outages are not their fault.
const GRACE: Duration = Duration::from_secs(300);

/// Tournaments that are looked up in one statement.
const ROUND: u32 = 500;

impl Matchmaking {
    /// A tournament.
    pub async fn tournament(&self, id: MatchId) -> Result<(MatchRow, Cup), ServiceError> {
        let row = self.inner.match_row(id).await?;
        let (cup, _) = self.inner.cup(id).await?;
        Ok((row, cup))
    }

    /// The result of a game: who has won it (`None` is a draw), and the points of each, if they are told. By a user who
    /// plays it, or by an operator (`None`).
    ///
    /// An operator's word stands. Whoever says that they have lost is believed; that they have won, or that it was a
    /// draw, stands when the other says the same: until then it is a claim, which stands alone when the round's time is up. If
    /// the two contradict each other, operators are told. Saying it again changes nothing.
    pub async fn report_game(
        &self,
        id: MatchId,
        game: u32,
        by: Option<&ParticipantId>,
        winner: Option<ParticipantId>,
        score: Option<(u32, u32)>,
    ) -> Result<(MatchRow, Cup), ServiceError> {
        let inner = &self.inner;
        let row = match by {
            Some(user) => inner.match_of(id, user).await?,
            None => inner.match_row(id).await?,
        };
        let said = Said { game, by, winner: winner.as_ref(), score };
        let (cup, changed) = inner.change(id, |cup, now| cup.hear(&said, now)).await?;
        if changed && cup.is_disputed(game) {
            inner.tell_operators_of_dispute(id, game, cup.claims_of(game));
        }
        let row = inner.finish_if_over(row, &cup.tournament).await?;
        Ok((row, cup))
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
        let now = now();
        let Some(draft) = self.tournament_draft(queue, waiting, formed, now)? else { return Ok(false) };
        let begun = match self.store.make_tournament(&queue.name, &draft, now).await {
            Ok(Beginning::Begun(begun)) => begun,
            Ok(Beginning::Claimed) => return Ok(false),
            Ok(Beginning::Unseated(refused)) => {
                self.unseated(queue, &refused).await?;
                return Ok(false);
            }
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

    /// These tickets are over because their users can get no seat: they are told, and the others are looked at anew.
    async fn unseated(
        &self,
        queue: &QueueRow,
        refused: &[(TicketId, AdmitError)],
    ) -> Result<(), ServiceError> {
        self.changed_unseen(refused.iter().map(|(ticket, _)| *ticket));
        self.nudges.nudge(&queue.name);
        for (ticket, error) in refused {
            let detail =
                serde_json::json!({ "queue": queue.name, "ticket": ticket, "reason": error.to_string() });
            self.note(&Actor::system(), "tournament.no_seat", detail).await?;
        }
        Ok(())
    }

    fn tournament_draft(
        &self,
        queue: &QueueRow,
        waiting: &[Waiting],
        formed: &Formed,
        now: Timestamp,
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
            state: written(&Cup::new(tournament, now, queue.rules.round_ms)),
            region: region.clone(),
            quality: formed.quality,
            seats_until: now.after(reserve_for),
        }))
    }

    async fn cup(&self, id: MatchId) -> Result<(Cup, i64), ServiceError> {
        let (state, version) = self.store.tournament(id).await?.ok_or(MatchError::NoTournament(id))?;
        let cup = serde_json::from_str(&state)
            .map_err(|error| arena_store::StoreError::Corrupt(format!("tournament {id}: {error}")))?;
        Ok((cup, version))
    }

    /// Changes a tournament, however many do so at the same time. Returns it as it is then, and whether it has changed.
    async fn change(
        &self,
        id: MatchId,
        change: impl Fn(&mut Cup, Timestamp) -> Result<bool, TournamentError>,
    ) -> Result<(Cup, bool), ServiceError> {
        for _ in 0..TRIES {
            let (mut cup, version) = self.cup(id).await?;
            let now = now();
            if !change(&mut cup, now).map_err(refusal)? {
                return Ok((cup, false));
            }
            if self.store.write_tournament(id, version, &written(&cup), now).await? {
                return Ok((cup, true));
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
        let (cup, _) = self.change(row.id, |cup, now| cup.withdraw(&entrant, now)).await?;
        if self.store.leave_match(row.id, ticket, now()).await? {
            self.changed(ticket, [&entrant]);
        }
        self.finish_if_over(row, &cup.tournament).await
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

    /// Decides games whose time is up, and ends what a crash has left undone: tournaments that are played, and whose
    /// matches stand. One that fails does not stop the others.
    pub(super) async fn tend_tournaments(&self) -> Result<(), ServiceError> {
        let mut after = None;
        loop {
            let ids = self.store.standing_tournaments(after, ROUND).await?;
            for id in &ids {
                if let Err(error) = self.tend(*id).await {
                    tracing::warn!(match_id = %id, %error, "a tournament cannot be looked at; tried again soon");
                }
            }
            if ids.len() < ROUND as usize {
                return Ok(());
            }
            after = ids.last().copied();
        }
    }

    async fn tend(&self, id: MatchId) -> Result<(), ServiceError> {
        let (mut cup, _) = self.cup(id).await?;
        let now = now();
        let heard = millis(GRACE).min(cup.round_ms / 2);
        if cup.is_overdue(now) && self.hearing.since(now) <= ago(now, heard) {
            (cup, _) = self.change(id, Cup::decide_overdue).await?;
        }
        if cup.tournament.is_over() {
            self.finish_if_over(self.match_row(id).await?, &cup.tournament).await?;
        }
        Ok(())
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

fn written(cup: &Cup) -> String {
    serde_json::to_string(cup).expect("invariant: a tournament is JSON")
}

fn refusal(error: TournamentError) -> MatchError {
    match error {
        TournamentError::Contradicts { .. } => MatchError::GameOver(error.to_string()),
        _ => MatchError::InvalidGame(error.to_string()),
    }
}
