//! In whose name a request may speak.

use super::WireError;
use arena_core::conversation::{ConversationId, ParticipantId};
use arena_realtime::policy::is_residents;

/// Whoever sends a request, as far as conversations are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speaker {
    /// The subject of the token; `None` where it names nobody, or where there is no token.
    pub user: Option<ParticipantId>,
    /// Whether it may speak for anybody, and run conversations.
    pub service: bool,
    /// Whether the token says that it is a bot's.
    pub bot: bool,
    /// The longest text, and the longest data beside it, in bytes.
    pub max_text_bytes: usize,
    /// When its token ends, in seconds since 1970; `None` where there is none.
    pub token_ends: Option<i64>,
}

impl Speaker {
    /// How long a text may be where nothing else is said, in bytes.
    pub const MAX_TEXT_BYTES: usize = 16_384;

    /// Somebody who speaks in their own name only.
    pub fn user(name: ParticipantId) -> Speaker {
        Speaker { user: Some(name), ..Speaker::nobody() }
    }

    /// One that may speak for anybody, and run conversations.
    pub fn service() -> Speaker {
        Speaker { service: true, ..Speaker::nobody() }
    }

    /// One without a name, such as the bearer of an anonymous token: may read, and say nothing.
    pub fn nobody() -> Speaker {
        Speaker {
            user: None,
            service: false,
            bot: false,
            max_text_bytes: Speaker::MAX_TEXT_BYTES,
            token_ends: None,
        }
    }

    /// In whose name something is asked, of whom `given` stands under `field` in the body. Users may leave it out;
    /// a service has to say it, because there is no name that it would share with others.
    pub(crate) fn name(
        &self,
        given: Option<ParticipantId>,
        field: &'static str,
    ) -> Result<ParticipantId, WireError> {
        match (given, &self.user) {
            (Some(name), _) if self.service => Ok(name),
            (None, _) if self.service => Err(WireError::Invalid(format!("missing field `{field}`: say who"))),
            (None, Some(user)) => Ok(user.clone()),
            (Some(name), Some(user)) if name == *user => Ok(name),
            (given, _) => Err(WireError::NotYourName { name: given.map(String::from) }),
        }
    }

    /// Refuses whoever may not speak in a conversation, whatever it would say: what residents say to each other is heard in
    /// their worlds, and nobody else puts words there but services.
    pub(crate) fn may_speak_in(&self, id: &ConversationId) -> Result<(), WireError> {
        if is_residents(id.as_str()) { self.must_be_service() } else { Ok(()) }
    }

    /// Refuses whoever is not a service.
    pub(crate) fn must_be_service(&self) -> Result<(), WireError> {
        if self.service { Ok(()) } else { Err(WireError::ServiceOnly) }
    }
}
