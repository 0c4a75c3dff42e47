-- Keys of deleted conversations whose log is still to be cleared.
CREATE TABLE deleted_conversations (
    key BIGINT PRIMARY KEY
);
