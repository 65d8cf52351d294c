-- The number of an action's verdicts of each kind when they were last stored, so that the inbox shows and filters them without
-- reading checks.
ALTER TABLE actions ADD COLUMN blocks BIGINT NOT NULL DEFAULT 0;
ALTER TABLE actions ADD COLUMN warnings BIGINT NOT NULL DEFAULT 0;
ALTER TABLE actions ADD COLUMN passes BIGINT NOT NULL DEFAULT 0;
UPDATE actions SET
    blocks = (SELECT COUNT(*) FROM json_each(checks) c WHERE c.value ->> 'verdict' = 'block'),
    warnings = (SELECT COUNT(*) FROM json_each(checks) c WHERE c.value ->> 'verdict' IN ('warn', 'unknown')),
    passes = (SELECT COUNT(*) FROM json_each(checks) c WHERE c.value ->> 'verdict' = 'pass');

-- The data of a session, and its person with today's data. The tenant is unknown before, so this lookup bypasses row-level
-- security: it runs as the owner, and needs the digest of 128 random bits.
CREATE FUNCTION session_holder(digest TEXT, now BIGINT)
RETURNS TABLE (data TEXT, id TEXT, email TEXT, name TEXT, roles TEXT)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
AS $$
    SELECT s.data, p.id, p.email, p.name, p.roles FROM sessions s
    LEFT JOIN people p ON p.tenant = s.data ->> 'who' ->> 'tenant' AND p.id = s.data ->> 'who' ->> 'person'
    WHERE s.id_digest = digest AND s.expires_at > now
$$;

-- Another function of SQLite: the position of a text in another, from 1, or 0. Unlike LIKE it needs no pattern.
CREATE FUNCTION instr(whole TEXT, part TEXT) RETURNS BIGINT
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CAST(strpos(whole, part) AS BIGINT) $$;
