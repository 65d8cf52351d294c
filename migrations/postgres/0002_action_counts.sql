-- The number of actions for each caller and state, updated by triggers, because every page of the inbox shows counts.
CREATE TABLE action_counts (
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    state TEXT COLLATE "C" NOT NULL,
    caller_id TEXT COLLATE "C" NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (tenant, state, caller_id)
);
INSERT INTO action_counts (tenant, state, caller_id, count)
SELECT tenant, state, caller_id, COUNT(*) FROM actions GROUP BY tenant, state, caller_id;
SELECT wall_off('action_counts');

CREATE FUNCTION count_actions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        UPDATE action_counts SET count = count - 1
        WHERE tenant = OLD.tenant AND state = OLD.state AND caller_id = OLD.caller_id;
    END IF;
    INSERT INTO action_counts (tenant, state, caller_id, count) VALUES (NEW.tenant, NEW.state, NEW.caller_id, 1)
    ON CONFLICT (tenant, state, caller_id) DO UPDATE SET count = action_counts.count + 1;
    RETURN NULL;
END $$;
-- Deferred to COMMIT, when the transaction holds the head of its tenant's log, so that proposals do not wait for each other's
-- counts and cannot deadlock.
CREATE CONSTRAINT TRIGGER actions_counted AFTER INSERT ON actions DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION count_actions();
CREATE CONSTRAINT TRIGGER actions_recounted AFTER UPDATE OF state ON actions DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION count_actions();
