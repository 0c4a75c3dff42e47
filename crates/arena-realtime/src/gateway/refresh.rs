//! A new token for a topic, and tokens that end.

use super::Gateway;
use super::dispatch::About;
use super::under_way::{Kind, UnderWay};
use crate::backstage::Refused;
use crate::codec::Status;
use crate::policy::{Denied, Identity};
use crate::session::{Joined, JoinedState, Membership, Session};
use crate::token::{Claims, TokenError, is_key_name, unix_now};
use arena_core::topic::TopicKind;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

#[derive(Deserialize)]
struct Refresh {
    #[serde(default)]
    access_token: Option<String>,
}

/// What has to be done about a token that ends.
enum Ending {
    Warn { wire_topic: Arc<str>, in_secs: i64 },
    Over { serial: u64, secs_ago: i64 },
}

impl Gateway {
    /// A client brings a new token for a topic. One that is not accepted leaves the old one in force.
    pub(super) fn refresh(&self, session: &Arc<Session>, about: &About<'_>, payload: &RawValue) {
        let token = serde_json::from_str::<Refresh>(payload.get()).ok().and_then(|new| new.access_token);
        // None, and an API key that is no JWT: the token of the handshake goes on.
        let Some(token) = token.filter(|token| !is_key_name(token)) else {
            return self.reply(session, about.message, Status::Ok, "{}");
        };
        let verified = self.inner.verifier.verify(&token, unix_now());
        match verified {
            Ok(claims) => match about.topic.kind() {
                TopicKind::Conversation(_) if names_another(&about.membership.who, &claims) => {
                    self.renew_by_roster(session, about, claims);
                }
                _ => self.renewed(session, about, &claims),
            },
            Err(error) => self.refuse(session, about.message, &error.join_reason()),
        }
    }

    /// Whoever is somebody else by a new token may not be among those whom a conversation is open to, which has to be
    /// asked. Until that is known the old token stays in force, and it does where nobody answers.
    fn renew_by_roster(&self, session: &Arc<Session>, about: &About<'_>, claims: Claims) {
        let Some(under_way) = UnderWay::begin(session, Kind::Join, self.limits().pending_joins) else {
            let reason = "ClientJoinRateLimitReached: Too many joins per second";
            return self.refuse(session, about.message, reason);
        };
        let (gateway, message) = (self.clone(), about.message.without_body());
        let (topic, membership) = (about.topic.clone(), about.membership.clone());
        self.spawn(async move {
            let TopicKind::Conversation(conversation) = topic.kind() else { return };
            let heard = gateway.inner.backstage.listen(conversation).await;
            let Some(session) = under_way.session() else { return };
            let who = membership.who.renewed(&claims);
            let about = About { message: &message, topic: topic.clone(), membership };
            match heard {
                Ok(heard) if gateway.may_hear(&who, &heard) => gateway.renewed(&session, &about, &claims),
                Ok(_) => gateway.refused_renewal(&session, &about, &Denied::Read(about.topic.clone())),
                Err(Refused { code, detail }) => {
                    gateway.refuse(&session, about.message, &format!("{code}: {detail}"));
                }
            }
        });
    }

    fn renewed(&self, session: &Session, about: &About<'_>, claims: &Claims) {
        match self.renew(session, about, claims) {
            Ok(()) => {
                let response = format!("{{\"token_ttl_secs\":{}}}", claims.ttl_secs(unix_now()));
                self.reply(session, about.message, Status::Ok, &response);
            }
            Err(denied) => self.refused_renewal(session, about, &denied),
        }
    }

    fn renew(&self, session: &Session, about: &About<'_>, claims: &Claims) -> Result<(), Denied> {
        let who = about.membership.who.renewed(claims);
        let access = self.inner.policy.access(&who, &about.topic, about.membership.access.private)?;
        let (who, mut joined) = (Arc::new(who), session.joined());
        let mut lost = None;
        let same = |membership: &Membership| {
            membership.member == about.membership.member
                && Arc::ptr_eq(&membership.room, &about.membership.room)
        };
        for entry in joined.iter_mut() {
            if let JoinedState::Member(membership) = &mut entry.state
                && same(membership)
            {
                membership.room.rename(membership.member, &who.user);
                membership.who = Arc::clone(&who);
                (membership.access, membership.token_ends) = (access, Some(claims.exp));
                membership.warned = false;
                // The seat goes with the one whom the token names.
                lost = membership.seat.take_if(|seat| who.seat.as_deref() != Some(&*seat.claim));
            }
        }
        drop(joined);
        self.vacate(lost);
        if !access.presence {
            self.hide(&about.membership);
        }
        Ok(())
    }

    /// The new token is good, but not for this topic: whoever it names is out.
    fn refused_renewal(&self, session: &Session, about: &About<'_>, denied: &Denied) {
        self.refuse(session, about.message, &denied.reason());
        let is_it = |joined: &&Joined| {
            *joined.wire_topic == *about.message.topic && joined.is_meant_by(about.message)
        };
        let serial = session.joined().iter().find(is_it).map(|joined| joined.serial);
        if let Some(serial) = serial {
            self.expel(session, serial, Status::Error, "system", &denied.reason());
        }
    }

    /// Warns of tokens that are about to end, and ends what goes by one that has.
    pub(super) fn check_tokens(&self, session: &Session) {
        for ending in self.endings(session) {
            match ending {
                Ending::Warn { wire_topic, in_secs } => {
                    let text = format!("Token expires in {in_secs} seconds");
                    self.system(session, &wire_topic, "token", Status::Ok, &text);
                }
                Ending::Over { serial, secs_ago } => {
                    let text = TokenError::Expired { secs_ago }.join_reason();
                    self.expel(session, serial, Status::Error, "system", &text);
                }
            }
        }
    }

    fn endings(&self, session: &Session) -> Vec<Ending> {
        let (warning, grace) =
            (secs(self.inner.settings.token_warning), secs(self.inner.settings.token_grace));
        let now = unix_now();
        let mut endings = Vec::new();
        for entry in session.joined().iter_mut() {
            let JoinedState::Member(membership) = &mut entry.state else { continue };
            let Some(left) = membership.token_ends.map(|ends| ends.saturating_sub(now)) else { continue };
            if left <= -grace {
                endings.push(Ending::Over { serial: entry.serial, secs_ago: -left });
            } else if left <= warning && !std::mem::replace(&mut membership.warned, true) {
                let wire_topic = Arc::clone(&entry.wire_topic);
                endings.push(Ending::Warn { wire_topic, in_secs: left.max(0) });
            }
        }
        endings
    }
}

fn names_another(who: &Identity, claims: &Claims) -> bool {
    let renewed = who.renewed(claims);
    (&renewed.user, renewed.role) != (&who.user, who.role)
}

fn secs(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
