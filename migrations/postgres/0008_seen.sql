-- What somebody was shown when they last opened an action, and what a decision rested on: checks and the fields of records, as they
-- were. A page tells by it what has changed since.
ALTER TABLE views ADD COLUMN shown TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE views ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0;
UPDATE views SET seen_at = at;
ALTER TABLE decisions ADD COLUMN facts TEXT COLLATE "C" NOT NULL DEFAULT '{}';
