-- Names and ids compare by their bytes, as they do in SQLite, whatever the database's collation is: pages and ranges
-- of names are the same on both. Every column that is compared with one of them follows, or its index is of no use.
ALTER TABLE channel_groups ALTER COLUMN name TYPE TEXT COLLATE "C";

ALTER TABLE channels
    ALTER COLUMN name TYPE TEXT COLLATE "C",
    ALTER COLUMN group_name TYPE TEXT COLLATE "C";

ALTER TABLE bots
    ALTER COLUMN id TYPE TEXT COLLATE "C",
    ALTER COLUMN name TYPE TEXT COLLATE "C",
    ALTER COLUMN channel TYPE TEXT COLLATE "C",
    ALTER COLUMN world TYPE TEXT COLLATE "C";

ALTER TABLE placements
    ALTER COLUMN channel TYPE TEXT COLLATE "C",
    ALTER COLUMN world TYPE TEXT COLLATE "C";

ALTER TABLE positions ALTER COLUMN channel TYPE TEXT COLLATE "C";

ALTER TABLE activity
    ALTER COLUMN id TYPE TEXT COLLATE "C",
    ALTER COLUMN bot TYPE TEXT COLLATE "C",
    ALTER COLUMN channel TYPE TEXT COLLATE "C";

ALTER TABLE replies ALTER COLUMN key TYPE TEXT COLLATE "C";
