-- The versions of a tenant's policy, as written. Version 1 is the built-in policy, which no table contains.
CREATE TABLE policies (
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    version BIGINT NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    note TEXT COLLATE "C" NOT NULL,
    -- The operator who switched it on; NULL: at the console.
    person_id TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, version),
    FOREIGN KEY (tenant, person_id) REFERENCES people (tenant, id)
);
SELECT wall_off('policies');
CREATE FUNCTION refuse_policy_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'versions of a policy cannot be changed or deleted';
END $$;
CREATE TRIGGER policies_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON policies FOR EACH STATEMENT EXECUTE FUNCTION refuse_policy_change();

-- A reviewer's question about an action, and the proposer's answer.
CREATE TABLE questions (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    action_id TEXT COLLATE "C" NOT NULL,
    person_id TEXT COLLATE "C" NOT NULL,
    question TEXT COLLATE "C" NOT NULL,
    asked_at BIGINT NOT NULL,
    answer TEXT COLLATE "C",
    answered_at BIGINT,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, action_id) REFERENCES actions (tenant, id),
    FOREIGN KEY (tenant, person_id) REFERENCES people (tenant, id)
);
CREATE INDEX questions_by_action ON questions (tenant, action_id, id);
SELECT wall_off('questions');

-- `ask`: SHA-256 of the request without reason and key; equal for equal proposals.
-- `repeats`: the pending action that this action repeats; both are closed together.
-- `pruned_by`: the person who made it from another action by leaving parts out.
-- `rule`: the index of the policy's rule that says who decides it.
-- `own_risk`, `gravest`: the tool's risk, and the highest severity that it waives. A policy derives the risk class from both.
-- `touched_at`: when another action changed a record of this action.
ALTER TABLE actions ADD COLUMN ask TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE actions ADD COLUMN repeats TEXT COLLATE "C";
ALTER TABLE actions ADD COLUMN pruned_by TEXT COLLATE "C";
ALTER TABLE actions ADD COLUMN rule BIGINT NOT NULL DEFAULT 0;
ALTER TABLE actions ADD COLUMN own_risk TEXT COLLATE "C" CHECK (own_risk IN ('low', 'medium', 'high'));
ALTER TABLE actions ADD COLUMN gravest TEXT COLLATE "C" CHECK (gravest IN ('none', 'low', 'medium', 'high', 'critical'));
ALTER TABLE actions ADD COLUMN touched_at BIGINT;
CREATE INDEX actions_by_ask ON actions (tenant, ask, state, id);
CREATE INDEX actions_repeating ON actions (tenant, repeats, id) WHERE repeats IS NOT NULL;

-- `rests`: the versions of the records that the decision relied on, and the hashes of evidence.
-- When the decider had opened the action, which foldable sections were opened, and the typed word.
ALTER TABLE decisions ADD COLUMN rests TEXT COLLATE "C" NOT NULL DEFAULT '{}';
ALTER TABLE decisions ADD COLUMN opened_at BIGINT;
ALTER TABLE decisions ADD COLUMN opened TEXT COLLATE "C" NOT NULL DEFAULT '[]';
ALTER TABLE decisions ADD COLUMN typed TEXT COLLATE "C";

-- Repetitions of a pending action are not counted as pending.
CREATE OR REPLACE FUNCTION count_actions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.repeats IS NOT NULL AND NEW.state = 'pending_approval' THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        UPDATE action_counts SET count = count - 1
        WHERE tenant = OLD.tenant AND state = OLD.state AND caller_id = OLD.caller_id
        AND (OLD.repeats IS NULL OR OLD.state <> 'pending_approval');
    END IF;
    INSERT INTO action_counts (tenant, state, caller_id, count) VALUES (NEW.tenant, NEW.state, NEW.caller_id, 1)
    ON CONFLICT (tenant, state, caller_id) DO UPDATE SET count = action_counts.count + 1;
    RETURN NULL;
END $$;
