-- Everything that happened in conversations, each numbered from 1 without gaps. The rows lie in the order in which they
-- came (no WITHOUT ROWID): messages of many conversations that are written together change a few pages of the table and
-- a few of its narrow index, and not a page each.
-- No foreign key: a deleted conversation's log is cleared bit by bit afterwards.
CREATE TABLE conversation_log (
    conversation BIGINT NOT NULL,
    position BIGINT NOT NULL,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    message_id TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (conversation, position)
);

CREATE UNIQUE INDEX conversation_log_message_id ON conversation_log (conversation, message_id)
    WHERE message_id IS NOT NULL;
