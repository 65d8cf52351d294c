-- Continues facts.sql: what a proposal needs besides its records, in the same round trip.
-- $5 client, $6 idempotency key, $7 caller, $8 since when reads count, $9 digest of the request, $10 now.
UNION ALL
-- The action that this client proposed for this caller with this key.
SELECT 'known', CAST(json_build_object('id', id) AS TEXT)
  FROM actions
 WHERE tenant = $1 AND client_id = $5 AND caller_id = $7 AND idempotency_key = $6
UNION ALL
-- What the client read for the caller.
SELECT 'read', CAST(json_build_object(
           'client_id', client_id, 'caller_id', caller_id, 'trace_id', trace_id, 'request_id', request_id,
           'tool', tool, 'arguments_digest', arguments_digest, 'record_ids', record_ids, 'at', at) AS TEXT)
  FROM (SELECT * FROM read_journal
         WHERE tenant = $1 AND client_id = $5 AND caller_id = $7 AND at >= $8
         ORDER BY at DESC, id DESC LIMIT 500) AS latest
UNION ALL
-- When the client last proposed an action for the caller.
SELECT 'proposed', CAST(json_build_object('at', created_at) AS TEXT)
  FROM (SELECT created_at FROM actions
         WHERE tenant = $1 AND caller_id = $7 AND client_id = $5
         ORDER BY created_at DESC LIMIT 1) AS latest
UNION ALL
-- The caller's oldest pending action with the same request, and how many pending actions repeat it.
SELECT 'same', CAST(json_build_object(
           'id', id,
           'repeated_by', (SELECT COUNT(*) FROM actions x
                         WHERE x.tenant = $1 AND x.repeats_action_id = same.id AND x.state = 'pending_approval')) AS TEXT)
  FROM (SELECT id FROM actions
         WHERE tenant = $1 AND request_digest = $9 AND state = 'pending_approval' AND caller_id = $7 AND expires_at > $10 AND repeats_action_id IS NULL
         ORDER BY id LIMIT 1) AS same
UNION ALL
-- The last action with the same request that a reviewer rejected.
SELECT 'declined', CAST(json_build_object('id', id) AS TEXT)
  FROM (SELECT id FROM actions a
         WHERE tenant = $1 AND request_digest = $9 AND state = 'rejected' AND EXISTS (
             SELECT 1 FROM decisions d WHERE d.tenant = $1 AND d.action_id = a.id AND d.kind = 'reject')
         ORDER BY id DESC LIMIT 1) AS declined
UNION ALL
-- The tenant's policy.
SELECT 'policy', CAST(json_build_object('version', COALESCE(MAX(version), 1)) AS TEXT)
  FROM policies
 WHERE tenant = $1
