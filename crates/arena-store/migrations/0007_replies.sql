-- The first outcome of each Idempotency-Key. status is NULL while the request is still running.
CREATE TABLE replies (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    status BIGINT,
    content_type TEXT,
    body BYTEA,
    created_at BIGINT NOT NULL
);

CREATE INDEX replies_by_time ON replies (created_at);
