-- The records that each open action changes or relies on, to find actions about the same records. A trigger deletes those of
-- closed actions.
CREATE TABLE action_targets (
    tenant TEXT COLLATE "C" NOT NULL,
    record_id TEXT COLLATE "C" NOT NULL,
    action_id TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, record_id, action_id),
    FOREIGN KEY (tenant, action_id) REFERENCES actions (tenant, id)
);
CREATE INDEX action_targets_by_action ON action_targets (tenant, action_id);

CREATE FUNCTION forget_ended_targets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state IN ('rejected', 'executed', 'failed') THEN
        DELETE FROM action_targets WHERE tenant = NEW.tenant AND action_id = NEW.id;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER actions_ended AFTER UPDATE OF state ON actions FOR EACH ROW EXECUTE FUNCTION forget_ended_targets();
SELECT wall_off('action_targets');

-- Words that a tenant has added to the generic words of titles.
CREATE TABLE generic_words (
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    word TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, word)
);

SELECT wall_off('generic_words');

-- For newer evidence of the same kind.
CREATE INDEX evidence_by_kind ON evidence (tenant, release_id, provider, kind, collected_at);
