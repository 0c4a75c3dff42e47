-- Players and bots share a channel's seats: `players` is kept by triggers as `bots` is, and the CHECK bounds both.
ALTER TABLE channels ADD COLUMN players BIGINT NOT NULL DEFAULT 0
    CONSTRAINT channels_seats_of_all CHECK (players >= 0 AND bots + players <= max_bots);

CREATE TRIGGER players_inserted AFTER INSERT ON players
BEGIN
    UPDATE channels SET players = players + 1 WHERE name = NEW.channel;
END;

CREATE TRIGGER players_moved AFTER UPDATE OF channel ON players WHEN OLD.channel IS NOT NEW.channel
BEGIN
    UPDATE channels SET players = players - 1 WHERE name = OLD.channel;
    UPDATE channels SET players = players + 1 WHERE name = NEW.channel;
END;

CREATE TRIGGER players_deleted AFTER DELETE ON players
BEGIN
    UPDATE channels SET players = players - 1 WHERE name = OLD.channel;
END;
