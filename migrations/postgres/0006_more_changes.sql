-- People's decisions on findings, and the reasons. `status_expires_at` is RFC 3339 text as given, because people set the date.
ALTER TABLE findings ADD COLUMN justification TEXT COLLATE "C";
ALTER TABLE findings ADD COLUMN status_expires_at TEXT COLLATE "C";
ALTER TABLE blockers ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE certifications ADD COLUMN statement TEXT COLLATE "C";
CREATE INDEX blockers_by_finding ON blockers (tenant, finding_id);
CREATE INDEX blockers_by_control ON blockers (tenant, control_id);

-- A risk that a person has accepted until it expires. Lists are JSON.
CREATE TABLE risk_acceptances (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    release_id TEXT COLLATE "C" NOT NULL,
    owner_id TEXT COLLATE "C" NOT NULL,
    finding_ids TEXT COLLATE "C" NOT NULL,
    control_ids TEXT COLLATE "C" NOT NULL,
    justification TEXT COLLATE "C" NOT NULL,
    compensating_controls TEXT COLLATE "C" NOT NULL,
    expires_at TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, owner_id) REFERENCES people (tenant, id)
);
CREATE INDEX risk_acceptances_by_release ON risk_acceptances (tenant, release_id);

-- A note on an action. Notes do not change the audit log.
CREATE TABLE audit_notes (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    action_id TEXT COLLATE "C" NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, action_id) REFERENCES actions (tenant, id)
);
CREATE INDEX audit_notes_by_action ON audit_notes (tenant, action_id, id);

-- The evidence that a release uses for each provider and kind.
CREATE TABLE current_evidence (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    release_id TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    evidence_id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, release_id, provider, kind),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, evidence_id) REFERENCES evidence (tenant, id)
);

SELECT wall_off(place) FROM unnest(ARRAY['risk_acceptances', 'audit_notes', 'current_evidence']) AS place;
