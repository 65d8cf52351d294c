-- What time decides is looked for tenant by tenant.
DROP INDEX actions_due;
CREATE INDEX actions_due ON actions (tenant, expires_at, id) WHERE state IN ('pending_approval', 'approved');

-- With every column in it: SQLite deletes by an index only where it need not look into the table as well, and reads the whole tenant
-- otherwise.
DROP INDEX action_targets_by_action;
CREATE INDEX action_targets_by_action ON action_targets (tenant, action_id, expires_at);
