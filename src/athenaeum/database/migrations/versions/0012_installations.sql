-- Whether the session's tenant is connected: what was said in its workspace may be found.
CREATE FUNCTION tenant_served() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT EXISTS (SELECT FROM tenants WHERE tenant_id = athenaeum_tenant() AND status = 'active')
$$;

-- The tenant is served no more. Where Slack has taken our token it is deleted, and questions end here, since nobody can
-- be told anything; otherwise they end one by one, as workers come to them and take their placeholders away.
-- False: the tenant was disabled before.
CREATE FUNCTION tenant_disable(_tenant uuid, _reason text, _is_gone boolean) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE
    _was_served boolean;
BEGIN
    IF athenaeum_tenant() <> _tenant THEN
        RAISE insufficient_privilege USING MESSAGE = 'a tenant disables no other';
    END IF;
    UPDATE tenants SET status = 'disabled', disabled_at = now(), disabled_because = _reason
    WHERE tenant_id = _tenant AND status = 'active';
    _was_served := FOUND;
    DELETE FROM installations WHERE _is_gone AND tenant_id = _tenant;
    UPDATE turns SET state = 'cancelled', error = _reason, finished_at = now()
    WHERE _is_gone AND tenant_id = _tenant AND surface = 'slack' AND finished_at IS NULL;
    RETURN _was_served;
END $$;

-- Everything of a disabled tenant is deleted, in every table there is, but its name in the register and its audit log.
-- Null: it is not disabled.
CREATE FUNCTION tenant_purge(_tenant uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE
    _table regclass;
    _rows bigint;
    _total bigint := 0;
BEGIN
    PERFORM FROM tenants WHERE tenant_id = _tenant AND status = 'disabled' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    FOR _table IN
        SELECT c.oid::regclass FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
        WHERE c.relnamespace = '{schema}'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND c.relname <> 'tenants' AND c.relname !~ '^audit'
        ORDER BY c.oid DESC
    LOOP
        EXECUTE format('DELETE FROM %s WHERE tenant_id = $1', _table) USING _tenant;
        GET DIAGNOSTICS _rows = ROW_COUNT;
        _total := _total + _rows;
    END LOOP;
    UPDATE tenants SET disabled_because = 'purged', company_name = '', domain_areas = '{}' WHERE tenant_id = _tenant;
    RETURN _total;
END $$;

-- A browser begins to install the app: both digests must come back together within the time.
CREATE FUNCTION oauth_begin(_state bytea, _browser bytea, _lasting interval) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
    DELETE FROM oauth_states WHERE expires_at < now();
    INSERT INTO oauth_states VALUES (_state, _browser, now() + _lasting);
$$;

-- Whether this browser began it, in time; a state is good for one try, also for a wrong one.
CREATE FUNCTION oauth_end(_state bytea, _browser bytea) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
    WITH taken AS (DELETE FROM oauth_states WHERE state = _state RETURNING browser, expires_at)
    SELECT EXISTS (SELECT FROM taken WHERE browser = _browser AND expires_at > now())
$$;

REVOKE EXECUTE ON FUNCTION tenant_disable, tenant_purge, oauth_begin, oauth_end FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_disable, tenant_purge, oauth_begin, oauth_end TO {engine};
GRANT EXECUTE ON FUNCTION tenant_disable TO {app};
