-- Times are BIGINT microseconds since 1970 in UTC. Every key begins with the tenant, except:
--   tokens, sessions: looked up before the tenant is known, by a digest that cannot be guessed.

CREATE TABLE tenants (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE people (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    roles TEXT NOT NULL,
    asserted_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, issuer, subject)
);
CREATE INDEX people_by_email ON people (tenant, email);

CREATE TABLE teams (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, key)
);

CREATE TABLE team_members (
    tenant TEXT NOT NULL,
    team_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    PRIMARY KEY (tenant, team_id, person_id),
    FOREIGN KEY (tenant, team_id) REFERENCES teams (tenant, id),
    FOREIGN KEY (tenant, person_id) REFERENCES people (tenant, id)
);
CREATE INDEX team_members_by_person ON team_members (tenant, person_id);

CREATE TABLE clients (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name)
);

CREATE TABLE tokens (
    secret_digest TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    caller_id TEXT NOT NULL,
    audience TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, id),
    FOREIGN KEY (tenant, caller_id) REFERENCES people (tenant, id)
);

CREATE TABLE sessions (
    id_digest TEXT NOT NULL PRIMARY KEY,
    data TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- The numbers in keys of records: WI-12, FND-3.
CREATE TABLE counters (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (tenant, name)
);

CREATE TABLE releases (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    severity_threshold TEXT NOT NULL,
    commit_id TEXT,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, key)
);

CREATE TABLE release_teams (
    tenant TEXT NOT NULL,
    release_id TEXT NOT NULL,
    team_id TEXT NOT NULL,
    PRIMARY KEY (tenant, release_id, team_id),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, team_id) REFERENCES teams (tenant, id)
);

CREATE TABLE components (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('application', 'module', 'repository', 'service')),
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    team_id TEXT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, kind, key),
    FOREIGN KEY (tenant, team_id) REFERENCES teams (tenant, id)
);

CREATE TABLE release_components (
    tenant TEXT NOT NULL,
    release_id TEXT NOT NULL,
    component_id TEXT NOT NULL,
    PRIMARY KEY (tenant, release_id, component_id),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, component_id) REFERENCES components (tenant, id)
);

CREATE TABLE certifications (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    release_id TEXT NOT NULL,
    status TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, key),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id)
);
CREATE INDEX certifications_by_release ON certifications (tenant, release_id);

CREATE TABLE controls (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    key TEXT NOT NULL,
    title TEXT NOT NULL,
    release_id TEXT NOT NULL,
    status TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, release_id, key),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id)
);

CREATE TABLE evidence_files (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    sha256 TEXT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (tenant, sha256)
);

CREATE TABLE evidence (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    key TEXT NOT NULL,
    release_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    -- The run of the file, which may contain several.
    run BIGINT NOT NULL,
    size BIGINT NOT NULL,
    collected_at BIGINT NOT NULL,
    collected_from TEXT NOT NULL,
    imported_at BIGINT NOT NULL,
    commit_id TEXT,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, key),
    UNIQUE (tenant, release_id, sha256, run),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, sha256) REFERENCES evidence_files (tenant, sha256)
);

CREATE TABLE evidence_links (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    evidence_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, evidence_id, target_id),
    FOREIGN KEY (tenant, evidence_id) REFERENCES evidence (tenant, id)
);
CREATE INDEX evidence_links_by_target ON evidence_links (tenant, target_id);

CREATE TABLE findings (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    key TEXT NOT NULL,
    identity TEXT NOT NULL,
    provider TEXT NOT NULL,
    rule TEXT NOT NULL,
    title TEXT NOT NULL,
    message TEXT NOT NULL,
    severity TEXT NOT NULL,
    status TEXT NOT NULL,
    location TEXT,
    line BIGINT,
    component TEXT,
    first_seen_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, key),
    UNIQUE (tenant, identity)
);

