-- The same tables as in SQLite, statement by statement. Differences:
--   text sorts by bytes (COLLATE "C"), as in SQLite; bytes are BYTEA;
--   at the end: SQL functions that SQLite has and PostgreSQL lacks, and row-level security as a second isolation of tenants.
-- Times are BIGINT microseconds since 1970 in UTC. Every key begins with the tenant, except:
--   tokens, sessions: looked up before the tenant is known, by a digest that cannot be guessed.

CREATE TABLE tenants (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE people (
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    id TEXT COLLATE "C" NOT NULL,
    issuer TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    roles TEXT COLLATE "C" NOT NULL,
    asserted_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, issuer, subject)
);
CREATE INDEX people_by_email ON people (tenant, email);

CREATE TABLE teams (
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    id TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, key)
);

CREATE TABLE team_members (
    tenant TEXT COLLATE "C" NOT NULL,
    team_id TEXT COLLATE "C" NOT NULL,
    person_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, team_id, person_id),
    FOREIGN KEY (tenant, team_id) REFERENCES teams (tenant, id),
    FOREIGN KEY (tenant, person_id) REFERENCES people (tenant, id)
);
CREATE INDEX team_members_by_person ON team_members (tenant, person_id);

CREATE TABLE clients (
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name)
);

CREATE TABLE tokens (
    secret_digest TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    caller_id TEXT COLLATE "C" NOT NULL,
    audience TEXT COLLATE "C" NOT NULL,
    scopes TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, id),
    FOREIGN KEY (tenant, caller_id) REFERENCES people (tenant, id)
);

CREATE TABLE sessions (
    id_digest TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    data TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- The numbers in keys of records: WI-12, FND-3.
CREATE TABLE counters (
    tenant TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (tenant, name)
);

CREATE TABLE releases (
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    id TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    severity_threshold TEXT COLLATE "C" NOT NULL,
    commit_id TEXT COLLATE "C",
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, key)
);

CREATE TABLE release_teams (
    tenant TEXT COLLATE "C" NOT NULL,
    release_id TEXT COLLATE "C" NOT NULL,
    team_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, release_id, team_id),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, team_id) REFERENCES teams (tenant, id)
);

CREATE TABLE components (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('application', 'module', 'repository', 'service')),
    key TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    team_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, kind, key),
    FOREIGN KEY (tenant, team_id) REFERENCES teams (tenant, id)
);

CREATE TABLE release_components (
    tenant TEXT COLLATE "C" NOT NULL,
    release_id TEXT COLLATE "C" NOT NULL,
    component_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, release_id, component_id),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, component_id) REFERENCES components (tenant, id)
);

CREATE TABLE certifications (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    release_id TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, key),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id)
);
CREATE INDEX certifications_by_release ON certifications (tenant, release_id);

CREATE TABLE controls (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    release_id TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, release_id, key),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id)
);

CREATE TABLE evidence_files (
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    sha256 TEXT COLLATE "C" NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (tenant, sha256)
);

CREATE TABLE evidence (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    release_id TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    -- The run of the file, which may contain several.
    run BIGINT NOT NULL,
    size BIGINT NOT NULL,
    collected_at BIGINT NOT NULL,
    collected_from TEXT COLLATE "C" NOT NULL,
    imported_at BIGINT NOT NULL,
    commit_id TEXT COLLATE "C",
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, key),
    UNIQUE (tenant, release_id, sha256, run),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, sha256) REFERENCES evidence_files (tenant, sha256)
);

CREATE TABLE evidence_links (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    evidence_id TEXT COLLATE "C" NOT NULL,
    target_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, evidence_id, target_id),
    FOREIGN KEY (tenant, evidence_id) REFERENCES evidence (tenant, id)
);
CREATE INDEX evidence_links_by_target ON evidence_links (tenant, target_id);

CREATE TABLE findings (
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    id TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    identity TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    rule TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    message TEXT COLLATE "C" NOT NULL,
    severity TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    location TEXT COLLATE "C",
    line BIGINT,
    component TEXT COLLATE "C",
    first_seen_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, key),
    UNIQUE (tenant, identity)
);

CREATE TABLE sightings (
    tenant TEXT COLLATE "C" NOT NULL,
    finding_id TEXT COLLATE "C" NOT NULL,
    evidence_id TEXT COLLATE "C" NOT NULL,
    release_id TEXT COLLATE "C" NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, finding_id, evidence_id),
    FOREIGN KEY (tenant, finding_id) REFERENCES findings (tenant, id),
    FOREIGN KEY (tenant, evidence_id) REFERENCES evidence (tenant, id),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id)
);
CREATE INDEX sightings_by_release ON sightings (tenant, release_id, finding_id);

