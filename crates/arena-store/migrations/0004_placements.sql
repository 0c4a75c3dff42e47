-- channel -> world. A row outlives its channel: the epoch must rise even when the name is used again.
CREATE TABLE placements (
    channel TEXT PRIMARY KEY,
    world TEXT,
    epoch BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