CREATE TABLE sightings (
    tenant TEXT NOT NULL,
    finding_id TEXT NOT NULL,
    evidence_id TEXT NOT NULL,
    release_id TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, finding_id, evidence_id),
    FOREIGN KEY (tenant, finding_id) REFERENCES findings (tenant, id),
    FOREIGN KEY (tenant, evidence_id) REFERENCES evidence (tenant, id),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id)
);
CREATE INDEX sightings_by_release ON sightings (tenant, release_id, finding_id);

CREATE TABLE blockers (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    key TEXT NOT NULL,
    release_id TEXT NOT NULL,
    finding_id TEXT,
    control_id TEXT,
    status TEXT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, key),
    UNIQUE (tenant, release_id, finding_id),
    UNIQUE (tenant, release_id, control_id),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, finding_id) REFERENCES findings (tenant, id),
    FOREIGN KEY (tenant, control_id) REFERENCES controls (tenant, id)
);

CREATE TABLE work_items (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    number BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('story', 'task')),
    release_id TEXT NOT NULL,
    parent_id TEXT,
    team_id TEXT NOT NULL,
    owner_id TEXT,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    status TEXT NOT NULL,
    priority TEXT NOT NULL,
    estimate TEXT,
    acceptance_criteria TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, number),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, parent_id) REFERENCES work_items (tenant, id),
    FOREIGN KEY (tenant, team_id) REFERENCES teams (tenant, id),
    FOREIGN KEY (tenant, owner_id) REFERENCES people (tenant, id)
);
CREATE INDEX work_items_by_release ON work_items (tenant, release_id, number);
CREATE INDEX work_items_by_parent ON work_items (tenant, parent_id);

-- The findings, controls, evidence and blockers of a work item. The ID's prefix is the kind.
CREATE TABLE work_item_references (
    tenant TEXT NOT NULL,
    work_item_id TEXT NOT NULL,
    record_id TEXT NOT NULL,
    PRIMARY KEY (tenant, work_item_id, record_id),
    FOREIGN KEY (tenant, work_item_id) REFERENCES work_items (tenant, id)
);
CREATE INDEX work_item_references_by_record ON work_item_references (tenant, record_id);

-- Words of titles, for the search for similar work items, which Rust code scores.
CREATE TABLE work_item_words (
    tenant TEXT NOT NULL,
    word TEXT NOT NULL,
    work_item_id TEXT NOT NULL,
    PRIMARY KEY (tenant, word, work_item_id),
    FOREIGN KEY (tenant, work_item_id) REFERENCES work_items (tenant, id)
) WITHOUT ROWID;
CREATE INDEX work_item_words_by_item ON work_item_words (tenant, work_item_id);

CREATE TABLE actions (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    approval_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    caller_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    tool TEXT NOT NULL,
    tool_version BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending_approval', 'approved', 'rejected', 'executed', 'failed')),
    revision BIGINT NOT NULL,
    risk TEXT NOT NULL CHECK (risk IN ('low', 'medium', 'high')),
    headline TEXT NOT NULL,
    summary TEXT NOT NULL,
    reason TEXT NOT NULL,
    workflow TEXT,
    request_id TEXT NOT NULL,
    trace_id TEXT NOT NULL,
    call_chain TEXT NOT NULL,
    unread TEXT NOT NULL,
    release_id TEXT,
    team_id TEXT,
    payload TEXT NOT NULL,
    payload_digest TEXT NOT NULL,
    envelope TEXT NOT NULL,
    digest TEXT NOT NULL,
    checks TEXT NOT NULL,
    policy_version BIGINT NOT NULL,
    words TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    settled_at BIGINT,
    reason_codes TEXT NOT NULL,
    outcome TEXT,
    result TEXT,
    supersedes TEXT,
    superseded_by TEXT,
    -- A closed action has what belongs to its state, and no other action has it.
    CHECK ((state IN ('rejected', 'executed', 'failed')) = (settled_at IS NOT NULL)),
    CHECK ((state IN ('rejected', 'failed')) = (outcome IS NOT NULL)),
    CHECK ((state = 'executed') = (result IS NOT NULL)),
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, client_id, caller_id, idempotency_key),
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, id),
    FOREIGN KEY (tenant, caller_id) REFERENCES people (tenant, id)
);
CREATE INDEX actions_by_state ON actions (tenant, state, created_at, id);
CREATE INDEX actions_by_time ON actions (tenant, created_at, id);
CREATE INDEX actions_by_caller ON actions (tenant, caller_id, created_at, id);
CREATE INDEX actions_due ON actions (expires_at, tenant, id) WHERE state IN ('pending_approval', 'approved');

