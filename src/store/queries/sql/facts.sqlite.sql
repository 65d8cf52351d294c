-- Every record that a plan or a check needs, in one round trip. Each row is a record as JSON, and its ID says of which kind it is.
-- $1 tenant, $2 lists of IDs by their prefix, $3 e-mail addresses, $4 keys and names of components.
SELECT 'record' AS kind, CAST(json_object(
           'id', r.id, 'key', r.key, 'name', r.name, 'status', r.status, 'severity_threshold', r.severity_threshold,
           'commit_id', r.commit_id, 'version', r.version) AS TEXT) AS record
  FROM releases r
 WHERE r.tenant = $1 AND r.id IN (SELECT value FROM json_each($2 ->> 'rel'))
UNION ALL
SELECT 'record' AS kind, CAST(json_object(
           'id', c.id, 'key', c.key, 'name', c.name, 'release_id', c.release_id, 'status', c.status,
           'statement', c.statement, 'version', c.version) AS TEXT) AS record
  FROM certifications c
 WHERE c.tenant = $1 AND c.id IN (SELECT value FROM json_each($2 ->> 'crt'))
UNION ALL
SELECT 'record' AS kind, CAST(json_object(
           'id', t.id, 'key', t.key, 'name', t.name) AS TEXT) AS record
  FROM teams t
 WHERE t.tenant = $1 AND t.id IN (SELECT value FROM json_each($2 ->> 'team'))
UNION ALL
SELECT 'record' AS kind, CAST(json_object(
           'id', p.id, 'email', p.email, 'name', p.name, 'roles', p.roles) AS TEXT) AS record
  FROM people p
 WHERE p.tenant = $1 AND p.id IN (SELECT value FROM json_each($2 ->> 'per'))
UNION ALL
-- The account that had the address first, by the same rule as first_at_address! in people.rs.
SELECT 'record' AS kind, CAST(json_object(
           'id', p.id, 'email', p.email, 'name', p.name, 'roles', p.roles) AS TEXT) AS record
  FROM people p
 WHERE p.tenant = $1 AND p.email IN (SELECT value FROM json_each($3))
    AND NOT EXISTS (
        SELECT 1 FROM people q
        JOIN person_addresses a ON a.tenant = q.tenant AND a.address = q.email AND a.person_id = q.id
        JOIN person_addresses b ON b.tenant = q.tenant AND b.address = q.email AND b.person_id = p.id
        WHERE q.tenant = $1 AND q.email = p.email AND q.id <> p.id
          AND (a.since < b.since OR (a.since = b.since AND q.id < p.id))
          AND (q.same_as = p.same_as OR NOT EXISTS (
              SELECT 1 FROM people_apart x
              WHERE x.tenant = $1
                AND x.one = CASE WHEN q.id < p.id THEN q.id ELSE p.id END
                AND x.other = CASE WHEN q.id < p.id THEN p.id ELSE q.id END)))
UNION ALL
SELECT 'record' AS kind, CAST(json_object(
           'id', c.id, 'kind', c.kind, 'key', c.key, 'name', c.name, 'team_id', c.team_id) AS TEXT) AS record
  FROM components c
 WHERE c.tenant = $1 AND c.id IN (SELECT value FROM json_each($2 ->> 'cmp'))
UNION ALL
SELECT 'record' AS kind, CAST(json_object(
           'id', c.id, 'kind', c.kind, 'key', c.key, 'name', c.name, 'team_id', c.team_id) AS TEXT) AS record
  FROM components c
 WHERE c.tenant = $1 AND c.key IN (SELECT value FROM json_each($4))
UNION ALL
SELECT 'record' AS kind, CAST(json_object(
           'id', c.id, 'kind', c.kind, 'key', c.key, 'name', c.name, 'team_id', c.team_id) AS TEXT) AS record
  FROM components c
 WHERE c.tenant = $1 AND c.name IN (SELECT value FROM json_each($4))
UNION ALL
SELECT 'record' AS kind, CAST(json_object(
           'id', c.id, 'key', c.key, 'title', c.title, 'release_id', c.release_id, 'status', c.status,
           'version', c.version) AS TEXT) AS record
  FROM controls c
 WHERE c.tenant = $1 AND c.id IN (SELECT value FROM json_each($2 ->> 'ctl'))
