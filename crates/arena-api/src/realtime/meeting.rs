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

#[cfg(test)]
mod tests {
    use super::*;
    use arena_bus::Bus;
    use arena_control::{Control, ControlSettings};
    use arena_core::matching::QueueName;
    use arena_realtime::policy::Identity;
    use arena_realtime::token::{Claims, Role};
    use arena_sim::{TownMap, WorldSettings};
    use arena_store::{Store, StoreOptions};
    use arena_testing::TestDatabase;
    use arena_worlds::native::{NativeHost, NativeSettings};
    use serde_json::Value;
    use std::sync::Arc;

    /// A matchmaker whose loops run, and its door.
    struct House {
        meeting: Meeting,
        _control: Control,
        _database: TestDatabase,
    }

    async fn house() -> House {
        let database = TestDatabase::sqlite();
        let store = Store::open(&StoreOptions::new(database.url())).await.unwrap();
        let (map, world, bus) = (TownMap::town(), WorldSettings::default(), Bus::default());
        let settings = NativeSettings { map, world, mailbox: 16, seed: 7, bus: bus.clone(), talk: None };
        let host = NativeHost::new(settings).unwrap();
        let control = Control::start(store, Arc::new(host), bus, ControlSettings::default());
        let meeting = Meeting::new(control.services().matchmaking);
        // The loops make it in a moment.
        while meeting.matchmaking.queue(&QueueName::strangers()).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        House { meeting, _control: control, _database: database }
    }

    impl House {
        async fn ask(&self, user: &str, who: &Identity, event: &str, body: Value) -> Result<Value, String> {
            let json = body.to_string();
            let said = self.meeting.matchmake(&Asking { user, who, event, json: &json }).await;
            said.map(|text| serde_json::from_str(&text).unwrap()).map_err(|unsaid| unsaid.refused.code)
        }

        /// Asks on one's own topic.
        async fn own(&self, user: &str, event: &str, body: Value) -> Result<Value, String> {
            self.ask(user, &who(user), event, body).await
        }

        /// The ticket that a user is on, once it is in this state.
        async fn until(&self, user: &str, state: &str) -> Value {
            loop {
                let told = self.own(user, "match_status", json!({})).await.unwrap();
                if told["ticket"]["state"] == state {
                    return told["ticket"].clone();
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        }
    }

    fn who(user: &str) -> Identity {
        Identity::of(&Claims::of(user, Role::Authenticated, 0, 60))
    }

    fn wish() -> Value {
        json!({"queue": "strangers", "requeue": true})
    }

    #[tokio::test]
    async fn two_strangers_meet_and_part_by_what_they_ask_on_their_topics() {
        let house = house().await;
        assert_eq!(house.own("ann", "match_status", json!({})).await.unwrap(), json!({"ticket": null}));
        for user in ["ann", "bob"] {
            let made = house.own(user, "match_enqueue", wish()).await.unwrap();
            assert_eq!((&made["user"], &made["kind"]), (&json!(user), &json!("human")));
        }
        let ticket = house.until("ann", "proposed").await;
        let of = json!({"match": ticket["match"]["id"]});
        assert!(ticket["match"]["members"][0].get("ticket").is_none(), "partners' tickets are their own");
        let beat = house.own("ann", "match_heartbeat", json!({})).await.unwrap();
        assert_eq!(beat["id"], ticket["id"]);
        assert_eq!(house.own("ann", "match_confirm", of.clone()).await.unwrap()["state"], "proposed");
        assert_eq!(house.own("bob", "match_confirm", of.clone()).await.unwrap()["state"], "standing");
        let over = house.own("ann", "match_skip", of.clone()).await.unwrap();
        assert_eq!((&over["ended"], &over["ended_by"]), (&json!("skipped"), &json!("ann")));
        let waits = house.until("bob", "waiting").await;
        assert_eq!(waits["requeue"], true);
        assert_eq!(house.own("bob", "match_confirm", of).await.unwrap_err(), "match_over");
        assert_eq!(house.own("ann", "match_cancel", json!({})).await.unwrap()["ended"], "cancelled");
        assert_eq!(house.own("ann", "match_cancel", json!({})).await.unwrap_err(), "no_ticket");
    }

    #[tokio::test]
    async fn nobody_asks_for_others_but_services_and_what_is_wrong_has_a_code() {
        let house = house().await;
        let service = Identity::of(&Claims::of("api", Role::ServiceRole, 0, 60));
        let nobody = Identity::anonymous();
        let enqueue = |user: &'static str, who: Identity, body: Value| {
            let house = &house;
            async move { house.ask(user, &who, "match_enqueue", body).await }
        };
        assert_eq!(enqueue("ann", who("eve"), wish()).await.unwrap_err(), "not_your_name");
        let own = Identity { user: "anon-7".into(), ..nobody };
        assert_eq!(house.ask("anon-7", &own, "match_status", json!({})).await.unwrap_err(), "not_your_name");
        assert_eq!(enqueue("ann", service.clone(), wish()).await.unwrap()["user"], "ann");
        let twice = house.own("ann", "match_enqueue", wish()).await;
        assert_eq!(twice.unwrap_err(), "on_another_ticket");
        let bot = Identity { bot: true, ..who("bo") };
        let says_human = json!({"queue": "strangers", "kind": "human"});
        assert_eq!(enqueue("bo", bot, says_human).await.unwrap()["kind"], "bot");
        for (event, body, code) in [
            ("match_enqueue", json!({"queue": "none"}), "queue_not_found"),
            ("match_enqueue", json!({"queue": 7}), "invalid_body"),
            ("match_enqueue", json!([]), "invalid_body"),
            ("match_enqueue", json!({"queue": "strangers", "party": ["ann"]}), "service_only"),
            ("match_heartbeat", json!({}), "no_ticket"),
            ("match_heartbeat", json!({"x": 1}), "invalid_body"),
            ("match_confirm", json!({"match": uuid::Uuid::nil()}), "match_not_found"),
        ] {
            assert_eq!(house.own("eve", event, body.clone()).await.unwrap_err(), code, "{event} {body}");
        }
    }
}
