-- How far a tenant's log has been indexed for the search. The index follows the log, many entries at a time: it is made of the
-- entries and can be made again, so it need not be in the transaction that they were written in.
CREATE TABLE audit_indexed (
    tenant TEXT NOT NULL PRIMARY KEY REFERENCES tenants (id),
    seq BIGINT NOT NULL
);
INSERT INTO audit_indexed (tenant, seq) SELECT tenant, last_seq FROM audit_heads;
