-- How many verdicts of each kind an action had when they were last kept: the inbox shows and filters by them, and must not read checks.
ALTER TABLE actions ADD COLUMN blocks BIGINT NOT NULL DEFAULT 0;
ALTER TABLE actions ADD COLUMN warnings BIGINT NOT NULL DEFAULT 0;
ALTER TABLE actions ADD COLUMN passes BIGINT NOT NULL DEFAULT 0;
UPDATE actions SET
    blocks = (SELECT COUNT(*) FROM json_each(checks) c WHERE c.value ->> 'verdict' = 'block'),
    warnings = (SELECT COUNT(*) FROM json_each(checks) c WHERE c.value ->> 'verdict' IN ('warn', 'unknown')),
    passes = (SELECT COUNT(*) FROM json_each(checks) c WHERE c.value ->> 'verdict' = 'pass');

-- What a session holds, and the person in it as they are known today. Nobody's tenant is known before, so this one look-up passes the
-- wall: it runs as the owner, and answers only to the digest of 128 random bits.
CREATE FUNCTION session_holder(digest TEXT, now BIGINT)
RETURNS TABLE (data TEXT, id TEXT, email TEXT, name TEXT, roles TEXT)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
AS $$
    SELECT s.data, p.id, p.email, p.name, p.roles FROM sessions s
    LEFT JOIN people p ON p.tenant = s.data ->> 'who' ->> 'tenant' AND p.id = s.data ->> 'who' ->> 'person'
    WHERE s.id_digest = digest AND s.expires_at > now
$$;

-- A third word of SQLite's: where one text stands in another, from 1, or 0. Unlike LIKE it needs no pattern.
CREATE FUNCTION instr(whole TEXT, part TEXT) RETURNS BIGINT
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CAST(strpos(whole, part) AS BIGINT) $$;
