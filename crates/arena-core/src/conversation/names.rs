//! Names within conversations: parsed once at the edge.

use crate::name::name;

name!(
    /// A conversation, also in its topic `conversation:<id>` and in paths.
    ConversationId,
    "conversation id (1-96 of A-Z a-z 0-9 . _ -)",
    96,
    |c| c.is_ascii_alphanumeric() || "._-".contains(c)
);
name!(
    /// Who talks: a user's id, or a bot's.
    ParticipantId,
    "participant id (1-128 bytes, no control characters)",
    128,
    |c| !c.is_control()
);
name!(
    /// A message, by its sender's choice. A second one under the same id in the same conversation is a repeat. What looks
    /// like the name of a message without an id, `<epoch>:<offset>`, is nobody's to choose.
    MessageId,
    "message id (1-128 visible ASCII characters, not of the form <hex>:<number>, which names messages without an id)",
    128,
    |c| c.is_ascii_graphic(),
    names_a_message_without_id
);
name!(
    /// A part of a budget that is held for somebody.
    ReservationId,
    "reservation id (1-128 visible ASCII characters)",
    128,
    |c| c.is_ascii_graphic()
);

/// Whether it looks like `<epoch>:<offset>`: the conversation's key in lower-case hexadecimal, and the entry's number.
fn names_a_message_without_id(id: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let both = id.split_once(':').filter(|(epoch, offset)| !epoch.is_empty() && !offset.is_empty());
    both.is_some_and(|(epoch, offset)| hex(epoch) && number(offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_chooses_the_name_of_a_message_without_an_id() {
        for taken in ["1:1", "0123456789ab:42", "ffff:007", "12:30"] {
            let error = taken.parse::<MessageId>().unwrap_err().to_string();
            assert!(error.contains("<hex>:<number>"), "{error}");
            assert!(serde_json::from_value::<MessageId>(taken.into()).is_err());
        }
        for free in
            ["m1", "42", "ab", ":", "ab:", ":1", "AB:1", "g:1", "ab:1:2", "ab:1a", "ab-1", "msg:1", "a:-1"]
        {
            assert_eq!(free.parse::<MessageId>().unwrap().as_str(), free);
        }
        assert!("1:1".parse::<ReservationId>().is_ok(), "reservations have no other names");
    }
}
