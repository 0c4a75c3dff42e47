-- A deleted channel leaves an orphan (wants_channel = 1, channel NULL), which the sweep returns to main.
-- epoch rises with every change of assignment; what is observed of an older epoch is refused.
CREATE TABLE bots (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL CONSTRAINT bots_name UNIQUE,
    persona TEXT NOT NULL,
    traits TEXT NOT NULL,
    home_zone TEXT,
    region TEXT,
    kind TEXT NOT NULL,
    channel TEXT REFERENCES channels (name) ON DELETE SET NULL,
    wants_channel BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    state TEXT NOT NULL CONSTRAINT bots_state
        CHECK (state IN ('pending', 'deploying', 'live', 'backoff', 'failed', 'disabled')),
    attempt BIGINT NOT NULL,
    retry_at BIGINT,
    reason TEXT,
    world TEXT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

CREATE INDEX bots_by_channel ON bots (channel, state);

CREATE INDEX bots_by_world ON bots (world) WHERE world IS NOT NULL;