UNION ALL
-- Evidence of an unfinished import is not there yet.
SELECT 'record' AS kind, CAST(json_object(
           'id', e.id, 'key', e.key, 'release_id', e.release_id, 'provider', e.provider, 'kind', e.kind, 'name', e.name,
           'sha256', e.sha256, 'size', e.size, 'collected_at', e.collected_at, 'collected_from', e.collected_from,
           'imported_at', e.imported_at, 'commit_id', e.commit_id) AS TEXT) AS record
  FROM evidence e
 WHERE e.tenant = $1 AND e.id IN (SELECT value FROM json_each($2 ->> 'evd'))
   AND e.complete = 1
UNION ALL
SELECT 'record' AS kind, CAST(json_object(
           'id', f.id, 'key', f.key, 'provider', f.provider, 'rule', f.rule, 'title', f.title, 'message', f.message,
           'severity', f.severity, 'status', f.status, 'justification', f.justification,
           'status_expires_at', f.status_expires_at, 'location', f.location, 'line', f.line, 'component', f.component,
           'first_seen_at', f.first_seen_at, 'last_seen_at', f.last_seen_at, 'version', f.version) AS TEXT) AS record
  FROM findings f
 WHERE f.tenant = $1 AND f.id IN (SELECT value FROM json_each($2 ->> 'fnd'))
UNION ALL
-- Where the findings were seen.
SELECT 'sighting' AS kind, CAST(json_object(
           'finding_id', s.finding_id, 'evidence_id', s.evidence_id, 'release_id', s.release_id, 'seen_at', s.seen_at) AS TEXT) AS record
  FROM sightings s
 WHERE s.tenant = $1 AND s.finding_id IN (SELECT value FROM json_each($2 ->> 'fnd'))
   AND s.evidence_id NOT IN (SELECT id FROM evidence WHERE tenant = $1 AND complete = 0)
UNION ALL
-- A blocker has the title and severity of its finding or control.
SELECT 'record' AS kind, CAST(json_object(
           'id', b.id, 'key', b.key, 'release_id', b.release_id, 'finding_id', b.finding_id, 'control_id', b.control_id,
           'status', b.status, 'version', b.version, 'title', COALESCE(f.title, c.title),
           'severity', COALESCE(f.severity, 'high')) AS TEXT) AS record
  FROM blockers b
  LEFT JOIN findings f ON f.tenant = b.tenant AND f.id = b.finding_id
  LEFT JOIN controls c ON c.tenant = b.tenant AND c.id = b.control_id
 WHERE b.tenant = $1 AND b.id IN (SELECT value FROM json_each($2 ->> 'blk'))
UNION ALL
SELECT 'record' AS kind, CAST(json_object(
           'id', a.id, 'headline', a.headline, 'release_id', a.release_id, 'team_id', a.team_id) AS TEXT) AS record
  FROM actions a
 WHERE a.tenant = $1 AND a.id IN (SELECT value FROM json_each($2 ->> 'act'))
UNION ALL
SELECT 'record' AS kind, CAST(json_object(
           'id', w.id, 'number', w.number, 'kind', w.kind, 'release_id', w.release_id, 'parent_id', w.parent_id,
           'team_id', w.team_id, 'owner_id', w.owner_id, 'title', w.title, 'description', w.description,
           'status', w.status, 'priority', w.priority, 'estimate', w.estimate,
           'acceptance_criteria', w.acceptance_criteria, 'version', w.version) AS TEXT) AS record
  FROM work_items w
 WHERE w.tenant = $1 AND w.id IN (SELECT value FROM json_each($2 ->> 'wi'))
UNION ALL
-- The findings, controls, evidence and blockers of the work items.
SELECT 'reference' AS kind, CAST(json_object(
           'work_item_id', x.work_item_id, 'record_id', x.record_id) AS TEXT) AS record
  FROM work_item_references x
 WHERE x.tenant = $1 AND x.work_item_id IN (SELECT value FROM json_each($2 ->> 'wi'))
