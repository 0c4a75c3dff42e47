//! What members say in conversations, and ask of them.

use super::Gateway;
use super::answer::Answer;
use super::dispatch::About;
use super::under_way::{Kind, UnderWay};
use crate::backstage::{Refused, Saying};
use crate::codec::UserPayload;
use crate::policy::Denied;
use crate::session::Session;
use std::sync::Arc;

/// Sayings of one session that wait for their outcome; one more is refused.
const MAX_SAYINGS: u32 = 16;

/// What may be said or asked; which of it takes a service is known backstage.
const EVENTS: [&str; 12] = [
    "message",
    "reserve",
    "release",
    "capacity",
    "context",
    "messages",
    "top_up",
    "close",
    "reopen",
    "system",
    "turn",
    "configure",
];

impl Gateway {
    /// A member says something in its conversation. It takes its place there before anything else of this session is
    /// read, and is answered when it is known what became of it.
    pub(super) fn converse(
        &self,
        session: &Arc<Session>,
        about: &About<'_>,
        conversation: &str,
        event: &str,
        payload: UserPayload<'_>,
        id: Option<&str>,
    ) {
        let answer = Answer::to(session, about);
        let (json, under_way) = match sayable(session, about, event, payload) {
            Ok(sayable) => sayable,
            Err(refused) => return answer.refused(self, event, &refused.into()),
        };
        let who = &*about.membership.who;
        let said = self.inner.backstage.say(Saying { conversation, who, event, json, id });
        let (gateway, event) = (self.clone(), event.to_owned());
        self.begin(Box::pin(async move {
            match said.await {
                Ok(response) => answer.done(&gateway, &response),
                Err(unsaid) => answer.refused(&gateway, &event, &unsaid),
            }
            drop(under_way);
        }));
    }
}

/// What is said, and its place among what is under way.
fn sayable<'a>(
    session: &Arc<Session>,
    about: &About<'_>,
    event: &str,
    payload: UserPayload<'a>,
) -> Result<(&'a str, UnderWay), Refused> {
    let refused = |code: &str, detail: String| Err(Refused { code: code.to_owned(), detail });
    if !about.membership.access.write {
        let denied = Denied::Write(about.topic.clone());
        return refused(denied.code(), denied.to_string());
    }
    if !EVENTS.contains(&event) {
        return refused("UnknownEvent", format!("a conversation knows {}", EVENTS.join(", ")));
    }
    let UserPayload::Json(json) = payload else {
        return refused("invalid_body", "what is said in a conversation is JSON".to_owned());
    };
    match UnderWay::begin(session, Kind::Saying, MAX_SAYINGS) {
        Some(under_way) => Ok((json.get(), under_way)),
        None => refused("too_many_sayings", "wait for the answers to earlier ones".to_owned()),
    }
}
