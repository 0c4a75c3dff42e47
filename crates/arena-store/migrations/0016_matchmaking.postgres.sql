-- Queues of the matchmaker. `rules` is the ruleset as JSON; version rises with every change of it.
CREATE TABLE match_queues (
    name TEXT COLLATE "C" PRIMARY KEY,
    rules TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- A wish to be matched, as JSON; what a match says of its members is in columns too. `version` rises with every change
-- of its state: whoever claims a ticket names the one it has read. `since` is when it began to wait, `ahead` that it
-- comes before those that were not let down. match_id is the match that it is in, or was in last; waited_ms how long it
-- waited for that one, once that stood.
CREATE TABLE tickets (
    id TEXT COLLATE "C" PRIMARY KEY,
    queue TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CONSTRAINT tickets_kind CHECK (kind IN ('human', 'bot')),
    name TEXT COLLATE "C",
    party TEXT,
    wish TEXT NOT NULL,
    state TEXT COLLATE "C" NOT NULL
        CONSTRAINT tickets_state CHECK (state IN ('waiting', 'proposed', 'matched', 'over')),
    ended TEXT COLLATE "C",
    version BIGINT NOT NULL,
    since BIGINT NOT NULL,
    ahead BIGINT NOT NULL CONSTRAINT tickets_ahead CHECK (ahead IN (0, 1)),
    seen_at BIGINT NOT NULL,
    match_id TEXT COLLATE "C",
    waited_ms BIGINT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    CONSTRAINT tickets_end CHECK ((state = 'over') = (ended IS NOT NULL)),
    CONSTRAINT tickets_match CHECK (state IN ('waiting', 'over') OR match_id IS NOT NULL),
    CONSTRAINT tickets_waited CHECK (
        CASE state WHEN 'proposed' THEN waited_ms IS NULL WHEN 'matched' THEN waited_ms IS NOT NULL ELSE 1 = 1 END
    )
);

CREATE INDEX tickets_live ON tickets (queue, state, kind, since) WHERE state <> 'over';

CREATE INDEX tickets_seen ON tickets (queue, seen_at) WHERE state <> 'over';

CREATE INDEX tickets_over ON tickets (changed_at) WHERE state = 'over';

-- Whom nobody met, by why it ended.
CREATE INDEX tickets_unmet ON tickets (ended, changed_at) WHERE state = 'over' AND match_id IS NULL;

CREATE INDEX tickets_ended ON tickets (queue, changed_at) WHERE state = 'over';

CREATE INDEX tickets_by_age ON tickets (created_at, id);

CREATE INDEX tickets_of_user ON tickets (user_id, created_at, id);

-- Who is on a ticket that is not over: nobody is on two, so nobody is in two matches.
CREATE TABLE ticket_users (
    user_id TEXT COLLATE "C" CONSTRAINT ticket_users_once PRIMARY KEY,
    ticket TEXT COLLATE "C" NOT NULL REFERENCES tickets (id)
);

CREATE INDEX ticket_users_by_ticket ON ticket_users (ticket);

-- A match. stood_at is when the last one confirmed. `settled` is 0 from its end on, until its conversation or channel
-- agrees with that.
CREATE TABLE matches (
    id TEXT COLLATE "C" PRIMARY KEY,
    queue TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CONSTRAINT matches_state CHECK (state IN ('proposed', 'standing', 'over')),
    ended TEXT COLLATE "C",
    ended_by TEXT COLLATE "C",
    conversation TEXT COLLATE "C",
    channel TEXT COLLATE "C",
    quality BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    confirm_until BIGINT NOT NULL,
    stood_at BIGINT,
    changed_at BIGINT NOT NULL,
    settled BIGINT NOT NULL CONSTRAINT matches_settled CHECK (settled = 1 OR (settled = 0 AND state = 'over')),
    CONSTRAINT matches_end CHECK ((state = 'over') = (ended IS NOT NULL)),
    CONSTRAINT matches_stood CHECK (
        CASE state WHEN 'proposed' THEN stood_at IS NULL WHEN 'standing' THEN stood_at IS NOT NULL ELSE 1 = 1 END
    )
);

CREATE INDEX matches_proposed ON matches (confirm_until, id) WHERE state = 'proposed';

CREATE INDEX matches_standing ON matches (queue, id) WHERE state = 'standing';

CREATE INDEX matches_tournaments ON matches (id) WHERE state = 'standing' AND channel IS NOT NULL;

CREATE INDEX matches_stood ON matches (queue, stood_at) WHERE stood_at IS NOT NULL;

CREATE INDEX matches_unsettled ON matches (changed_at) WHERE settled = 0;

CREATE INDEX matches_over ON matches (changed_at) WHERE state = 'over';

CREATE INDEX matches_failed ON matches (queue, changed_at) WHERE state = 'over' AND stood_at IS NULL;

CREATE INDEX matches_by_age ON matches (made_at, id);

CREATE INDEX matches_by_conversation ON matches (conversation) WHERE conversation IS NOT NULL;

-- The tickets of a match, and what their users have said to it. away_since is when a member's connection ended.
CREATE TABLE match_members (
    match_id TEXT COLLATE "C" NOT NULL REFERENCES matches (id) ON DELETE CASCADE,
    ticket TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",
    party TEXT,
    team BIGINT NOT NULL,
    confirmed_at BIGINT,
    waited_ms BIGINT,
    away_since BIGINT,
    PRIMARY KEY (match_id, ticket)
);

CREATE INDEX match_members_away ON match_members (away_since) WHERE away_since IS NOT NULL;

-- Users that are not matched with each other until then.
CREATE TABLE match_partings (
    low TEXT COLLATE "C" NOT NULL,
    high TEXT COLLATE "C" NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (low, high),
    CONSTRAINT match_partings_order CHECK (low < high)
);

CREATE INDEX match_partings_by_end ON match_partings (until);

-- Users that are never matched again, by the wish of one.
CREATE TABLE match_blocks (
    user_id TEXT COLLATE "C" NOT NULL,
    blocked TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, blocked)
);

-- What users have said about partners, once of each in a match. Operators read it.
CREATE TABLE match_reports (
    id TEXT COLLATE "C" PRIMARY KEY,
    match_id TEXT COLLATE "C" NOT NULL,
    reporter TEXT COLLATE "C" NOT NULL,
    reported TEXT COLLATE "C" NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX match_reports_once ON match_reports (match_id, reporter, reported);

CREATE INDEX match_reports_by_age ON match_reports (created_at, id);

-- The games of a match that is a tournament, as JSON; version rises with every result.
CREATE TABLE tournaments (
    match_id TEXT COLLATE "C" PRIMARY KEY REFERENCES matches (id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
