CREATE TRIGGER bots_inserted AFTER INSERT ON bots WHEN NEW.channel IS NOT NULL
BEGIN
    UPDATE channels SET bots = bots + 1 WHERE name = NEW.channel;
END;

CREATE TRIGGER bots_moved AFTER UPDATE OF channel ON bots WHEN OLD.channel IS NOT NEW.channel
BEGIN
    UPDATE channels SET bots = bots - 1 WHERE name = OLD.channel;
    UPDATE channels SET bots = bots + 1 WHERE name = NEW.channel;
END;

CREATE TRIGGER bots_deleted AFTER DELETE ON bots WHEN OLD.channel IS NOT NULL
BEGIN
    UPDATE channels SET bots = bots - 1 WHERE name = OLD.channel;
END;
