-- Times are BIGINT microseconds since 1970 in UTC. Every key begins with the tenant, except:
--   tokens, sessions: looked up before the tenant is known, by a digest that cannot be guessed;
--   installation: applies to the whole installation.
-- WITHOUT ROWID stores the rows in the primary key itself: one B-tree instead of two. The tables whose rows can be longer than about 200
-- bytes keep a rowid, because a B-tree with long rows is deep (https://sqlite.org/withoutrowid.html).

-- The kind of this installation: `demo` or `production`, decided permanently at its first start. One row, which never changes.
CREATE TABLE installation (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    kind TEXT NOT NULL CHECK (kind IN ('demo', 'production')),
    created_at BIGINT NOT NULL
);

CREATE TABLE tenants (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;

-- `email`: a verified address in lower case, or a claim that ends with ` (not verified)` and equals no address.
-- `roles`: computed (`catalog_people.rs`): `asserted_roles`, the roles that the provider asserted at the last sign-in, or if it asserted
-- none (NULL), those of the catalog.
-- `same_as`: the first of the accounts that operators have linked as one person; the first account names itself.
CREATE TABLE people (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    roles TEXT NOT NULL,
    asserted_roles TEXT,
    asserted_at BIGINT NOT NULL,
    same_as TEXT,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, issuer, subject)
) WITHOUT ROWID;
CREATE INDEX people_by_email ON people (tenant, email);
CREATE INDEX people_by_same_as ON people (tenant, same_as) WHERE same_as IS NOT NULL;

-- Every address of an account, and since when. An account that gets the former address of another account cannot decide until operators
-- have identified it.
CREATE TABLE person_addresses (
    tenant TEXT NOT NULL,
    address TEXT NOT NULL,
    person_id TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (tenant, address, person_id),
    FOREIGN KEY (tenant, person_id) REFERENCES people (tenant, id)
) WITHOUT ROWID;
CREATE INDEX person_addresses_by_person ON person_addresses (tenant, person_id, address, since);

-- Accounts that share an address and, as operators have stated, belong to different people. `one` < `other`.
CREATE TABLE people_apart (
    tenant TEXT NOT NULL,
    one TEXT NOT NULL,
    other TEXT NOT NULL,
    PRIMARY KEY (tenant, one, other),
    FOREIGN KEY (tenant, one) REFERENCES people (tenant, id),
    FOREIGN KEY (tenant, other) REFERENCES people (tenant, id)
) WITHOUT ROWID;

CREATE TABLE teams (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    -- When a catalog stopped to declare it; NULL: it is in use.
    retired_at BIGINT,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, key)
) WITHOUT ROWID;

-- Computed (`catalog_people.rs`) from `catalog_members`, `catalog_groups`, the addresses of people and their groups.
CREATE TABLE team_members (
    tenant TEXT NOT NULL,
    team_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    PRIMARY KEY (tenant, team_id, person_id),
    FOREIGN KEY (tenant, team_id) REFERENCES teams (tenant, id),
    FOREIGN KEY (tenant, person_id) REFERENCES people (tenant, id)
) WITHOUT ROWID;
CREATE INDEX team_members_by_person ON team_members (tenant, person_id);

-- Members of teams, as the catalog declares them: by e-mail address, whether the person has signed in or not.
CREATE TABLE catalog_members (
    tenant TEXT NOT NULL,
    team_id TEXT NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (tenant, team_id, address),
    FOREIGN KEY (tenant, team_id) REFERENCES teams (tenant, id)
) WITHOUT ROWID;
CREATE INDEX catalog_members_by_address ON catalog_members (tenant, address);

-- Groups of the identity provider whose people are members of a team.
CREATE TABLE catalog_groups (
    tenant TEXT NOT NULL,
    team_id TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (tenant, team_id, name),
    FOREIGN KEY (tenant, team_id) REFERENCES teams (tenant, id)
) WITHOUT ROWID;
CREATE INDEX catalog_groups_by_name ON catalog_groups (tenant, name);

