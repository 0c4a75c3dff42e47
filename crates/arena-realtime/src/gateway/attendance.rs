//! Members of conversations that are not open to them any more.

use super::Gateway;
use crate::backstage::{Heard, Refused};
use crate::codec::Status;
use crate::policy::{Denied, Identity, attends};
use crate::room::Room;
use crate::session::{JoinedState, Session};
use arena_core::topic::TopicKind;
use std::time::Duration;

/// How long until a roster is asked for again that could not be told.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// The code with which a backstage says that a conversation is gone.
const GONE: &str = "conversation_not_found";

impl Gateway {
    /// Looks after conversations whose rosters have changed, or that have been deleted.
    pub(super) fn check_attendance(&self) {
        for topic in self.inner.attendance.take() {
            let room = self.rooms().get(&topic).cloned();
            if let Some(room) = room {
                let gateway = self.clone();
                self.spawn(async move { gateway.check_attendance_of(&room).await });
            }
        }
    }

    async fn check_attendance_of(&self, room: &Room) {
        let topic = room.stream.topic();
        let TopicKind::Conversation(conversation) = topic.kind() else { return };
        match self.inner.backstage.listen(conversation).await {
            Ok(heard) => self.expel_unless(room, &heard, &Denied::Read(topic.clone()).reason()),
            Err(Refused { code, detail }) if code == GONE => {
                let reason = format!("{code}: {detail}");
                for (session, serial) in room.everybody() {
                    self.expel(&session, serial, Status::Error, "system", &reason);
                }
            }
            Err(_) => {
                tokio::time::sleep(ASK_AGAIN).await;
                self.inner.attendance.note(topic);
            }
        }
    }

    fn expel_unless(&self, room: &Room, heard: &Heard, reason: &str) {
        for (session, serial) in room.everybody() {
            if !self.is_welcome(&session, serial, heard) {
                self.expel(&session, serial, Status::Error, "system", reason);
            }
        }
    }

    /// Whether this member may stay. One that has left meanwhile is nobody's concern.
    fn is_welcome(&self, session: &Session, serial: u64, heard: &Heard) -> bool {
        let joined = session.joined();
        joined.iter().find(|joined| joined.serial == serial).is_none_or(|joined| match &joined.state {
            JoinedState::Member(membership) => self.may_hear(&membership.who, heard),
            JoinedState::Pending => true,
        })
    }

    /// Whether a conversation is open to somebody.
    pub(super) fn may_hear(&self, who: &Identity, heard: &Heard) -> bool {
        match &heard.channel {
            Some(channel) => self.inner.policy.may_watch(who, channel),
            None => attends(who, &heard.roster),
        }
    }

    /// Whether everybody may watch the world of a channel.
    pub fn everybody_may_watch(&self, channel: &str) -> bool {
        self.inner.policy.may_watch(&Identity::anonymous(), channel)
    }
}
