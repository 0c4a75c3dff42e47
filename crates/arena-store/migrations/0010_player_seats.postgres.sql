-- Players and bots share a channel's seats: `players` is kept by triggers as `bots` is, and the CHECK bounds both.
ALTER TABLE channels ADD COLUMN players BIGINT NOT NULL DEFAULT 0
    CONSTRAINT channels_seats_of_all CHECK (players >= 0 AND bots + players <= max_bots);

CREATE FUNCTION count_players() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE channels SET players = players - 1 WHERE name = OLD.channel;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        UPDATE channels SET players = players + 1 WHERE name = NEW.channel;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER players_inserted AFTER INSERT ON players FOR EACH ROW EXECUTE FUNCTION count_players();

CREATE TRIGGER players_moved AFTER UPDATE OF channel ON players
    FOR EACH ROW WHEN (OLD.channel IS DISTINCT FROM NEW.channel) EXECUTE FUNCTION count_players();

CREATE TRIGGER players_deleted AFTER DELETE ON players FOR EACH ROW EXECUTE FUNCTION count_players();
