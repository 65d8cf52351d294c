-- People's decisions on findings, and the reasons. `status_expires_at` is RFC 3339 text as given, because people set the date.
ALTER TABLE findings ADD COLUMN justification TEXT;
ALTER TABLE findings ADD COLUMN status_expires_at TEXT;
ALTER TABLE blockers ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE certifications ADD COLUMN statement TEXT;
CREATE INDEX blockers_by_finding ON blockers (tenant, finding_id);
CREATE INDEX blockers_by_control ON blockers (tenant, control_id);

-- A risk that a person has accepted until it expires. Lists are JSON.
CREATE TABLE risk_acceptances (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    release_id TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    finding_ids TEXT NOT NULL,
    control_ids TEXT NOT NULL,
    justification TEXT NOT NULL,
    compensating_controls TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, owner_id) REFERENCES people (tenant, id)
);
CREATE INDEX risk_acceptances_by_release ON risk_acceptances (tenant, release_id);

-- A note on an action. Notes do not change the audit log.
CREATE TABLE audit_notes (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    action_id TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, action_id) REFERENCES actions (tenant, id)
);
CREATE INDEX audit_notes_by_action ON audit_notes (tenant, action_id, id);

-- The evidence that a release uses for each provider and kind.
CREATE TABLE current_evidence (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    release_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    kind TEXT NOT NULL,
    evidence_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, release_id, provider, kind),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, evidence_id) REFERENCES evidence (tenant, id)
);
