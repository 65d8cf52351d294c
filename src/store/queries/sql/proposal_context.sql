-- What a proposal needs besides its records (facts.sql, whose parameters come first).
-- $5 client, $6 idempotency key, $7 caller, $8 since when reads count, $9 digest of the request, $10 now.

-- part: known
-- The action that this client proposed for this caller with this key.
SELECT id
  FROM actions
 WHERE tenant = $1 AND client_id = $5 AND caller_id = $7 AND idempotency_key = $6

-- part: read
-- What the client read for the caller.
SELECT client_id, caller_id, trace_id, request_id, tool, arguments_digest, record_ids, at
  FROM (SELECT * FROM read_journal
         WHERE tenant = $1 AND client_id = $5 AND caller_id = $7 AND at >= $8
         ORDER BY at DESC, id DESC LIMIT 500) AS latest

-- part: proposed
-- When the client last proposed an action for the caller.
SELECT created_at AS at
  FROM (SELECT created_at FROM actions
         WHERE tenant = $1 AND caller_id = $7 AND client_id = $5
         ORDER BY id DESC LIMIT 1) AS latest

-- part: same
-- The caller's oldest pending action with the same request, and how many pending actions repeat it.
SELECT id, (SELECT COUNT(*) FROM actions x WHERE x.tenant = $1 AND x.repeats_action_id = same.id AND x.state = 'pending_approval') AS
       repeated_by
  FROM (SELECT id FROM actions
         WHERE tenant = $1 AND request_digest = $9 AND state = 'pending_approval' AND caller_id = $7 AND expires_at > $10 AND repeats_action_id IS NULL
         ORDER BY id LIMIT 1) AS same

-- part: declined
-- The last action with the same request that a reviewer rejected.
SELECT id
  FROM (SELECT id FROM actions a
         WHERE tenant = $1 AND request_digest = $9 AND state = 'rejected' AND EXISTS (
             SELECT 1 FROM decisions d WHERE d.tenant = $1 AND d.action_id = a.id AND d.kind = 'reject')
         ORDER BY id DESC LIMIT 1) AS declined

-- part: policy
-- The tenant's policy.
SELECT COALESCE(MAX(version), 1) AS version
  FROM policies
 WHERE tenant = $1

-- part: retired_release
-- Records that the proposal names and that a catalog has retired.
SELECT r.id, r.key
  FROM releases r
 WHERE r.tenant = $1 AND r.id IN (SELECT value FROM json_each($2 ->> 'rel')) AND r.retired_at IS NOT NULL

-- part: retired_team
SELECT t.id, t.key
  FROM teams t
 WHERE t.tenant = $1 AND t.id IN (SELECT value FROM json_each($2 ->> 'team')) AND t.retired_at IS NOT NULL

-- part: retired_component
SELECT c.id, c.key
  FROM components c
 WHERE c.tenant = $1 AND c.key IN (SELECT value FROM json_each($4)) AND c.retired_at IS NOT NULL
