//! Inputs: what players do in their worlds.

use super::Gateway;
use super::answer::Answer;
use super::dispatch::About;
use super::under_way::{Kind, UnderWay};
use crate::codec::UserPayload;
use crate::policy::Denied;
use crate::session::Session;
use std::sync::Arc;

impl Gateway {
    /// A member sends an input to its world. The answer comes after the tick that carried it out; what it did is in
    /// the world's next delta.
    pub(super) fn input(
        &self,
        session: &Arc<Session>,
        about: &About<'_>,
        event: &str,
        payload: UserPayload<'_>,
    ) {
        let refuse = |reason: &str| {
            self.count(|counters| &counters.refused_messages);
            self.refuse(session, about.message, reason);
        };
        // A token that was brought since may allow less than the one that the seat was taken with.
        let Some(seat) = about.membership.seat.clone().filter(|_| about.membership.access.write) else {
            return refuse(&Denied::Write(about.topic.clone()).reason());
        };
        let UserPayload::Json(json) = payload else {
            return refuse("bad_input: an input is JSON");
        };
        let Some(under_way) = UnderWay::begin(session, Kind::Input, MAX_INPUTS) else {
            return refuse("too_many_inputs: wait for the answers to earlier ones");
        };
        let (event, input) = (event.to_owned(), json.get().to_owned());
        let answer = Answer::to(session, about);
        let gateway = self.clone();
        let acting = Box::pin(async move {
            let outcome = gateway.inner.backstage.act(&seat.claim, seat.holder, &event, &input).await;
            match outcome {
                Ok(tick) => answer.done(&gateway, &format!("{{\"tick\":{tick}}}")),
                Err(refused) => answer.refused(&gateway, &event, &refused.into()),
            }
            drop(under_way);
        });
        // A stop must not come before its move.
        self.begin(acting);
    }
}

/// Inputs of one session that wait for their ticks; one more is refused.
const MAX_INPUTS: u32 = 16;