-- The roles that the catalog gives to people, by e-mail address. `roles` is a JSON list.
CREATE TABLE catalog_roles (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    address TEXT NOT NULL,
    roles TEXT NOT NULL,
    PRIMARY KEY (tenant, address)
) WITHOUT ROWID;

-- The groups that the identity provider asserted at a person's last sign-in.
CREATE TABLE person_groups (
    tenant TEXT NOT NULL,
    person_id TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (tenant, person_id, name),
    FOREIGN KEY (tenant, person_id) REFERENCES people (tenant, id)
) WITHOUT ROWID;
CREATE INDEX person_groups_by_name ON person_groups (tenant, name);

-- Programs with tokens. `identity`: tells programs with one name apart: `name:...` for a program that an operator or a command named, a URL for a client
-- that publishes its metadata, a digest of the metadata for a client that registered.
CREATE TABLE clients (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    identity TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, identity)
) WITHOUT ROWID;

-- What a client may do: a person consented to it (`oauth`), or an operator created it (`service`). `person_id`: for whom the client acts; NULL for a
-- program of the tenant. `scopes`: JSON. `client_key`: a digest of the OAuth client ID. `created_by`: the person who consented or created it;
-- NULL at the console. `used_at` is stored at intervals.
CREATE TABLE grants (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('oauth', 'service')),
    client_id TEXT NOT NULL,
    client_key TEXT,
    person_id TEXT,
    scopes TEXT NOT NULL,
    name TEXT NOT NULL,
    created_by TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    revoked_at BIGINT,
    revoked_by TEXT,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, id),
    FOREIGN KEY (tenant, person_id) REFERENCES people (tenant, id)
);
CREATE INDEX grants_by_person ON grants (tenant, person_id, id);

-- What agents may not write for now. `target`: `agents`, `tool:NAME` or `client:ID`. `client_id`: of a paused client. `paused_by`: NULL at the
-- console. A row is deleted when an operator resumes; the log has the history.
CREATE TABLE pauses (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    target TEXT NOT NULL,
    client_id TEXT,
    reason TEXT NOT NULL,
    paused_by TEXT,
    paused_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, target),
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, id),
    FOREIGN KEY (tenant, paused_by) REFERENCES people (tenant, id)
) WITHOUT ROWID;

-- The secrets of grants, by their keyed digests. `spent_at`: when a code or refresh token was used, which happens once. `binding`: what the request
-- for the code was bound to, as JSON; NULL for other kinds.
CREATE TABLE tokens (
    secret_digest TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('access', 'refresh', 'code')),
    audience TEXT NOT NULL,
    binding TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    spent_at BIGINT,
    FOREIGN KEY (tenant, grant_id) REFERENCES grants (tenant, id)
);
CREATE INDEX tokens_by_grant ON tokens (tenant, grant_id);
CREATE INDEX tokens_by_expiry ON tokens (expires_at);

-- Sessions of browsers. `id_digest`: a keyed digest of the secret in the cookie; `id`: the session's public name. `tenant` and `person_id`: NULL
-- until a person of several tenants has chosen one of `tenants` (JSON). `issued_at`, `authenticated_at`: by the identity provider's clock. `prompted`: 1
-- if `issued_at` says when the person authenticated: the service asked for it (prompt=login), and the provider sends no auth_time; else 0.
-- `seen_at`, `address` and `agent` are stored at intervals. `expires_at`: when the session ends if it is not used; never after `ends_at`.
CREATE TABLE sessions (
    id_digest TEXT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT,
    person_id TEXT,
    tenants TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    sid TEXT,
    issued_at BIGINT NOT NULL,
    authenticated_at BIGINT,
    prompted BIGINT NOT NULL,
    acr TEXT,
    id_token TEXT,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    address TEXT,
    agent TEXT,
    data TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_person ON sessions (tenant, person_id, seen_at);
CREATE INDEX sessions_by_subject ON sessions (issuer, subject);
CREATE INDEX sessions_by_sid ON sessions (issuer, sid) WHERE sid IS NOT NULL;

-- The numbers in keys of records: WI-12, FND-3.
CREATE TABLE counters (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (tenant, name)
) WITHOUT ROWID;

-- Requests of operators, which a second operator confirms. `made_by`: NULL for the console.
CREATE TABLE operator_requests (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    -- The requested change, as JSON, which is never updated.
    change TEXT NOT NULL,
    summary TEXT NOT NULL,
    made_by TEXT,
    made_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    status TEXT NOT NULL,
    settled_by TEXT,
    settled_at BIGINT,
    -- The outcome, as a sentence.
    outcome TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, made_by) REFERENCES people (tenant, id),
    FOREIGN KEY (tenant, settled_by) REFERENCES people (tenant, id)
);
CREATE INDEX operator_requests_by_state ON operator_requests (tenant, status, made_at, id);

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

