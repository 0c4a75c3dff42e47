//! What users ask of the matchmaker, on their own topics.

use super::Gateway;
use super::answer::Answer;
use super::dispatch::About;
use super::under_way::{Kind, UnderWay};
use crate::backstage::{Asking, Refused};
use crate::codec::UserPayload;
use crate::session::Session;
use std::sync::Arc;

/// Questions and sayings of one session that wait for their outcome; one more is refused.
const MAX_ASKED: u32 = 16;

/// What they are called. Everything else on a user's topic is a broadcast.
const EVENTS: [&str; 12] = [
    "match_enqueue",
    "match_heartbeat",
    "match_status",
    "match_cancel",
    "match_confirm",
    "match_decline",
    "match_skip",
    "match_leave",
    "match_block",
    "match_unblock",
    "match_report",
    "match_result",
];

/// Whether an event is for the matchmaker. One that is misspelt is not repeated to the user's other sessions.
pub(super) fn is_for_matchmaker(event: &str) -> bool {
    event.starts_with("match_")
}

impl Gateway {
    /// A member of a user's topic asks something for that user. It is answered to this member alone, when it is known what
    /// became of it.
    pub(super) fn matchmake(
        &self,
        session: &Arc<Session>,
        about: &About<'_>,
        user: &str,
        event: &str,
        payload: UserPayload<'_>,
    ) {
        let answer = Answer::always_to(session, about);
        let (json, under_way) = match askable(session, event, payload) {
            Ok(askable) => askable,
            Err(refused) => return answer.refused(self, event, &refused.into()),
        };
        let who = &*about.membership.who;
        let done = self.inner.backstage.matchmake(Asking { user, who, event, json });
        let (gateway, event) = (self.clone(), event.to_owned());
        self.begin(Box::pin(async move {
            match done.await {
                Ok(response) => answer.done(&gateway, &response),
                Err(undone) => answer.refused(&gateway, &event, &undone),
            }
            drop(under_way);
        }));
    }
}

/// What is asked, and its place among what is under way.
fn askable<'a>(
    session: &Arc<Session>,
    event: &str,
    payload: UserPayload<'a>,
) -> Result<(&'a str, UnderWay), Refused> {
    let refused = |code: &str, detail: String| Err(Refused { code: code.to_owned(), detail });
    if !EVENTS.contains(&event) {
        return refused("UnknownEvent", format!("the matchmaker knows {}", EVENTS.join(", ")));
    }
    let UserPayload::Json(json) = payload else {
        return refused("invalid_body", "what is asked of the matchmaker is JSON".to_owned());
    };
    match UnderWay::begin(session, Kind::Saying, MAX_ASKED) {
        Some(under_way) => Ok((json.get(), under_way)),
        None => refused("too_many_sayings", "wait for the answers to earlier ones".to_owned()),
    }
}
