-- What one operator asks for and a second one confirms. `made_by`: nobody, if it was made at the console.
CREATE TABLE operator_requests (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    -- The change, as JSON; it never changes.
    change TEXT NOT NULL,
    summary TEXT NOT NULL,
    made_by TEXT,
    made_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    status TEXT NOT NULL,
    settled_by TEXT,
    settled_at BIGINT,
    -- What came of it, in words.
    outcome TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, made_by) REFERENCES people (tenant, id),
    FOREIGN KEY (tenant, settled_by) REFERENCES people (tenant, id)
);
CREATE INDEX operator_requests_by_state ON operator_requests (tenant, status, made_at, id);

-- How many actions of a caller or a client wait: counted before another one is stored, up to the policy's limit.
CREATE INDEX actions_waiting_by_caller ON actions (tenant, caller_id, expires_at, id) WHERE state = 'pending_approval';
CREATE INDEX actions_waiting_by_client ON actions (tenant, client_id, expires_at, id) WHERE state = 'pending_approval';