CREATE TABLE releases (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    severity_threshold TEXT NOT NULL,
    commit_id TEXT,
    version BIGINT NOT NULL,
    retired_at BIGINT,
    -- The last decision of a person about the status, for the catalog page. decided_by is NULL: at the console.
    decided_by TEXT,
    decided_at BIGINT,
    decided_because TEXT,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, key),
    FOREIGN KEY (tenant, decided_by) REFERENCES people (tenant, id)
) WITHOUT ROWID;

CREATE TABLE release_teams (
    tenant TEXT NOT NULL,
    release_id TEXT NOT NULL,
    team_id TEXT NOT NULL,
    PRIMARY KEY (tenant, release_id, team_id),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, team_id) REFERENCES teams (tenant, id)
) WITHOUT ROWID;

CREATE TABLE components (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('application', 'module', 'repository', 'service')),
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    team_id TEXT NOT NULL,
    retired_at BIGINT,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, kind, key),
    FOREIGN KEY (tenant, team_id) REFERENCES teams (tenant, id)
) WITHOUT ROWID;
CREATE INDEX components_by_key ON components (tenant, key);
CREATE INDEX components_by_name ON components (tenant, name);

CREATE TABLE release_components (
    tenant TEXT NOT NULL,
    release_id TEXT NOT NULL,
    component_id TEXT NOT NULL,
    PRIMARY KEY (tenant, release_id, component_id),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, component_id) REFERENCES components (tenant, id)
) WITHOUT ROWID;

CREATE TABLE certifications (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    release_id TEXT NOT NULL,
    status TEXT NOT NULL,
    statement TEXT,
    version BIGINT NOT NULL,
    -- The last decision of a person about the status, for the catalog page. decided_by is NULL: at the console.
    decided_by TEXT,
    decided_at BIGINT,
    decided_because TEXT,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, key),
    FOREIGN KEY (tenant, decided_by) REFERENCES people (tenant, id),
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
    -- When the assessment was made that gave the status; NULL: none did.
    assessed_at BIGINT,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, release_id, key),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id)
) WITHOUT ROWID;
-- AC-2 (as people write it) and ac-2 (as documents do) are one control. An import looks up every control.
CREATE INDEX controls_by_upper_key ON controls (tenant, release_id, UPPER(key));

CREATE TABLE evidence_files (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    sha256 TEXT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (tenant, sha256)
);

-- The bytes of a large file, in parts that are written one by one. The file's row in evidence_files is then empty.
CREATE TABLE evidence_parts (
    tenant TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    part BIGINT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (tenant, sha256, part),
    FOREIGN KEY (tenant, sha256) REFERENCES evidence_files (tenant, sha256)
);

-- The result of the last time that the bytes of a file were hashed. It is a table of its own, because SQLite writes a whole row again, bytes
-- included, if one of its columns changes.
CREATE TABLE evidence_verifications (
    tenant TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('intact', 'changed', 'missing')),
    verified_at BIGINT NOT NULL,
    -- When the scrub hashes the file again.
    due_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, sha256),
    FOREIGN KEY (tenant, sha256) REFERENCES evidence_files (tenant, sha256)
);
CREATE INDEX evidence_verifications_by_due_time ON evidence_verifications (tenant, due_at);
CREATE INDEX evidence_verifications_by_state ON evidence_verifications (tenant, state);

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
    -- What was scanned; empty: neither the importer nor the file names it. One file can be the result for several.
    component TEXT NOT NULL DEFAULT '',
    -- 0 while the file's findings are not all stored: no reader sees the evidence and no proposal cites it.
    complete BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, key),
    -- The same bytes of a later run are another evidence: a check that says the same again is newer.
    UNIQUE (tenant, release_id, sha256, run, component, collected_at),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, sha256) REFERENCES evidence_files (tenant, sha256)
);
-- For newer evidence of the same kind.
CREATE INDEX evidence_by_kind ON evidence (tenant, release_id, provider, kind, collected_at);
-- For the evidence that a changed file contains.
CREATE INDEX evidence_by_file ON evidence (tenant, sha256);
-- For interrupted imports.
CREATE INDEX evidence_incomplete ON evidence (tenant, id) WHERE complete = 0;

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
) WITHOUT ROWID;

