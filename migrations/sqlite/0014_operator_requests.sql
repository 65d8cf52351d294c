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

-- For counting the pending actions of a caller or a client, up to the policy's limit, before another is stored.
CREATE INDEX actions_waiting_by_caller ON actions (tenant, caller_id, expires_at, id) WHERE state = 'pending_approval';
CREATE INDEX actions_waiting_by_client ON actions (tenant, client_id, expires_at, id) WHERE state = 'pending_approval';
