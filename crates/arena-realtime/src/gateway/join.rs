//! Joining a topic: who asks, what they may, and what they get to begin with.

mod log;
mod start;
mod welcome;

pub(super) use welcome::snapshot_frame;

use super::Gateway;
use super::company::Place;
use super::under_way::{Kind, UnderWay};
use crate::backstage::{Look, Refused};
use crate::codec::{Body, ClientMessage, Dialect, JoinConfig, Ref, Status, TOPIC_PREFIX};
use crate::policy::{Access, Identity};
use crate::room::{Closed, Terms};
use crate::session::{Joined, JoinedState, Membership, Seat, Session};
use crate::token::{TokenError, unix_now};
use arena_bus::View;
use arena_core::topic::{TopicKind, TopicName};
use serde_json::value::RawValue;
use start::Start;
use std::sync::Arc;

/// How often a world is looked at again when it was replaced in the moment of the join; the same for conversations.
const LOOKS: usize = 3;

/// The longest presence key, in bytes: keys are repeated to everybody.
const MAX_PRESENCE_KEY: usize = 255;

/// A join that is let in, as far as can be said at once.
struct Wish {
    topic: TopicName,
    wire_topic: Arc<str>,
    join_ref: Option<Ref<'static>>,
    reference: Option<Ref<'static>>,
    config: JoinConfig,
    who: Arc<Identity>,
    token_ends: Option<i64>,
    access: Access,
    serial: u64,
}

impl Wish {
    fn dialect(&self, session: &Session) -> Dialect {
        Dialect::of(session.vsn, self.config.names_changes)
    }

    /// Whether what the member says is answered. In a conversation it always is: it may be a question.
    fn wants_answers(&self) -> bool {
        self.config.broadcast.ack || self.is_of_conversation()
    }

    /// Whether the member hears its own messages. In a conversation it always does: what is said there stands in the
    /// log, and everybody's copy of it has every line.
    fn hears_itself(&self) -> bool {
        self.config.broadcast.own || self.is_of_conversation()
    }

    fn is_of_conversation(&self) -> bool {
        matches!(self.topic.kind(), TopicKind::Conversation(_))
    }
}

impl Gateway {
    /// A client joins a topic. One that it has joined before is joined anew; the old one ends without a word, because
    /// some clients take a word about it for one about the new one.
    pub(super) fn join(&self, session: &Arc<Session>, message: &ClientMessage<'_>) {
        match self.wish(session, message) {
            Ok(wish) => self.grant(session, wish),
            Err(reason) => {
                self.count(|counters| &counters.refused_joins);
                self.refuse(session, message, &reason);
            }
        }
    }

    /// Checks everything that needs no waiting.
    fn wish(&self, session: &Session, message: &ClientMessage<'_>) -> Result<Wish, String> {
        let topic = message.topic.strip_prefix(TOPIC_PREFIX).ok_or("unmatched topic")?;
        if topic.is_empty() {
            return Err("TopicNameRequired: a topic has a name after realtime:".to_owned());
        }
        let topic: TopicName = topic.parse().map_err(|error| format!("InvalidTopic: {error}"))?;
        self.may_join(session, message)?;
        let config = config(session, message);
        let (who, token_ends) = self.who(session, &config).map_err(|error| error.join_reason())?;
        let access =
            self.inner.policy.access(&who, &topic, config.private).map_err(|denied| denied.reason())?;
        Ok(Wish {
            topic,
            wire_topic: (&*message.topic).into(),
            join_ref: message.join_ref.clone().map(Ref::into_owned),
            reference: message.reference.clone().map(Ref::into_owned),
            config,
            who,
            token_ends,
            access,
            serial: self.next_id(),
        })
    }

    fn may_join(&self, session: &Session, message: &ClientMessage<'_>) -> Result<(), String> {
        let joined = session.joined();
        let others = || joined.iter().filter(|joined| *joined.wire_topic != *message.topic);
        let pending = others().filter(|joined| matches!(joined.state, JoinedState::Pending)).count();
        let (all, pending) = (others().count() as u32, pending as u32);
        let refused = self.inner.limiter.join(&session.buckets, all - pending, pending);
        refused.map_err(|refusal| refusal.reason())
    }