CREATE TABLE evidence_links (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    evidence_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, evidence_id, target_id),
    FOREIGN KEY (tenant, evidence_id) REFERENCES evidence (tenant, id)
) WITHOUT ROWID;
CREATE INDEX evidence_links_by_target ON evidence_links (tenant, target_id);

-- `justification`, `status_expires_at`: people's decisions on findings. `status_expires_at` is RFC 3339 text as given, because people
-- set the date; `status_ends_at` is the same time as a number. `decided_at`: when a person's decision set the status; NULL: a scan did.
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
    justification TEXT,
    status_expires_at TEXT,
    status_ends_at BIGINT,
    decided_at BIGINT,
    -- Names of what is affected by the vulnerability, as JSON: package URL, CPE name, BOM-Link.
    products TEXT,
    -- 1 if only statements on the vulnerability (VEX) show it, and no scan.
    stated BIGINT NOT NULL DEFAULT 0,
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

-- For statuses that have ended.
CREATE INDEX findings_by_end ON findings (tenant, status_ends_at) WHERE status_ends_at IS NOT NULL;

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
) WITHOUT ROWID;

-- A finding in a release. `scope`: a digest of what the scan examined (tool, component and part), so that a newer scan of the same can miss the finding.
-- `not_seen_since`: when the first complete newer scan of the same scope without the finding was made; NULL: the newest one shows the finding.
CREATE TABLE release_findings (
    tenant TEXT NOT NULL,
    release_id TEXT NOT NULL,
    finding_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    not_seen_since BIGINT,
    -- 1 if the newest scan of the release suppresses the finding.
    suppressed BIGINT NOT NULL DEFAULT 0,
    -- What a statement (VEX) says, if it sets the finding aside in this release.
    verdict TEXT,
    PRIMARY KEY (tenant, release_id, finding_id),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, finding_id) REFERENCES findings (tenant, id)
) WITHOUT ROWID;
CREATE INDEX release_findings_by_finding ON release_findings (tenant, finding_id);
CREATE INDEX release_findings_by_scope ON release_findings (tenant, release_id, scope, last_seen_at) WHERE not_seen_since IS NULL;

-- The IDs of vulnerabilities, in lower case, by which statements find findings.
CREATE TABLE finding_vulnerabilities (
    tenant TEXT NOT NULL,
    vulnerability TEXT NOT NULL,
    finding_id TEXT NOT NULL,
    PRIMARY KEY (tenant, vulnerability, finding_id),
    FOREIGN KEY (tenant, finding_id) REFERENCES findings (tenant, id)
) WITHOUT ROWID;
CREATE INDEX finding_vulnerabilities_by_finding ON finding_vulnerabilities (tenant, finding_id);

-- Statements on vulnerabilities (VEX) of a release: one row for each ID of the vulnerability, in lower case. `products` is JSON.
CREATE TABLE vex_statements (
    tenant TEXT NOT NULL,
    release_id TEXT NOT NULL,
    vulnerability TEXT NOT NULL,
    evidence_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    products TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    stated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, release_id, vulnerability, evidence_id, position),
    FOREIGN KEY (tenant, evidence_id) REFERENCES evidence (tenant, id)
) WITHOUT ROWID;

-- The newest complete scan of each scope in a release.
CREATE TABLE complete_scans (
    tenant TEXT NOT NULL,
    release_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    collected_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, release_id, scope),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id)
) WITHOUT ROWID;

