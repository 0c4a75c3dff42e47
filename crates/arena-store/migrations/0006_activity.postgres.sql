-- Partitioned by time, so that retention drops whole partitions; they are made by the keeper, a day each. What no
-- partition covers goes to the default one rather than being lost.
CREATE TABLE activity (
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    bot TEXT,
    channel TEXT,
    detail TEXT NOT NULL,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);

CREATE TABLE activity_default PARTITION OF activity DEFAULT;

CREATE INDEX activity_by_bot ON activity (bot, id);

CREATE INDEX activity_by_channel ON activity (channel, id);
