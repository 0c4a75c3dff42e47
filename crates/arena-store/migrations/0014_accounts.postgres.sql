-- Budgets that several conversations share. `version` rises with every change, so that nobody overwrites another's.
CREATE TABLE accounts (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    state TEXT NOT NULL
);