CREATE TABLE blockers (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    key TEXT NOT NULL,
    release_id TEXT NOT NULL,
    finding_id TEXT,
    control_id TEXT,
    status TEXT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, key),
    UNIQUE (tenant, release_id, finding_id),
    UNIQUE (tenant, release_id, control_id),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, finding_id) REFERENCES findings (tenant, id),
    FOREIGN KEY (tenant, control_id) REFERENCES controls (tenant, id)
) WITHOUT ROWID;
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

-- The findings and controls whose risk is accepted in a release now: one row each, of the acceptance that was made last. The row is deleted
-- when the acceptance ends.
CREATE TABLE accepted_risks (
    tenant TEXT NOT NULL,
    release_id TEXT NOT NULL,
    record_id TEXT NOT NULL,
    acceptance_id TEXT NOT NULL,
    ends_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, release_id, record_id),
    FOREIGN KEY (tenant, acceptance_id) REFERENCES risk_acceptances (tenant, id)
) WITHOUT ROWID;
CREATE INDEX accepted_risks_by_record ON accepted_risks (tenant, record_id);
CREATE INDEX accepted_risks_by_end ON accepted_risks (tenant, ends_at);

-- Running or interrupted imports of large files: the number of stored records, and the report so far. The last batch deletes the row.
CREATE TABLE imports (
    tenant TEXT NOT NULL,
    release_id TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    -- SHA-256 over the records in their order. Another program version may read the same file differently.
    plan TEXT NOT NULL,
    done BIGINT NOT NULL,
    report TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, release_id, sha256),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id)
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

-- The keys of the work items that a catalog created.
CREATE TABLE catalog_work_items (
    tenant TEXT NOT NULL,
    release_id TEXT NOT NULL,
    key TEXT NOT NULL,
    work_item_id TEXT NOT NULL,
    PRIMARY KEY (tenant, release_id, key),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id),
    FOREIGN KEY (tenant, work_item_id) REFERENCES work_items (tenant, id)
) WITHOUT ROWID;
CREATE INDEX catalog_work_items_by_item ON catalog_work_items (tenant, work_item_id);

-- The findings, controls, evidence and blockers of a work item. The ID's prefix is the kind.
CREATE TABLE work_item_references (
    tenant TEXT NOT NULL,
    work_item_id TEXT NOT NULL,
    record_id TEXT NOT NULL,
    PRIMARY KEY (tenant, work_item_id, record_id),
    FOREIGN KEY (tenant, work_item_id) REFERENCES work_items (tenant, id)
) WITHOUT ROWID;
CREATE INDEX work_item_references_by_record ON work_item_references (tenant, record_id);

-- Folded words of titles (pairs of characters in scripts without spaces), for the search for similar work items, which Rust code scores.
CREATE TABLE work_item_words (
    tenant TEXT NOT NULL,
    word TEXT NOT NULL,
    work_item_id TEXT NOT NULL,
    PRIMARY KEY (tenant, word, work_item_id),
    FOREIGN KEY (tenant, work_item_id) REFERENCES work_items (tenant, id)
) WITHOUT ROWID;
CREATE INDEX work_item_words_by_item ON work_item_words (tenant, work_item_id);

-- Words that a tenant has added to the generic words of titles.
CREATE TABLE generic_words (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    word TEXT NOT NULL,
    PRIMARY KEY (tenant, word)
) WITHOUT ROWID;

