-- Overdue actions are searched tenant by tenant.
DROP INDEX actions_due;
CREATE INDEX actions_due ON actions (tenant, expires_at, id) WHERE state IN ('pending_approval', 'approved');

CREATE INDEX components_by_key ON components (tenant, key);
CREATE INDEX components_by_name ON components (tenant, name);
CREATE INDEX attempts_by_action ON attempts (tenant, action_id);