CREATE TABLE blockers (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    release_id TEXT COLLATE "C" NOT NULL,
    finding_id TEXT COLLATE "C",
    control_id TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, key),
    UNIQUE (tenant, release_id, finding_id),
    UNIQUE (tenant, release_id, control_id),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, finding_id) REFERENCES findings (tenant, id),
    FOREIGN KEY (tenant, control_id) REFERENCES controls (tenant, id)
);

CREATE TABLE work_items (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('story', 'task')),
    release_id TEXT COLLATE "C" NOT NULL,
    parent_id TEXT COLLATE "C",
    team_id TEXT COLLATE "C" NOT NULL,
    owner_id TEXT COLLATE "C",
    title TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    priority TEXT COLLATE "C" NOT NULL,
    estimate TEXT COLLATE "C",
    acceptance_criteria TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, number),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, parent_id) REFERENCES work_items (tenant, id) DEFERRABLE,
    FOREIGN KEY (tenant, team_id) REFERENCES teams (tenant, id),
    FOREIGN KEY (tenant, owner_id) REFERENCES people (tenant, id)
);
CREATE INDEX work_items_by_release ON work_items (tenant, release_id, number);
CREATE INDEX work_items_by_parent ON work_items (tenant, parent_id);

-- The findings, controls, evidence and blockers of a work item. The ID's prefix is the kind.
CREATE TABLE work_item_references (
    tenant TEXT COLLATE "C" NOT NULL,
    work_item_id TEXT COLLATE "C" NOT NULL,
    record_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, work_item_id, record_id),
    FOREIGN KEY (tenant, work_item_id) REFERENCES work_items (tenant, id)
);
CREATE INDEX work_item_references_by_record ON work_item_references (tenant, record_id);

-- Words of titles, for the search for similar work items, which Rust code scores.
CREATE TABLE work_item_words (
    tenant TEXT COLLATE "C" NOT NULL,
    word TEXT COLLATE "C" NOT NULL,
    work_item_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, word, work_item_id),
    FOREIGN KEY (tenant, work_item_id) REFERENCES work_items (tenant, id)
);
CREATE INDEX work_item_words_by_item ON work_item_words (tenant, work_item_id);

CREATE TABLE actions (
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    id TEXT COLLATE "C" NOT NULL,
    approval_id TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    caller_id TEXT COLLATE "C" NOT NULL,
    idempotency_key TEXT COLLATE "C" NOT NULL,
    tool TEXT COLLATE "C" NOT NULL,
    tool_version BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('pending_approval', 'approved', 'rejected', 'executed', 'failed')),
    revision BIGINT NOT NULL,
    risk TEXT COLLATE "C" NOT NULL CHECK (risk IN ('low', 'medium', 'high')),
    headline TEXT COLLATE "C" NOT NULL,
    summary TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    workflow TEXT COLLATE "C",
    request_id TEXT COLLATE "C" NOT NULL,
    trace_id TEXT COLLATE "C" NOT NULL,
    call_chain TEXT COLLATE "C" NOT NULL,
    unread TEXT COLLATE "C" NOT NULL,
    release_id TEXT COLLATE "C",
    team_id TEXT COLLATE "C",
    payload TEXT COLLATE "C" NOT NULL,
    payload_digest TEXT COLLATE "C" NOT NULL,
    envelope TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    checks TEXT COLLATE "C" NOT NULL,
    policy_version BIGINT NOT NULL,
    words TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    settled_at BIGINT,
    reason_codes TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C",
    result TEXT COLLATE "C",
    supersedes TEXT COLLATE "C",
    superseded_by TEXT COLLATE "C",
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
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    action_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('approve', 'reject', 'revoke')),
    person_id TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    verdicts TEXT COLLATE "C" NOT NULL,
    acknowledged TEXT COLLATE "C" NOT NULL,
    policy_version BIGINT NOT NULL,
    reason_codes TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    decided_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, action_id) REFERENCES actions (tenant, id),
    FOREIGN KEY (tenant, person_id) REFERENCES people (tenant, id)
);
CREATE INDEX decisions_by_action ON decisions (tenant, action_id, decided_at);
CREATE INDEX decisions_by_time ON decisions (tenant, decided_at);

CREATE TABLE attempts (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    action_id TEXT COLLATE "C" NOT NULL,
    person_id TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL CHECK (outcome IN ('executed', 'failed', 'interrupted')),
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, action_id) REFERENCES actions (tenant, id)
);

