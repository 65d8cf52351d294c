-- What this installation is: `demo` or `production`, from its first start and for ever. One row, which is never changed.
-- Of no tenant and without a wall: it speaks of the whole installation, and is asked before anybody's tenant is known.
CREATE TABLE installation (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('demo', 'production')),
    created_at BIGINT NOT NULL
);

-- An installation from before: the people of a demo's provider make it a demo, anybody else makes it production, and an empty one is decided
-- by its next start.
INSERT INTO installation (one, kind, created_at)
SELECT 1, CASE WHEN EXISTS (SELECT 1 FROM people WHERE issuer LIKE '%/demo-idp') THEN 'demo' ELSE 'production' END,
    (SELECT MIN(created_at) FROM tenants)
WHERE EXISTS (SELECT 1 FROM people);

CREATE FUNCTION refuse_another_kind() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'what an installation is cannot be changed';
END $$;
CREATE TRIGGER installation_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON installation
FOR EACH STATEMENT EXECUTE FUNCTION refuse_another_kind();
