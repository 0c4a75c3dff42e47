//! Joining a conversation: its log remembers what its stream does not.

use super::start::Start;
use super::{AdmitError, Gateway, LOOKS, Wish, restarting, too_many_topics};
use crate::backstage::{Heard, Line, Missed, Refused};
use crate::gateway::under_way::UnderWay;
use crate::policy::{Denied, Identity};
use arena_bus::{Epoch, Message, Payload, Position, Recovery, View};
use arena_core::conversation::ParticipantId;
use std::sync::Arc;

/// Lines of the log that are given to one who comes back, at most; one who missed more pages through the log.
const MAX_LINES: u64 = 1_000;

/// Lines that are read at once.
const PAGE: u32 = 200;

/// A conversation's log, as far as it is known.
pub(super) struct Log {
    /// Where it ended when it was asked for.
    end: Position,
    /// Whether the roster names whoever joins.
    pub(super) names: bool,
    missed: Reading,
}

/// How far what a client missed has been read.
enum Reading {
    /// Nobody knows yet whether the stream remembers all of it.
    NotBegun,
    /// These lines, which are all that it is to get of those up to `through`.
    Read { through: u64, bytes: usize, lines: Vec<Arc<Message>> },
    /// It is too much, or goes on and on.
    GaveUp,
}

impl Gateway {
    pub(super) async fn enter_conversation(
        &self,
        under_way: &UnderWay,
        wish: &Wish,
        conversation: &str,
    ) -> Result<(), Refused> {
        for _ in 0..LOOKS {
            // The stream is held until the member is in, or another might take its place.
            let heard = self.inner.backstage.listen(conversation).await?;
            if !self.may_hear(&wish.who, &heard) {
                let denied = Denied::Read(wish.topic.clone());
                return Err(Refused { code: denied.code().to_owned(), detail: denied.to_string() });
            }
            let names = is_named(&wish.who, &heard);
            let Heard { position, stream, .. } = heard;
            let mut log = Log { end: position, names, missed: Reading::NotBegun };
            for attempt in 1.. {
                let Some(session) = under_way.session() else { return Ok(()) };
                let admitted = self.admit(&session, wish, None, Start::Log(&log));
                drop(session);
                match admitted {
                    Ok(()) => {
                        // What was said since may have been that it is not open to this one any more.
                        if stream.position() != log.end {
                            self.inner.attendance.note(&wish.topic);
                        }
                        return Ok(());
                    }
                    Err(AdmitError::Topics(error)) => return Err(too_many_topics(error)),
                    Err(AdmitError::Stale) => break,
                    // So much is said that reading does not catch up with it.
                    Err(AdmitError::Unread) if attempt >= LOOKS => log.missed = Reading::GaveUp,
                    Err(AdmitError::Unread) => self.read_on(&mut log, wish, conversation).await?,
                }
            }
        }
        Err(restarting("the conversation is replaced again and again; try again"))
    }

    /// Reads what the client missed, from where the last reading ended.
    async fn read_on(&self, log: &mut Log, wish: &Wish, conversation: &str) -> Result<(), Refused> {
        let Some(asked) = &wish.config.recover else { return Ok(()) };
        // One that was closed as slow has missed a whole outbox, and what was said until it came back.
        let max_bytes = self.limits().outbox_bytes.saturating_mul(2);
        let mut more = true;
        while more && let Some(after) = log.reads_from(asked.offset) {
            let user = &*wish.who.user;
            let missed = self.inner.backstage.missed(conversation, user, after, PAGE).await?;
            more = missed.more;
            log.take(missed, asked.offset, max_bytes);
        }
        Ok(())
    }
}

impl Log {
    /// Whether the stream goes on where the log ended: it may have been replaced meanwhile.
    pub(super) fn is_told_by(&self, view: &View<'_>) -> bool {
        let stands = view.position();
        stands.epoch == self.end.epoch && stands.offset >= self.end.offset
    }

    /// What followed this position up to where the stream stands, of which the stream does not remember the beginning;
    /// `None` if it cannot be said.
    ///
    /// The log may be ahead of the stream: what is written is published a moment later, and comes to the member then.
    pub(super) fn missed(
        &self,
        position: &Position,
        view: &View<'_>,
    ) -> Result<Option<Vec<Arc<Message>>>, AdmitError> {
        let stands = view.position();
        if position.epoch != stands.epoch || position.offset > stands.offset {
            return Ok(None);
        }
        let (through, lines) = match &self.missed {
            Reading::NotBegun => return Err(AdmitError::Unread),
            Reading::GaveUp => return Ok(None),
            Reading::Read { through, lines, .. } => (*through, lines),
        };
        let read = Position { offset: through.min(stands.offset), epoch: stands.epoch.clone() };
        let Recovery::Whole(rest) = view.recover(&read) else { return Err(AdmitError::Unread) };
        let published = lines.iter().filter(|line| line.offset <= stands.offset).cloned();
        Ok(Some(published.chain(rest).collect()))
    }

    /// After which line reading goes on, if it does.
    fn reads_from(&mut self, asked: u64) -> Option<u64> {
        if self.end.offset.saturating_sub(asked) > MAX_LINES {
            self.missed = Reading::GaveUp;
        }
        match &self.missed {
            Reading::NotBegun => Some(asked),
            Reading::Read { through, .. } => Some(*through),
            Reading::GaveUp => None,
        }
    }

    /// Takes more lines, as long as they are not too many, nor of another conversation of that name.
    fn take(&mut self, missed: Missed, asked: u64, max_bytes: usize) {
        let (before, mut bytes, mut lines) = match std::mem::replace(&mut self.missed, Reading::GaveUp) {
            Reading::NotBegun => (asked, 0, Vec::new()),
            Reading::Read { through, bytes, lines } => (through, bytes, lines),
            Reading::GaveUp => return,
        };
        let Missed { lines: new, through, epoch, more } = missed;
        let through = through.max(before);
        bytes += new.iter().map(|line| line.body.len()).sum::<usize>();
        let is_stuck = more && through == before;
        if epoch == self.end.epoch && !is_stuck && through - asked <= MAX_LINES && bytes <= max_bytes {
            lines.extend(new.into_iter().map(|line| Arc::new(message(line, &epoch))));
            self.missed = Reading::Read { through, bytes, lines };
        }
    }
}

/// Residents' talk is listened to by whoever watches their world, and nobody there is waited for.
fn is_named(who: &Identity, heard: &Heard) -> bool {
    let is_it = |participant: &ParticipantId| participant.as_str() == &*who.user;
    !who.anonymous && heard.channel.is_none() && heard.roster.iter().any(is_it)
}

fn message(line: Line, epoch: &Epoch) -> Message {
    Message {
        event: line.event,
        payload: Payload::Json(line.body),
        given_id: line.id,
        author: None,
        from: None,
        audience: None,
        offset: line.offset,
        epoch: epoch.clone(),
        transient: false,
        sequence: 0,
        at_ms: line.at_ms,
    }
}
