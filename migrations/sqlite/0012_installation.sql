-- The kind of this installation: `demo` or `production`, decided permanently at its first start. One row, which never changes.
-- Without tenant, because it applies to the whole installation.
CREATE TABLE installation (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    kind TEXT NOT NULL CHECK (kind IN ('demo', 'production')),
    created_at BIGINT NOT NULL
);

-- An existing installation is a demo if it has people of a demo's provider, and production if it has only others. The next start
-- decides the kind of an empty installation.
INSERT INTO installation (one, kind, created_at)
SELECT 1, CASE WHEN EXISTS (SELECT 1 FROM people WHERE issuer LIKE '%/demo-idp') THEN 'demo' ELSE 'production' END,
    (SELECT MIN(created_at) FROM tenants)
WHERE EXISTS (SELECT 1 FROM people);

CREATE TRIGGER installation_stays BEFORE UPDATE ON installation
BEGIN SELECT RAISE(ABORT, 'what an installation is cannot be changed'); END;
CREATE TRIGGER installation_remains BEFORE DELETE ON installation
BEGIN SELECT RAISE(ABORT, 'what an installation is cannot be changed'); END;