-- `risk`: the class that the policy derives from `tool_risk`, the tool's own risk, and `max_severity`, the highest severity that the action
-- waives.
-- `unread_ids`: the cited records that the client had not read.
-- `request_digest`: SHA-256 of the request without reason and key; equal for equal proposals.
-- `blocks`, `warnings`, `passes`: the number of `checks` of each verdict, so that the inbox shows and filters them without reading checks.
-- `policy_rule_index`: the index of the policy's rule that says who decides the action.
-- `search_text`: the folded text (NFKC, without case) that the inbox searches.
-- `repeats_action_id`: the pending action that this action repeats; both are closed together.
-- `pruned_by`: the person who made the action from another action by leaving parts out.
-- `targets_changed_at`: when another action changed a record of this action.
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
    tool_risk TEXT NOT NULL CHECK (tool_risk IN ('low', 'medium', 'high')),
    max_severity TEXT CHECK (max_severity IN ('none', 'low', 'medium', 'high', 'critical')),
    headline TEXT NOT NULL,
    summary TEXT NOT NULL,
    reason TEXT NOT NULL,
    workflow TEXT,
    request_id TEXT NOT NULL,
    trace_id TEXT NOT NULL,
    client_request_id TEXT,
    client_trace_id TEXT,
    call_chain TEXT NOT NULL,
    unread_ids TEXT NOT NULL,
    release_id TEXT,
    team_id TEXT,
    payload_digest TEXT NOT NULL,
    -- SHA-256 of the envelope.
    digest TEXT NOT NULL,
    request_digest TEXT NOT NULL,
    checks TEXT NOT NULL,
    blocks BIGINT NOT NULL,
    warnings BIGINT NOT NULL,
    passes BIGINT NOT NULL,
    policy_version BIGINT NOT NULL,
    policy_rule_index BIGINT NOT NULL,
    search_text TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    closed_at BIGINT,
    reason_codes TEXT NOT NULL,
    outcome TEXT,
    result TEXT,
    supersedes TEXT,
    superseded_by TEXT,
    repeats_action_id TEXT,
    pruned_by TEXT,
    targets_changed_at BIGINT,
    -- A closed action has what belongs to its state, and no other action has it.
    CHECK ((state IN ('rejected', 'executed', 'failed')) = (closed_at IS NOT NULL)),
    CHECK ((state IN ('rejected', 'failed')) = (outcome IS NOT NULL)),
    CHECK ((state = 'executed') = (result IS NOT NULL)),
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, client_id, caller_id, idempotency_key),
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, id),
    FOREIGN KEY (tenant, caller_id) REFERENCES people (tenant, id)
);
-- IDs begin with the time of the proposal, so that an index in the order of IDs is in the order of age.
CREATE INDEX actions_by_state ON actions (tenant, state, id);
CREATE INDEX actions_by_caller ON actions (tenant, caller_id, id);
CREATE INDEX actions_due ON actions (tenant, expires_at, id) WHERE state IN ('pending_approval', 'approved');
CREATE INDEX actions_by_request ON actions (tenant, request_digest, state, id);
CREATE INDEX actions_by_repeated ON actions (tenant, repeats_action_id, id) WHERE repeats_action_id IS NOT NULL;
-- For counting the pending actions of a caller or a client, up to the policy's limit, before another is stored.
CREATE INDEX actions_pending_by_caller ON actions (tenant, caller_id, expires_at, id) WHERE state = 'pending_approval';
CREATE INDEX actions_pending_by_client ON actions (tenant, client_id, expires_at, id) WHERE state = 'pending_approval';

-- The bytes that an approval is bound to, which contain the only copy of the payload. Actions and audit entries refer to them by their digest.
CREATE TABLE envelopes (
    tenant TEXT NOT NULL,
    action_id TEXT NOT NULL,
    bytes TEXT NOT NULL,
    PRIMARY KEY (tenant, action_id),
    FOREIGN KEY (tenant, action_id) REFERENCES actions (tenant, id)
) WITHOUT ROWID;

-- The number of actions for each caller and state, updated by triggers, because every page of the inbox shows counts.
-- Repetitions of a pending action are not counted as pending.
CREATE TABLE action_counts (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    state TEXT NOT NULL,
    caller_id TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (tenant, state, caller_id)
) WITHOUT ROWID;

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

-- `verdicts`, `snapshot`: what the decision relied on: the checks and the fields of the records at that time.
-- `record_versions`: the versions of these records, and the hashes of evidence.
-- `opened_at`, `opened_sections`: when the decider had opened the page of the action, and which foldable sections.
-- `confirmation_text`: the text that the decider typed to confirm.
CREATE TABLE decisions (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    action_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('approve', 'reject', 'revoke')),
    person_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    verdicts TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    record_versions TEXT NOT NULL,
    acknowledged TEXT NOT NULL,
    policy_version BIGINT NOT NULL,
    reason_codes TEXT NOT NULL,
    reason TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    opened_at BIGINT,
    opened_sections TEXT NOT NULL,
    confirmation_text TEXT,
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
) WITHOUT ROWID;
CREATE INDEX attempts_by_action ON attempts (tenant, action_id);

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

