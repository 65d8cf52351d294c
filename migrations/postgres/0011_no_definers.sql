-- No function runs with the owner's rights, and none resolves names in a search path that its caller controls. Names in SQL functions
-- are resolved when they are created (RETURN, BEGIN ATOMIC). PL/pgSQL functions qualify names and set their search path, with pg_temp
-- last. A test checks every function.

-- These lookups happen before the tenant is known, so tokens and sessions have no row-level security. Other tables are then read in the
-- tenant of the token or session, with the service's rights. The setting ends with the transaction.
DROP FUNCTION token_holder(TEXT);
CREATE FUNCTION token_holder(digest TEXT)
RETURNS TABLE (tenant TEXT, audience TEXT, expires_at BIGINT, client_id TEXT, client_name TEXT, id TEXT, issuer TEXT, email TEXT, name TEXT,
    roles TEXT)
LANGUAGE plpgsql SECURITY INVOKER ROWS 1 SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    held public.tokens;
BEGIN
    SELECT t.* INTO held FROM public.tokens t WHERE t.secret_digest = digest;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM pg_catalog.set_config('loopiq.tenant', held.tenant, true);
    RETURN QUERY SELECT held.tenant, held.audience, held.expires_at, c.id, c.name, p.id, p.issuer, p.email, p.name, p.roles
        FROM public.clients c, public.people p
        WHERE c.tenant = held.tenant AND c.id = held.client_id AND p.tenant = held.tenant AND p.id = held.caller_id;
END $$;

DROP FUNCTION session_holder(TEXT, BIGINT);
CREATE FUNCTION session_holder(digest TEXT, now BIGINT)
RETURNS TABLE (data TEXT, id TEXT, issuer TEXT, email TEXT, name TEXT, roles TEXT)
LANGUAGE plpgsql SECURITY INVOKER ROWS 1 SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    held TEXT;
    -- json and not jsonb, so that an old session with U+0000 can be read.
    who pg_catalog.json;
BEGIN
    SELECT s.data INTO held FROM public.sessions s WHERE s.id_digest = digest AND s.expires_at > now;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    who := held::pg_catalog.json -> 'who';
    PERFORM pg_catalog.set_config('loopiq.tenant', COALESCE(who ->> 'tenant', ''), true);
    RETURN QUERY SELECT held, p.id, p.issuer, p.email, p.name, p.roles FROM (SELECT 1) AS one
        LEFT JOIN public.people p ON p.tenant = who ->> 'tenant' AND p.id = who ->> 'person';
END $$;

CREATE OR REPLACE FUNCTION json_each(list TEXT) RETURNS TABLE (value TEXT)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 20
BEGIN ATOMIC
    SELECT item FROM pg_catalog.jsonb_array_elements_text(CAST(list AS pg_catalog.jsonb)) AS items (item);
END;

CREATE OR REPLACE FUNCTION json_field(record TEXT, field TEXT) RETURNS TEXT
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CAST(record AS pg_catalog.jsonb) OPERATOR(pg_catalog.->>) field;

CREATE OR REPLACE FUNCTION instr(whole TEXT, part TEXT) RETURNS BIGINT
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CAST(pg_catalog.strpos(whole, part) AS BIGINT);

CREATE OR REPLACE FUNCTION wall_off(place TEXT) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', place);
    EXECUTE format('CREATE POLICY own_tenant ON public.%I USING (tenant = current_setting(''loopiq.tenant'', true)) '
        'WITH CHECK (tenant = current_setting(''loopiq.tenant'', true))', place);
END $$;

CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'audit entries cannot be changed or deleted';
END $$;

CREATE OR REPLACE FUNCTION refuse_policy_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'versions of a policy cannot be changed or deleted';
END $$;

CREATE OR REPLACE FUNCTION forget_ended_targets() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NEW.state IN ('rejected', 'executed', 'failed') THEN
        DELETE FROM public.action_targets WHERE tenant = NEW.tenant AND action_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION count_actions() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.repeats IS NOT NULL AND NEW.state = 'pending_approval' THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        UPDATE public.action_counts SET count = count - 1
        WHERE tenant = OLD.tenant AND state = OLD.state AND caller_id = OLD.caller_id
        AND (OLD.repeats IS NULL OR OLD.state <> 'pending_approval');
    END IF;
    INSERT INTO public.action_counts AS counted (tenant, state, caller_id, count) VALUES (NEW.tenant, NEW.state, NEW.caller_id, 1)
    ON CONFLICT (tenant, state, caller_id) DO UPDATE SET count = counted.count + 1;
    RETURN NULL;
END $$;
