-- Who decides. Each version of a tenant's policy is kept as it was written; the built-in one is version 1 and stands in no table.
CREATE TABLE policies (
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    version BIGINT NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    note TEXT COLLATE "C" NOT NULL,
    -- Who switched it on; nobody: an operator at the console.
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

-- What a reviewer asks about an action, and what its proposer answers.
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

-- `ask`: SHA-256 of what is asked for, whatever the reason given and the key: equal proposals have the same.
-- `repeats`: the pending action that this one only repeats; it ends with that one.
-- `pruned_by`: who made it of another by taking parts out.
-- `rule`: which of its policy's rules says who decides it.
-- `own_risk`, `gravest`: what the tool says of its risk, and the worst severity that it waives: each policy makes a class of it.
-- `touched_at`: when another action changed what this one is about.
ALTER TABLE actions ADD COLUMN ask TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE actions ADD COLUMN repeats TEXT COLLATE "C";
ALTER TABLE actions ADD COLUMN pruned_by TEXT COLLATE "C";
ALTER TABLE actions ADD COLUMN rule BIGINT NOT NULL DEFAULT 0;
ALTER TABLE actions ADD COLUMN own_risk TEXT COLLATE "C" CHECK (own_risk IN ('low', 'medium', 'high'));
ALTER TABLE actions ADD COLUMN gravest TEXT COLLATE "C" CHECK (gravest IN ('none', 'low', 'medium', 'high', 'critical'));
ALTER TABLE actions ADD COLUMN touched_at BIGINT;
CREATE INDEX actions_by_ask ON actions (tenant, ask, state, id);
CREATE INDEX actions_repeating ON actions (tenant, repeats, id) WHERE repeats IS NOT NULL;

-- `rests`: the versions of the records that it rested on, and the hashes of evidence.
-- When whoever decided had opened it, which folded parts they had opened, and what they typed.
ALTER TABLE decisions ADD COLUMN rests TEXT COLLATE "C" NOT NULL DEFAULT '{}';
ALTER TABLE decisions ADD COLUMN opened_at BIGINT;
ALTER TABLE decisions ADD COLUMN opened TEXT COLLATE "C" NOT NULL DEFAULT '[]';
ALTER TABLE decisions ADD COLUMN typed TEXT COLLATE "C";

-- What only repeats a pending action is not counted as waiting.
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