-- Who has seen which digest: one row for each person, digest and session. `at`: the first visit; `seen_at`: the last visit.
-- `snapshot`: the checks and the fields of records that the person saw at the last visit. Pages compute changes from it.
CREATE TABLE page_views (
    tenant TEXT NOT NULL,
    action_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    session TEXT NOT NULL,
    at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    snapshot TEXT NOT NULL,
    PRIMARY KEY (tenant, action_id, person_id, digest, session),
    FOREIGN KEY (tenant, action_id) REFERENCES actions (tenant, id)
);

-- The journal of what agents read: one row for each call.
CREATE TABLE read_journal (
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
CREATE INDEX read_journal_by_time ON read_journal (tenant, client_id, caller_id, at);

-- The head of each tenant's log, which gives entries their numbers without gaps.
CREATE TABLE audit_heads (
    tenant TEXT NOT NULL PRIMARY KEY REFERENCES tenants (id),
    last_seq BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE audit_entries (
    tenant TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    action_id TEXT,
    content_hash TEXT NOT NULL,
    leaf_hash TEXT NOT NULL,
    seal TEXT NOT NULL,
    PRIMARY KEY (tenant, seq),
    FOREIGN KEY (tenant) REFERENCES audit_heads (tenant)
) WITHOUT ROWID;
CREATE INDEX audit_entries_by_action ON audit_entries (tenant, action_id, seq);

-- Hashes of complete subtrees of 16, 256, 4096 ... entries, from which any proof is computed with few rows. The hashes of smaller subtrees
-- are computed from the leaf hashes. node: the subtree's level * 2^48 + its number among those of its level.
CREATE TABLE audit_nodes (
    tenant TEXT NOT NULL,
    node BIGINT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (tenant, node),
    FOREIGN KEY (tenant) REFERENCES tenants (id)
) WITHOUT ROWID;

-- Signed statements of a log's size and root hash. note: the signed note (C2SP tlog-checkpoint).
CREATE TABLE audit_checkpoints (
    tenant TEXT NOT NULL,
    size BIGINT NOT NULL,
    at BIGINT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (tenant, size),
    FOREIGN KEY (tenant, size) REFERENCES audit_entries (tenant, seq)
) WITHOUT ROWID;

-- Signatures of witnesses under a checkpoint. line: the line of the signature in the note.
CREATE TABLE audit_cosignatures (
    tenant TEXT NOT NULL,
    size BIGINT NOT NULL,
    witness TEXT NOT NULL,
    at BIGINT NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (tenant, size, witness),
    FOREIGN KEY (tenant, size) REFERENCES audit_checkpoints (tenant, size)
) WITHOUT ROWID;

-- What each witness has received. size: the checkpoint that it has, 0 for none. at: the last attempt. error: why it failed.
CREATE TABLE audit_deliveries (
    tenant TEXT NOT NULL,
    witness TEXT NOT NULL,
    size BIGINT NOT NULL,
    at BIGINT NOT NULL,
    error TEXT,
    PRIMARY KEY (tenant, witness),
    FOREIGN KEY (tenant) REFERENCES tenants (id)
) WITHOUT ROWID;

-- A separate table, so that contents can be purged while the hashes of leaves remain valid.
CREATE TABLE audit_contents (
    tenant TEXT NOT NULL,
    seq BIGINT NOT NULL,
    salt TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (tenant, seq),
    FOREIGN KEY (tenant, seq) REFERENCES audit_entries (tenant, seq)
) WITHOUT ROWID;

-- Neither the versions of a policy nor audit entries nor the kind of an installation can be changed or deleted.
CREATE TRIGGER installation_no_update BEFORE UPDATE ON installation
BEGIN SELECT RAISE(ABORT, 'the kind of an installation cannot be changed'); END;
CREATE TRIGGER installation_no_delete BEFORE DELETE ON installation
BEGIN SELECT RAISE(ABORT, 'the kind of an installation cannot be deleted'); END;
CREATE TRIGGER policies_no_update BEFORE UPDATE ON policies
BEGIN SELECT RAISE(ABORT, 'a version of a policy cannot be changed'); END;
CREATE TRIGGER policies_no_delete BEFORE DELETE ON policies
BEGIN SELECT RAISE(ABORT, 'a version of a policy cannot be deleted'); END;
CREATE TRIGGER envelopes_no_update BEFORE UPDATE ON envelopes
BEGIN SELECT RAISE(ABORT, 'an envelope cannot be changed'); END;
CREATE TRIGGER envelopes_no_delete BEFORE DELETE ON envelopes
BEGIN SELECT RAISE(ABORT, 'an envelope cannot be deleted'); END;
CREATE TRIGGER audit_entries_no_update BEFORE UPDATE ON audit_entries
BEGIN SELECT RAISE(ABORT, 'an audit entry cannot be changed'); END;
CREATE TRIGGER audit_entries_no_delete BEFORE DELETE ON audit_entries
BEGIN SELECT RAISE(ABORT, 'an audit entry cannot be deleted'); END;
CREATE TRIGGER audit_nodes_no_update BEFORE UPDATE ON audit_nodes
BEGIN SELECT RAISE(ABORT, 'the audit log cannot be changed'); END;
CREATE TRIGGER audit_nodes_no_delete BEFORE DELETE ON audit_nodes
BEGIN SELECT RAISE(ABORT, 'the audit log cannot be changed'); END;
CREATE TRIGGER audit_checkpoints_no_update BEFORE UPDATE ON audit_checkpoints
BEGIN SELECT RAISE(ABORT, 'the audit log cannot be changed'); END;
CREATE TRIGGER audit_checkpoints_no_delete BEFORE DELETE ON audit_checkpoints
BEGIN SELECT RAISE(ABORT, 'the audit log cannot be changed'); END;
CREATE TRIGGER audit_cosignatures_no_update BEFORE UPDATE ON audit_cosignatures
BEGIN SELECT RAISE(ABORT, 'the audit log cannot be changed'); END;
CREATE TRIGGER audit_cosignatures_no_delete BEFORE DELETE ON audit_cosignatures
BEGIN SELECT RAISE(ABORT, 'the audit log cannot be changed'); END;
CREATE TRIGGER audit_contents_no_update BEFORE UPDATE ON audit_contents
BEGIN SELECT RAISE(ABORT, 'an audit entry cannot be changed'); END;
CREATE TRIGGER audit_contents_no_delete BEFORE DELETE ON audit_contents
BEGIN SELECT RAISE(ABORT, 'an audit entry cannot be deleted'); END;

CREATE TRIGGER actions_count_insert AFTER INSERT ON actions WHEN NEW.repeats_action_id IS NULL OR NEW.state <> 'pending_approval'
BEGIN
    INSERT INTO action_counts (tenant, state, caller_id, count) VALUES (NEW.tenant, NEW.state, NEW.caller_id, 1)
    ON CONFLICT (tenant, state, caller_id) DO UPDATE SET count = action_counts.count + 1;
END;
CREATE TRIGGER actions_count_update AFTER UPDATE OF state ON actions WHEN OLD.state <> NEW.state
BEGIN
    UPDATE action_counts SET count = count - 1 WHERE tenant = OLD.tenant AND state = OLD.state AND caller_id = OLD.caller_id
    AND (OLD.repeats_action_id IS NULL OR OLD.state <> 'pending_approval');
    INSERT INTO action_counts (tenant, state, caller_id, count) VALUES (NEW.tenant, NEW.state, NEW.caller_id, 1)
    ON CONFLICT (tenant, state, caller_id) DO UPDATE SET count = action_counts.count + 1;
END;

CREATE TRIGGER actions_drop_targets AFTER UPDATE OF state ON actions WHEN NEW.state IN ('rejected', 'executed', 'failed')
BEGIN
    DELETE FROM action_targets WHERE tenant = NEW.tenant AND action_id = NEW.id;
END;
