-- The records that a plan or a check needs. A part named like the prefix of an ID reads the records with such IDs.
-- $1 tenant, $2 lists of IDs by their prefix, $3 e-mail addresses, $4 keys and names of components.

-- part: rel
SELECT r.id, r.key, r.name, r.status, r.severity_threshold, r.commit_id, r.version
  FROM releases r
 WHERE r.tenant = $1 AND r.id IN (SELECT value FROM json_each($2 ->> 'rel'))

-- part: crt
SELECT c.id, c.key, c.name, c.release_id, c.status, c.statement, c.version
  FROM certifications c
 WHERE c.tenant = $1 AND c.id IN (SELECT value FROM json_each($2 ->> 'crt'))

-- part: team
SELECT t.id, t.key, t.name
  FROM teams t
 WHERE t.tenant = $1 AND t.id IN (SELECT value FROM json_each($2 ->> 'team'))

-- part: per
SELECT p.id, p.email, p.name, p.roles
  FROM people p
 WHERE p.tenant = $1 AND p.id IN (SELECT value FROM json_each($2 ->> 'per'))

-- part: person_of_address
-- The account that had the address first, by the same rule as first_at_address! in people.rs.
SELECT p.id, p.email, p.name, p.roles
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

-- part: cmp
SELECT c.id, c.kind, c.key, c.name, c.team_id
  FROM components c
 WHERE c.tenant = $1 AND c.id IN (SELECT value FROM json_each($2 ->> 'cmp'))

-- part: component_of_key
SELECT c.id, c.kind, c.key, c.name, c.team_id
  FROM components c
 WHERE c.tenant = $1 AND c.key IN (SELECT value FROM json_each($4))

-- part: component_of_name
SELECT c.id, c.kind, c.key, c.name, c.team_id
  FROM components c
 WHERE c.tenant = $1 AND c.name IN (SELECT value FROM json_each($4))

-- part: ctl
SELECT c.id, c.key, c.title, c.release_id, c.status, c.version
  FROM controls c
 WHERE c.tenant = $1 AND c.id IN (SELECT value FROM json_each($2 ->> 'ctl'))

-- part: evd
-- Evidence of an unfinished import is not there yet.
SELECT e.id, e.key, e.release_id, e.provider, e.kind, e.name, e.sha256, e.size, e.collected_at, e.collected_from, e.imported_at,
       e.commit_id, e.component
  FROM evidence e
 WHERE e.tenant = $1 AND e.id IN (SELECT value FROM json_each($2 ->> 'evd'))
   AND e.complete = 1

-- part: fnd
SELECT f.id, f.key, f.provider, f.rule, f.title, f.message, f.severity, f.status, f.justification, f.status_expires_at, f.location,
       f.line, f.component, f.first_seen_at, f.last_seen_at, f.decided_at, f.version
  FROM findings f
 WHERE f.tenant = $1 AND f.id IN (SELECT value FROM json_each($2 ->> 'fnd'))

-- part: sighting
-- The evidence that shows the findings.
SELECT s.finding_id, s.evidence_id, s.seen_at
  FROM sightings s
 WHERE s.tenant = $1 AND s.finding_id IN (SELECT value FROM json_each($2 ->> 'fnd'))
   AND s.evidence_id NOT IN (SELECT id FROM evidence WHERE tenant = $1 AND complete = 0)

-- part: finding_release
-- The releases in which the findings were seen, and where their risk is accepted.
SELECT r.finding_id, r.release_id, e.key AS release_key, r.last_seen_at, r.not_seen_since, r.suppressed, r.verdict, a.ends_at
  FROM release_findings r
  JOIN releases e ON e.tenant = r.tenant AND e.id = r.release_id
  LEFT JOIN accepted_risks a ON a.tenant = r.tenant AND a.release_id = r.release_id AND a.record_id = r.finding_id
 WHERE r.tenant = $1 AND r.finding_id IN (SELECT value FROM json_each($2 ->> 'fnd'))

-- part: blk
-- A blocker has the title and severity of its finding or control.
SELECT b.id, b.key, b.release_id, b.finding_id, b.control_id, b.status, b.version, COALESCE(f.title, c.title) AS title,
       COALESCE(f.severity, 'high') AS severity
  FROM blockers b
  LEFT JOIN findings f ON f.tenant = b.tenant AND f.id = b.finding_id
  LEFT JOIN controls c ON c.tenant = b.tenant AND c.id = b.control_id
 WHERE b.tenant = $1 AND b.id IN (SELECT value FROM json_each($2 ->> 'blk'))

-- part: act
SELECT a.id, a.headline, a.release_id, a.team_id
  FROM actions a
 WHERE a.tenant = $1 AND a.id IN (SELECT value FROM json_each($2 ->> 'act'))

-- part: wi
SELECT w.id, w.number, w.kind, w.release_id, w.parent_id, w.team_id, w.owner_id, w.title, w.description, w.status, w.priority,
       w.estimate, w.acceptance_criteria, w.version
  FROM work_items w
 WHERE w.tenant = $1 AND w.id IN (SELECT value FROM json_each($2 ->> 'wi'))

-- part: reference
-- The findings, controls, evidence and blockers of the work items.
SELECT x.work_item_id, x.record_id
  FROM work_item_references x
 WHERE x.tenant = $1 AND x.work_item_id IN (SELECT value FROM json_each($2 ->> 'wi'))
