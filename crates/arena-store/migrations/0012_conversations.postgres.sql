-- A conversation: what its log added up to at `position`. `key` names it in the log; an id may be used again after a
-- deletion, a key never. due_at is when something happens without anybody's doing, NULL if never.
CREATE TABLE conversations (
    key BIGINT PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL CONSTRAINT conversations_id UNIQUE,
    owner TEXT COLLATE "C",
    root TEXT COLLATE "C",
    state TEXT NOT NULL,
    position BIGINT NOT NULL,
    exhausted BIGINT NOT NULL CONSTRAINT conversations_exhausted CHECK (exhausted IN (0, 1)),
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    due_at BIGINT
);

CREATE INDEX conversations_by_owner ON conversations (owner, key) WHERE owner IS NOT NULL;

CREATE INDEX conversations_by_root ON conversations (root, key) WHERE root IS NOT NULL;

CREATE INDEX conversations_open ON conversations (key) WHERE exhausted = 0;

CREATE INDEX conversations_exhausted ON conversations (key) WHERE exhausted = 1;

CREATE INDEX conversations_by_end ON conversations (changed_at) WHERE exhausted = 1;

CREATE INDEX conversations_due ON conversations (due_at) WHERE due_at IS NOT NULL;