    /// By the token of the join, else by that of the handshake.
    fn who(
        &self,
        session: &Session,
        config: &JoinConfig,
    ) -> Result<(Arc<Identity>, Option<i64>), TokenError> {
        if let Some(token) = &config.access_token {
            let claims = self.inner.verifier.verify(token, unix_now())?;
            return Ok((Arc::new(session.who.renewed(&claims)), Some(claims.exp)));
        }
        match session.token_ends.map(|ends| unix_now().saturating_sub(ends)) {
            Some(secs_ago @ 0..) => Err(TokenError::Expired { secs_ago }),
            _ => Ok((Arc::clone(&session.who), session.token_ends)),
        }
    }

    fn grant(&self, session: &Arc<Session>, wish: Wish) {
        let mut joined = session.joined();
        let old = joined.iter().position(|joined| joined.wire_topic == wish.wire_topic);
        let old = old.map(|index| joined.swap_remove(index));
        joined.push(Joined {
            wire_topic: Arc::clone(&wish.wire_topic),
            topic: wish.topic.clone(),
            join_ref: wish.join_ref.clone(),
            serial: wish.serial,
            state: JoinedState::Pending,
            seat_taken: false,
        });
        drop(joined);
        if let Some(old) = old {
            self.depart(old);
        }
        match wish.topic.kind() {
            TopicKind::World(_) | TopicKind::Conversation(_) => self.grant_later(session, wish),
            _ => {
                if let Err(reason) = self.admit(session, &wish, None, Start::Stream) {
                    self.fail(session, &wish, &reason.to_string());
                }
            }
        }
    }

    /// What is behind the topic has to be asked, and a world's seat taken, which takes time: meanwhile the session goes
    /// on.
    fn grant_later(&self, session: &Arc<Session>, wish: Wish) {
        let Some(under_way) = UnderWay::begin(session, Kind::Join, self.limits().pending_joins) else {
            return self.fail(session, &wish, "ClientJoinRateLimitReached: Too many joins per second");
        };
        let gateway = self.clone();
        self.spawn(async move {
            let entered = match wish.topic.kind() {
                TopicKind::World(channel) => gateway.enter_world(&under_way, &wish, channel).await,
                TopicKind::Conversation(id) => gateway.enter_conversation(&under_way, &wish, id).await,
                _ => Ok(()),
            };
            if let (Err(Refused { code, detail }), Some(session)) = (entered, under_way.session()) {
                gateway.fail(&session, &wish, &format!("{code}: {detail}"));
            }
        });
    }

    async fn enter_world(&self, under_way: &UnderWay, wish: &Wish, channel: &str) -> Result<(), Refused> {
        let backstage = &self.inner.backstage;
        let claim = wish.who.seat.as_ref().filter(|seat| seat.channel == channel);
        let (look, seat) = match claim {
            None => (backstage.look(channel).await?, None),
            Some(claim) => {
                // Noted before the answer: a later join may take the seat away before we hear that it was ours.
                self.seated().insert(wish.serial, under_way.weak());
                let seat = Some(Seat { claim: Arc::clone(claim), holder: wish.serial });
                let entered = match backstage.enter(claim, wish.serial).await {
                    Ok(entered) => entered,
                    Err(refused) => {
                        // It may have been ours before something else failed; an exit from another's seat is none.
                        self.vacate(seat);
                        return Err(refused);
                    }
                };
                if let Some(holder) = entered.took_over {
                    self.unseat(holder);
                }
                (entered.look, seat)
            }
        };
        let admitted = self.admit_at_last(under_way, wish, channel, seat.clone(), look).await;
        if admitted.is_err() {
            self.vacate(seat);
        }
        admitted
    }

    /// Admits with a look that belongs to the stream as it is then; looks again if the world was replaced meanwhile.
    async fn admit_at_last(
        &self,
        under_way: &UnderWay,
        wish: &Wish,
        channel: &str,
        seat: Option<Seat>,
        mut look: Look,
    ) -> Result<(), Refused> {
        for _ in 0..LOOKS {
            let Some(session) = under_way.session() else {
                self.vacate(seat);
                return Ok(());
            };
            let admitted = self.admit(&session, wish, seat.clone(), Start::World(&look));
            drop(session);
            match admitted {
                Ok(()) => return Ok(()),
                Err(AdmitError::Topics(error)) => return Err(too_many_topics(error)),
                Err(AdmitError::Stale | AdmitError::Unread) => {
                    look = self.inner.backstage.look(channel).await?;
                }
            }
        }
        Err(restarting("the world is replaced again and again; try again"))
    }

