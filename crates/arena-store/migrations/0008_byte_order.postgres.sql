-- Names and ids compare by their bytes, as they do in SQLite, whatever the database's collation is: pages and ranges
-- of names are the same on both. Every column that is compared with one of them follows, or its index is of no use.
ALTER TABLE channel_groups ALTER COLUMN name TYPE TEXT COLLATE "C";

ALTER TABLE channels
    ALTER COLUMN name TYPE TEXT COLLATE "C",
    ALTER COLUMN group_name TYPE TEXT COLLATE "C";

-- A column that a trigger watches cannot change its type.
DROP TRIGGER bots_inserted ON bots;

DROP TRIGGER bots_moved ON bots;

DROP TRIGGER bots_deleted ON bots;

ALTER TABLE bots
    ALTER COLUMN id TYPE TEXT COLLATE "C",
    ALTER COLUMN name TYPE TEXT COLLATE "C",
    ALTER COLUMN channel TYPE TEXT COLLATE "C",
    ALTER COLUMN world TYPE TEXT COLLATE "C";

CREATE TRIGGER bots_inserted AFTER INSERT ON bots
    FOR EACH ROW WHEN (NEW.channel IS NOT NULL) EXECUTE FUNCTION count_seats();

CREATE TRIGGER bots_moved AFTER UPDATE OF channel ON bots
    FOR EACH ROW WHEN (OLD.channel IS DISTINCT FROM NEW.channel) EXECUTE FUNCTION count_seats();

CREATE TRIGGER bots_deleted AFTER DELETE ON bots
    FOR EACH ROW WHEN (OLD.channel IS NOT NULL) EXECUTE FUNCTION count_seats();

ALTER TABLE placements
    ALTER COLUMN channel TYPE TEXT COLLATE "C",
    ALTER COLUMN world TYPE TEXT COLLATE "C";

ALTER TABLE positions ALTER COLUMN channel TYPE TEXT COLLATE "C";

ALTER TABLE activity
    ALTER COLUMN id TYPE TEXT COLLATE "C",
    ALTER COLUMN bot TYPE TEXT COLLATE "C",
    ALTER COLUMN channel TYPE TEXT COLLATE "C";

ALTER TABLE replies ALTER COLUMN key TYPE TEXT COLLATE "C";
