-- Where the residents of a channel's world last stood: one row a channel, so that a snapshot is one write.
CREATE TABLE positions (
    channel TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    taken_at BIGINT NOT NULL
);
