-- The number of actions for each caller and state, updated by triggers, because every page of the inbox shows counts.
CREATE TABLE action_counts (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    state TEXT NOT NULL,
    caller_id TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (tenant, state, caller_id)
);
INSERT INTO action_counts (tenant, state, caller_id, count)
SELECT tenant, state, caller_id, COUNT(*) FROM actions GROUP BY tenant, state, caller_id;

CREATE TRIGGER actions_counted AFTER INSERT ON actions
BEGIN
    INSERT INTO action_counts (tenant, state, caller_id, count) VALUES (NEW.tenant, NEW.state, NEW.caller_id, 1)
    ON CONFLICT (tenant, state, caller_id) DO UPDATE SET count = action_counts.count + 1;
END;
CREATE TRIGGER actions_recounted AFTER UPDATE OF state ON actions WHEN OLD.state <> NEW.state
BEGIN
    UPDATE action_counts SET count = count - 1 WHERE tenant = OLD.tenant AND state = OLD.state AND caller_id = OLD.caller_id;
    INSERT INTO action_counts (tenant, state, caller_id, count) VALUES (NEW.tenant, NEW.state, NEW.caller_id, 1)
    ON CONFLICT (tenant, state, caller_id) DO UPDATE SET count = action_counts.count + 1;
END;
