-- The last entry of a tenant's log that the search index contains. The index is updated later, many entries at a time, because it
-- can be rebuilt from the entries and does not need their transaction.
CREATE TABLE audit_indexed (
    tenant TEXT NOT NULL PRIMARY KEY REFERENCES tenants (id),
    seq BIGINT NOT NULL
);
INSERT INTO audit_indexed (tenant, seq) SELECT tenant, last_seq FROM audit_heads;
