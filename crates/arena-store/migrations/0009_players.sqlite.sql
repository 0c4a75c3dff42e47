-- A player's seat. `session` is the fence: only the session that holds the seat may give it up. expires_at is NULL
-- while one holds it. epoch rises with every entry.
CREATE TABLE players (
    id TEXT PRIMARY KEY,
    channel TEXT NOT NULL REFERENCES channels (name) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT players_state CHECK (state IN ('reserved', 'seated', 'away')),
    session BIGINT,
    epoch BIGINT NOT NULL,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    CONSTRAINT players_expiry CHECK ((state = 'seated') = (expires_at IS NULL)),
    CONSTRAINT players_session CHECK (state <> 'seated' OR session IS NOT NULL)
);

CREATE INDEX players_by_channel ON players (channel, id);

CREATE INDEX players_by_expiry ON players (expires_at) WHERE expires_at IS NOT NULL;
