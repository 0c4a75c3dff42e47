//! What is behind users' topics: the matchmaker, in the words that REST has for it too.

use super::join_tokens::speaker_of;
use super::talk::{misspoken, not_done, written};
use crate::conversations::wire::WireError;
use crate::matchmaking::Event;
use arena_control::{Matchmaking, ServiceError, TicketBody, TicketView};
use arena_core::conversation::{ConversationId, ParticipantId};
use arena_realtime::{Asking, Refused, Said, Unsaid};
use serde_json::json;

/// The matchmaker, for the gateway.
#[derive(Debug, Clone)]
pub(super) struct Meeting {
    matchmaking: Matchmaking,
}

impl Meeting {
    pub(super) fn new(matchmaking: Matchmaking) -> Meeting {
        Meeting { matchmaking }
    }

    pub(super) fn matchmake(&self, asking: &Asking<'_>) -> Said {
        let asked = read(asking);
        let matchmaking = self.matchmaking.clone();
        Box::pin(async move {
            let (user, event) = asked.map_err(misspoken)?;
            match event {
                Event::Act(act) => written(&act.carry_out(&matchmaking, &user).await.map_err(not_done)?),
                Event::Status => {
                    let view = matchmaking.ticket_of(&user).await.map_err(not_done)?;
                    written(&json!({ "ticket": view.as_ref().map(TicketBody::new) }))
                }
                Event::Heartbeat => {
                    let id = ticket_of(&matchmaking, &user).await?.ticket.id;
                    told(matchmaking.heartbeat(id).await)
                }
                Event::Cancel => {
                    let id = ticket_of(&matchmaking, &user).await?.ticket.id;
                    told(matchmaking.cancel(id).await)
                }
            }
        })
    }

    /// Names that no match could have are nobody's.
    pub(super) async fn attend(&self, conversation: &str, user: &str, present: bool) {
        let (conversation, user) = (conversation.parse::<ConversationId>(), user.parse::<ParticipantId>());
        if let (Ok(conversation), Ok(user)) = (conversation, user) {
            self.matchmaking.attend(&conversation, &user, present).await;
        }
    }
}

/// Who asks for what. Users ask on their own topics only, whatever the topic's policy is.
fn read(asking: &Asking<'_>) -> Result<(ParticipantId, Event), WireError> {
    let Asking { user, who, event, json } = *asking;
    let speaker = speaker_of(who);
    let name: Result<ParticipantId, _> = user.parse();
    let name = name.map_err(|error| WireError::Invalid(error.to_string()))?;
    if !speaker.service {
        speaker.name(Some(name.clone()), "user")?;
    }
    let event = Event::read(event, json, &name, &speaker)?;
    Ok((name, event))
}

/// The ticket that a user is on.
async fn ticket_of(matchmaking: &Matchmaking, user: &ParticipantId) -> Result<TicketView, Unsaid> {
    let view = matchmaking.ticket_of(user).await.map_err(not_done)?;
    view.ok_or_else(|| {
        let detail = format!("`{user}` is on no ticket; match_enqueue makes one");
        Refused { code: "no_ticket".to_owned(), detail }.into()
    })
}

fn told(view: Result<TicketView, ServiceError>) -> Result<String, Unsaid> {
    written(&TicketBody::new(&view.map_err(not_done)?))
}
