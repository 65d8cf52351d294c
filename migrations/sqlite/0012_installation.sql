-- What this installation is: `demo` or `production`, from its first start and for ever. One row, which is never changed.
-- Of no tenant: it speaks of the whole installation.
CREATE TABLE installation (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    kind TEXT NOT NULL CHECK (kind IN ('demo', 'production')),
    created_at BIGINT NOT NULL
);

-- An installation from before: the people of a demo's provider make it a demo, anybody else makes it production, and an empty one is decided
-- by its next start.
INSERT INTO installation (one, kind, created_at)
SELECT 1, CASE WHEN EXISTS (SELECT 1 FROM people WHERE issuer LIKE '%/demo-idp') THEN 'demo' ELSE 'production' END,
    (SELECT MIN(created_at) FROM tenants)
WHERE EXISTS (SELECT 1 FROM people);

CREATE TRIGGER installation_stays BEFORE UPDATE ON installation
BEGIN SELECT RAISE(ABORT, 'what an installation is cannot be changed'); END;
CREATE TRIGGER installation_remains BEFORE DELETE ON installation
BEGIN SELECT RAISE(ABORT, 'what an installation is cannot be changed'); END;
