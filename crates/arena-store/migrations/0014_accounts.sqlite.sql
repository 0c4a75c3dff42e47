-- Budgets that several conversations share. `version` rises with every change, so that nobody overwrites another's.
CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    state TEXT NOT NULL
);
