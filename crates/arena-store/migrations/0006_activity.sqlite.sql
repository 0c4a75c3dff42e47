CREATE TABLE activity (
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    bot TEXT,
    channel TEXT,
    detail TEXT NOT NULL,
    PRIMARY KEY (id, at)
);

CREATE INDEX activity_by_time ON activity (at);

CREATE INDEX activity_by_bot ON activity (bot, id);

CREATE INDEX activity_by_channel ON activity (channel, id);