-- Who has seen which digest: one row for each person, digest and session.
CREATE TABLE views (
    tenant TEXT COLLATE "C" NOT NULL,
    action_id TEXT COLLATE "C" NOT NULL,
    person_id TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    session TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant, action_id, person_id, digest, session),
    FOREIGN KEY (tenant, action_id) REFERENCES actions (tenant, id)
);

-- The journal of what agents read: one row for each call.
CREATE TABLE reads (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    caller_id TEXT COLLATE "C" NOT NULL,
    trace_id TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    tool TEXT COLLATE "C" NOT NULL,
    arguments_digest TEXT COLLATE "C" NOT NULL,
    record_ids TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX reads_by_time ON reads (tenant, client_id, caller_id, at);

-- The head of each tenant's log, which gives entries their numbers without gaps.
CREATE TABLE audit_heads (
    tenant TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES tenants (id),
    last_seq BIGINT NOT NULL
);

CREATE TABLE audit_entries (
    tenant TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    event TEXT COLLATE "C" NOT NULL,
    action_id TEXT COLLATE "C",
    content_hash TEXT COLLATE "C" NOT NULL,
    leaf_hash TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, seq),
    FOREIGN KEY (tenant) REFERENCES audit_heads (tenant)
);
CREATE INDEX audit_entries_by_action ON audit_entries (tenant, action_id, seq);
CREATE INDEX audit_entries_by_time ON audit_entries (tenant, at, seq);

-- A separate table, so that contents can be purged while the hashes of leaves remain valid.
CREATE TABLE audit_contents (
    tenant TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    salt TEXT COLLATE "C" NOT NULL,
    content TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, seq),
    FOREIGN KEY (tenant, seq) REFERENCES audit_entries (tenant, seq)
);

-- The index of the audit search: one row for each term of an entry.
CREATE TABLE audit_terms (
    tenant TEXT COLLATE "C" NOT NULL,
    term TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (tenant, term, seq)
);

-- Two JSON functions of SQLite, so that both databases share queries. PostgreSQL's own `json_each` takes json, not text.
CREATE FUNCTION json_each(list TEXT) RETURNS TABLE (value TEXT)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 20
AS $$ SELECT item FROM pg_catalog.jsonb_array_elements_text(list::jsonb) AS items (item) $$;

CREATE FUNCTION json_field(record TEXT, field TEXT) RETURNS TEXT
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT record::jsonb OPERATOR(pg_catalog.->>) field $$;
CREATE OPERATOR ->> (LEFTARG = TEXT, RIGHTARG = TEXT, FUNCTION = json_field);

-- The client and caller of a bearer token. The tenant is unknown before, so this lookup bypasses row-level security: it runs as
-- the owner, and needs a digest of 256 bits that cannot be guessed.
CREATE FUNCTION token_holder(digest TEXT)
RETURNS TABLE (tenant TEXT, audience TEXT, expires_at BIGINT, client_id TEXT, client_name TEXT, id TEXT, email TEXT, name TEXT, roles TEXT)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
AS $$
    SELECT t.tenant, t.audience, t.expires_at, c.id, c.name, p.id, p.email, p.name, p.roles FROM tokens t
    JOIN clients c ON c.tenant = t.tenant AND c.id = t.client_id
    JOIN people p ON p.tenant = t.tenant AND p.id = t.caller_id WHERE t.secret_digest = digest
$$;

-- Row-level security: a query without a tenant sees no row. The setting lasts for one transaction. The owner bypasses it, so the
-- service must not be the owner. Not enabled for: tenants (background tasks iterate over them), tokens and sessions (see above).
CREATE FUNCTION wall_off(place TEXT) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', place);
    EXECUTE format('CREATE POLICY own_tenant ON %I USING (tenant = current_setting(''loopiq.tenant'', true)) '
        'WITH CHECK (tenant = current_setting(''loopiq.tenant'', true))', place);
END $$;
REVOKE ALL ON FUNCTION wall_off(TEXT) FROM PUBLIC;

SELECT wall_off(place) FROM unnest(ARRAY[
    'people', 'teams', 'team_members', 'clients', 'counters', 'releases', 'release_teams', 'components', 'release_components',
    'certifications', 'controls', 'evidence_files', 'evidence', 'evidence_links', 'findings', 'sightings', 'blockers', 'work_items',
    'work_item_references', 'work_item_words', 'actions', 'decisions', 'attempts', 'views', 'reads', 'audit_heads', 'audit_entries',
    'audit_contents', 'audit_terms']) AS places (place);

-- Prevents accidental changes of entries by the owner. The service has no right to change them.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit entries cannot be changed or deleted';
END $$;
CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_contents_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_contents FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
