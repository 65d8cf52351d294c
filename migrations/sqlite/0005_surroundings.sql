-- The records that each open action changes or relies on, to find actions about the same records. A trigger deletes those of
-- closed actions.
CREATE TABLE action_targets (
    tenant TEXT NOT NULL,
    record_id TEXT NOT NULL,
    action_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, record_id, action_id),
    FOREIGN KEY (tenant, action_id) REFERENCES actions (tenant, id)
) WITHOUT ROWID;
CREATE INDEX action_targets_by_action ON action_targets (tenant, action_id);

CREATE TRIGGER actions_ended AFTER UPDATE OF state ON actions WHEN NEW.state IN ('rejected', 'executed', 'failed')
BEGIN
    DELETE FROM action_targets WHERE tenant = NEW.tenant AND action_id = NEW.id;
END;

-- Words that a tenant has added to the generic words of titles.
CREATE TABLE generic_words (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    word TEXT NOT NULL,
    PRIMARY KEY (tenant, word)
) WITHOUT ROWID;

-- For newer evidence of the same kind.
CREATE INDEX evidence_by_kind ON evidence (tenant, release_id, provider, kind, collected_at);