    /// Takes the session into the room, and sends what it gets to begin with. The list of topics stays locked until
    /// it stands there as a member, so that nothing the client sends after the answer finds it half in.
    fn admit(
        &self,
        session: &Arc<Session>,
        wish: &Wish,
        seat: Option<Seat>,
        start: Start<'_>,
    ) -> Result<(), AdmitError> {
        let mut joined = session.joined();
        let Some(entry) = joined.iter_mut().find(|joined| joined.serial == wish.serial) else {
            // It has left meanwhile, or gone altogether.
            drop(joined);
            self.vacate(seat);
            return Ok(());
        };
        let (room, member) = loop {
            let room = self.room(&wish.topic, wish.access)?;
            let presence = room.presence_mode();
            let welcome = |view: View<'_>| self.welcome(session, wish, start, presence, &view);
            // A room that has just closed has a successor.
            let terms = Terms {
                user: Arc::clone(&wish.who.user),
                serial: wish.serial,
                dialect: wish.dialect(session),
                echo: wish.hears_itself(),
            };
            match room.admit(session, terms, welcome) {
                Ok(Ok(member)) => break (Arc::clone(&room), member),
                Ok(Err(error)) => {
                    // It may have been opened for nobody.
                    self.close_room_if_empty(&room);
                    return Err(error);
                }
                Err(Closed) => {}
            }
        };
        let attends = start.names().then(|| place(wish)).flatten();
        attends.iter().for_each(|place| self.come(place));
        entry.state = JoinedState::Member(Membership {
            room: Arc::clone(&room),
            member,
            who: Arc::clone(&wish.who),
            access: wish.access,
            token_ends: wish.token_ends,
            dialect: wish.dialect(session),
            seat,
            attends,
            ack: wish.wants_answers(),
            id_field: wish.config.broadcast.id_field.as_deref().map(Arc::from),
            presence_key: presence_key(wish),
            warned: false,
        });
        let seat_taken = entry.seat_taken;
        drop(joined);
        self.count(|counters| &counters.joins);
        if wish.config.presence.enabled {
            room.tell_presence(member);
        }
        if seat_taken {
            self.expel_taken(session, wish.serial);
        }
        Ok(())
    }

    fn fail(&self, session: &Session, wish: &Wish, reason: &str) {
        self.count(|counters| &counters.refused_joins);
        let mut joined = session.joined();
        let Some(listed) = joined.iter().position(|joined| joined.serial == wish.serial) else {
            // It was left or joined anew meanwhile: an answer would be taken for one to the new join.
            return;
        };
        joined.swap_remove(listed);
        drop(joined);
        let response = serde_json::json!({ "reason": reason }).to_string();
        self.answer(session, wish, Status::Error, &response);
    }
}

/// Why a session does not get into a room.
#[derive(Debug, thiserror::Error)]
enum AdmitError {
    #[error("TooManyTopics: {0}")]
    Topics(#[from] arena_bus::OpenError),
    /// What was looked at is not what the stream tells of any more.
    #[error("what is behind the topic was replaced in this moment")]
    Stale,
    /// The stream does not remember what the client missed: it has to be read from the log.
    #[error("what was missed has to be read first")]
    Unread,
}

fn too_many_topics(error: arena_bus::OpenError) -> Refused {
    Refused { code: "TooManyTopics".to_owned(), detail: error.to_string() }
}

fn restarting(detail: &str) -> Refused {
    Refused { code: "RealtimeRestarting".to_owned(), detail: detail.to_owned() }
}

fn config(session: &Session, message: &ClientMessage<'_>) -> JoinConfig {
    let payload = match &message.body {
        Body::Json(payload) => payload,
        _ => RawValue::NULL,
    };
    let (config, complaints) = JoinConfig::parse(payload);
    for complaint in complaints {
        tracing::debug!(session = session.id, %complaint, "a join has an odd setting; its default is taken");
    }
    config
}

/// Where somebody is who joins a conversation.
fn place(wish: &Wish) -> Option<Place> {
    let TopicKind::Conversation(conversation) = wish.topic.kind() else { return None };
    Some(Place { conversation: conversation.into(), user: Arc::clone(&wish.who.user) })
}

/// Of the client's choice, but for conversations: there it is the member's name, because a key could hold a message. One
/// official client takes everything that has a key `ids` for something else, and breaks.
fn presence_key(wish: &Wish) -> Arc<str> {
    let fits = |key: &&str| key.len() <= MAX_PRESENCE_KEY && *key != "ids";
    let key =
        if wish.is_of_conversation() { Some(&*wish.who.user) } else { wish.config.presence.key.as_deref() };
    match key.filter(fits) {
        Some(key) => key.into(),
        None => uuid::Uuid::new_v4().to_string().into(),
    }
}