CREATE TABLE decisions (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    action_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('approve', 'reject', 'revoke')),
    person_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    verdicts TEXT NOT NULL,
    acknowledged TEXT NOT NULL,
    policy_version BIGINT NOT NULL,
    reason_codes TEXT NOT NULL,
    reason TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, action_id) REFERENCES actions (tenant, id),
    FOREIGN KEY (tenant, person_id) REFERENCES people (tenant, id)
);
CREATE INDEX decisions_by_action ON decisions (tenant, action_id, decided_at);
CREATE INDEX decisions_by_time ON decisions (tenant, decided_at);

CREATE TABLE attempts (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    action_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('executed', 'failed', 'interrupted')),
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, action_id) REFERENCES actions (tenant, id)
);

-- Who has seen which digest: one row for each person, digest and session.
CREATE TABLE views (
    tenant TEXT NOT NULL,
    action_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    session TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant, action_id, person_id, digest, session),
    FOREIGN KEY (tenant, action_id) REFERENCES actions (tenant, id)
);

-- The journal of what agents read: one row for each call.
CREATE TABLE reads (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    caller_id TEXT NOT NULL,
    trace_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    tool TEXT NOT NULL,
    arguments_digest TEXT NOT NULL,
    record_ids TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX reads_by_time ON reads (tenant, client_id, caller_id, at);

-- The head of each tenant's log, which gives entries their numbers without gaps.
CREATE TABLE audit_heads (
    tenant TEXT NOT NULL PRIMARY KEY REFERENCES tenants (id),
    last_seq BIGINT NOT NULL
);

CREATE TABLE audit_entries (
    tenant TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    action_id TEXT,
    content_hash TEXT NOT NULL,
    leaf_hash TEXT NOT NULL,
    PRIMARY KEY (tenant, seq),
    FOREIGN KEY (tenant) REFERENCES audit_heads (tenant)
);
CREATE INDEX audit_entries_by_action ON audit_entries (tenant, action_id, seq);
CREATE INDEX audit_entries_by_time ON audit_entries (tenant, at, seq);

-- A separate table, so that contents can be purged while the hashes of leaves remain valid.
CREATE TABLE audit_contents (
    tenant TEXT NOT NULL,
    seq BIGINT NOT NULL,
    salt TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (tenant, seq),
    FOREIGN KEY (tenant, seq) REFERENCES audit_entries (tenant, seq)
);

-- The index of the audit search: one row for each term of an entry.
CREATE TABLE audit_terms (
    tenant TEXT NOT NULL,
    term TEXT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (tenant, term, seq)
) WITHOUT ROWID;

CREATE TRIGGER audit_entries_stay BEFORE UPDATE ON audit_entries
BEGIN SELECT RAISE(ABORT, 'audit entries cannot be changed'); END;
CREATE TRIGGER audit_entries_remain BEFORE DELETE ON audit_entries
BEGIN SELECT RAISE(ABORT, 'audit entries cannot be deleted'); END;
CREATE TRIGGER audit_contents_stay BEFORE UPDATE ON audit_contents
BEGIN SELECT RAISE(ABORT, 'audit entries cannot be changed'); END;
CREATE TRIGGER audit_contents_remain BEFORE DELETE ON audit_contents
BEGIN SELECT RAISE(ABORT, 'audit entries cannot be deleted'); END;
