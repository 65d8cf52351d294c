-- The number of an action's verdicts of each kind when they were last stored, so that the inbox shows and filters them without
-- reading checks.
ALTER TABLE actions ADD COLUMN blocks BIGINT NOT NULL DEFAULT 0;
ALTER TABLE actions ADD COLUMN warnings BIGINT NOT NULL DEFAULT 0;
ALTER TABLE actions ADD COLUMN passes BIGINT NOT NULL DEFAULT 0;
UPDATE actions SET
    blocks = (SELECT COUNT(*) FROM json_each(checks) c WHERE c.value ->> 'verdict' = 'block'),
    warnings = (SELECT COUNT(*) FROM json_each(checks) c WHERE c.value ->> 'verdict' IN ('warn', 'unknown')),
    passes = (SELECT COUNT(*) FROM json_each(checks) c WHERE c.value ->> 'verdict' = 'pass');
