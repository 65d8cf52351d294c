-- The versions of a tenant's policy, as written. Version 1 is the built-in policy, which no table contains.
CREATE TABLE policies (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    version BIGINT NOT NULL,
    source TEXT NOT NULL,
    note TEXT NOT NULL,
    -- The operator who switched it on; NULL: at the console.
    person_id TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, version),
    FOREIGN KEY (tenant, person_id) REFERENCES people (tenant, id)
);
CREATE TRIGGER policies_stay BEFORE UPDATE ON policies
BEGIN SELECT RAISE(ABORT, 'versions of a policy cannot be changed'); END;
CREATE TRIGGER policies_remain BEFORE DELETE ON policies
BEGIN SELECT RAISE(ABORT, 'versions of a policy cannot be deleted'); END;

-- A reviewer's question about an action, and the proposer's answer.
CREATE TABLE questions (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    action_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    question TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    answer TEXT,
    answered_at BIGINT,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, action_id) REFERENCES actions (tenant, id),
    FOREIGN KEY (tenant, person_id) REFERENCES people (tenant, id)
);
CREATE INDEX questions_by_action ON questions (tenant, action_id, id);

-- `ask`: SHA-256 of the request without reason and key; equal for equal proposals.
-- `repeats`: the pending action that this action repeats; both are closed together.
-- `pruned_by`: the person who made it from another action by leaving parts out.
-- `rule`: the index of the policy's rule that says who decides it.
-- `own_risk`, `gravest`: the tool's risk, and the highest severity that it waives. A policy derives the risk class from both.
-- `touched_at`: when another action changed a record of this action.
ALTER TABLE actions ADD COLUMN ask TEXT NOT NULL DEFAULT '';
ALTER TABLE actions ADD COLUMN repeats TEXT;
ALTER TABLE actions ADD COLUMN pruned_by TEXT;
ALTER TABLE actions ADD COLUMN rule BIGINT NOT NULL DEFAULT 0;
ALTER TABLE actions ADD COLUMN own_risk TEXT CHECK (own_risk IN ('low', 'medium', 'high'));
ALTER TABLE actions ADD COLUMN gravest TEXT CHECK (gravest IN ('none', 'low', 'medium', 'high', 'critical'));
ALTER TABLE actions ADD COLUMN touched_at BIGINT;
CREATE INDEX actions_by_ask ON actions (tenant, ask, state, id);
CREATE INDEX actions_repeating ON actions (tenant, repeats, id) WHERE repeats IS NOT NULL;

-- `rests`: the versions of the records that the decision relied on, and the hashes of evidence.
-- When the decider had opened the action, which foldable sections were opened, and the typed word.
ALTER TABLE decisions ADD COLUMN rests TEXT NOT NULL DEFAULT '{}';
ALTER TABLE decisions ADD COLUMN opened_at BIGINT;
ALTER TABLE decisions ADD COLUMN opened TEXT NOT NULL DEFAULT '[]';
ALTER TABLE decisions ADD COLUMN typed TEXT;

-- Repetitions of a pending action are not counted as pending.
DROP TRIGGER actions_counted;
DROP TRIGGER actions_recounted;
CREATE TRIGGER actions_counted AFTER INSERT ON actions WHEN NEW.repeats IS NULL OR NEW.state <> 'pending_approval'
BEGIN
    INSERT INTO action_counts (tenant, state, caller_id, count) VALUES (NEW.tenant, NEW.state, NEW.caller_id, 1)
    ON CONFLICT (tenant, state, caller_id) DO UPDATE SET count = action_counts.count + 1;
END;
CREATE TRIGGER actions_recounted AFTER UPDATE OF state ON actions WHEN OLD.state <> NEW.state
BEGIN
    UPDATE action_counts SET count = count - 1 WHERE tenant = OLD.tenant AND state = OLD.state AND caller_id = OLD.caller_id
    AND (OLD.repeats IS NULL OR OLD.state <> 'pending_approval');
    INSERT INTO action_counts (tenant, state, caller_id, count) VALUES (NEW.tenant, NEW.state, NEW.caller_id, 1)
    ON CONFLICT (tenant, state, caller_id) DO UPDATE SET count = action_counts.count + 1;
END;
