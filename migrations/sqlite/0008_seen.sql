-- What a person saw at the last visit of an action, and what a decision relied on: checks and fields of records at the time. Pages
-- compute changes from it.
ALTER TABLE views ADD COLUMN shown TEXT NOT NULL DEFAULT '';
ALTER TABLE views ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0;
UPDATE views SET seen_at = at;
ALTER TABLE decisions ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';
