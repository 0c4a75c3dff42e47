CREATE FUNCTION count_seats() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.channel IS NOT NULL THEN
        UPDATE channels SET bots = bots - 1 WHERE name = OLD.channel;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.channel IS NOT NULL THEN
        UPDATE channels SET bots = bots + 1 WHERE name = NEW.channel;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER bots_inserted AFTER INSERT ON bots
    FOR EACH ROW WHEN (NEW.channel IS NOT NULL) EXECUTE FUNCTION count_seats();

CREATE TRIGGER bots_moved AFTER UPDATE OF channel ON bots
    FOR EACH ROW WHEN (OLD.channel IS DISTINCT FROM NEW.channel) EXECUTE FUNCTION count_seats();

CREATE TRIGGER bots_deleted AFTER DELETE ON bots
    FOR EACH ROW WHEN (OLD.channel IS NOT NULL) EXECUTE FUNCTION count_seats();
