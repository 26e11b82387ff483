-- Gives an entry its place and time, and chains it to the one before; two writers of a log wait for each other.
-- Runs as the owner of the tables: nobody else may write a head.
CREATE FUNCTION audit_chain() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE
    _head audit_heads;
BEGIN
    INSERT INTO audit_heads VALUES (NEW.tenant_id, 0, '') ON CONFLICT DO NOTHING;
    SELECT * INTO _head FROM audit_heads WHERE tenant_id = NEW.tenant_id FOR UPDATE;
    NEW.seq := _head.seq + 1;
    NEW.recorded_at := clock_timestamp();
    NEW.hash := sha256(_head.hash || convert_to(jsonb_build_array(
        NEW.tenant_id, NEW.seq, to_char(NEW.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
        NEW.action, NEW.actor, NEW.subject, NEW.detail)::text, 'UTF8'));
    UPDATE audit_heads SET seq = NEW.seq, hash = NEW.hash WHERE tenant_id = NEW.tenant_id;
    RETURN NEW;
END $$;

CREATE FUNCTION audit_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE insufficient_privilege USING MESSAGE = 'the audit log is appended to and never changed';
END $$;

REVOKE EXECUTE ON FUNCTION audit_chain, audit_keep FROM PUBLIC;
CREATE TRIGGER chain BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_chain();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log EXECUTE FUNCTION audit_keep();
