-- What the shards of a group share. next_shard only rises: a living shard's number is never taken again.
CREATE TABLE channel_groups (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    region TEXT,
    next_shard BIGINT NOT NULL
);

-- `bots` is kept by triggers on the bots table, so no statement can forget it; channels_seats then refuses every
-- interleaving that would overfill a channel.
CREATE TABLE channels (
    name TEXT PRIMARY KEY,
    group_name TEXT NOT NULL REFERENCES channel_groups (name),
    shard BIGINT NOT NULL,
    kind TEXT NOT NULL,
    region TEXT,
    mode TEXT NOT NULL CONSTRAINT channels_mode CHECK (mode IN ('ACTIVE', 'DRAINING', 'MAINTENANCE')),
    max_bots BIGINT NOT NULL,
    bots BIGINT NOT NULL DEFAULT 0,
    metadata TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT channels_seats CHECK (bots >= 0 AND bots <= max_bots),
    CONSTRAINT channels_shard UNIQUE (group_name, shard)
);
